"""Machines that the user has already, reached by SSH and driven by one watcher at a time."""
