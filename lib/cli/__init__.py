"""The parts of every command line: lazy programs, tables, JSON, progress and exit statuses.

The only package of `lib` that prints. Import its modules by name; this one stays empty so that
`--help` pays for nothing it does not use.
"""
