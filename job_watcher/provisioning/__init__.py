"""The watcher's loop for rented machines: observe, decide (`lib.fleet`), act one try each.

A crash at any point is repaired by the next pass, of this process or of another one.
"""
