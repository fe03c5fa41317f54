"""The commands of `job-console`."""
