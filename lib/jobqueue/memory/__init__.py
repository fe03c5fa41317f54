"""The queue in this process: the same rules without a server."""
