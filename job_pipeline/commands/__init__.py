"""One module per command of `job-pipeline`."""
