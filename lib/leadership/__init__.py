"""Chooses the watcher that leads: a lock on the server, and the thread that renews it."""
