"""Which watcher leads: a lock on the server, and the thread that keeps it."""
