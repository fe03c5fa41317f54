"""Who decides: the name that stands in the trail."""

from __future__ import annotations

from typing import Final

from lib.errors import UsageError

#: Characters.
LONGEST_OPERATOR: Final = 100


def checked_operator(name: str) -> str:
    """The name without the blanks around it.

    Raises:
        UsageError: nobody is named, or with what does not print.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_OPERATOR or not name.isprintable():
        raise UsageError("it must be known who decides: name yourself with --operator NAME")
    return name
