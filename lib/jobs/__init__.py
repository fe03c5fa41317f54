"""The use cases: what is done with jobs, for commands, pages and pipelines. Nothing in it prints."""
