"""One module per command of `job-watcher`."""
