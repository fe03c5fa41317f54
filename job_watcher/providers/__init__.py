"""Who runs the machines: a folder for each value of PROVIDER, whose wiring makes a watcher over them."""
