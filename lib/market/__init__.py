"""The market of rented machines as the leading watcher last saw it, for `job-runner plan` to price with."""
