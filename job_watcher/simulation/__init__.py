"""The whole system on a virtual clock, for nothing: a simulated market, machines, network, queue and store.

Single-threaded, without sockets, repeatable from a seed. `job-watcher simulate` and the tests use it.
"""
