"""The prefix of all keys, as the server needs it."""

from __future__ import annotations

USUAL = "pab:jobs"


def key_prefix(prefix: str, *, cluster: bool) -> str:
    """The prefix as keys begin with it: on a cluster one hash tag, so that scripts may touch all of them.

    A prefix that stands in braces already is a hash tag, and is taken as it is.
    """
    return f"{{{prefix}}}" if cluster and not prefix.startswith("{") else prefix
