"""One module per command of `job-runner`."""
