"""How runs, events and files are shown to people."""
