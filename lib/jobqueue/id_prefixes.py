"""Finds ids by how they begin, and ids that look alike. Pure: whoever keeps the ids brings them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from lib.errors import BadInput

#: Known ids above which none is looked up by its beginning: some two seconds of the server's time, in steps.
MOST_KNOWN: Final = 2_000_000
#: Ids that one beginning may stand for.
MOST_UNDER: Final = 10_000
_NEAR: Final = 3


class TooMany(BadInput):
    """A beginning stands for more jobs than are done at once, or is looked for among too many."""


def check_known(known: int, among: int) -> None:
    """See that so many known ids may be looked through. Raises TooMany."""
    if known > among:
        raise TooMany(
            f"the queue knows {known} jobs, and what begins alike is looked up among at most {among}; name "
            "the jobs by their ids, or with --file FILE"
        )


def under(prefix: str, known: Iterable[str], at_most: int) -> tuple[str, ...]:
    """Those of the known ids that begin so, in order. Raises TooMany."""
    found = sorted(name for name in known if name.startswith(prefix))
    if len(found) > at_most:
        raise TooMany(
            f"{len(found)} request ids begin with {prefix!r}, and at most {at_most} are done at once; name a "
            "longer beginning, or the jobs with --file FILE"
        )
    return tuple(found)


def alike(wanted: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the known ids that look like `wanted`, best first.

    What ends with a colon is the beginning of ids: it is compared with their beginnings, as deep as it is.
    """
    if wanted.endswith(":"):
        depth = wanted.count(":")
        parts = (name.split(":") for name in known)
        known = {":".join(part[:depth]) + ":" for part in parts if len(part) > depth}
    return tuple(difflib.get_close_matches(wanted, sorted(known), n=_NEAR, cutoff=0.6))
