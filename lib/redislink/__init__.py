"""The connection to a Redis server: addresses, transport, scripts, and the server that this program brings.

Only this package imports redis. Importing it does not; `transport`, `address` and `wire` do.
"""
