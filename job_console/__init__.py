"""The console: REST and live events over what runs, for producers, pages and programs.

It decides nothing by itself: each route calls the function of `lib.jobs` or `lib.pipeline` that the command
of the same name calls, and answers with the same read model that `--json` prints.
"""
