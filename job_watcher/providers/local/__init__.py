"""This machine: a worker process for each core. Any number of watchers share one queue."""
