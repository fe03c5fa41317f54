"""The label on a rented machine: enough for a sweeper with an empty database to know whose it is.

`jw|owner|epoch|token|x1790000000`: the deployment that rented it, the leader's epoch, the intent's token, and
the second at which it must be gone. Whatever does not read exactly like that is somebody else's machine.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

_OWNER: Final = r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?"
_TOKEN: Final = r"[A-Za-z0-9_-]{8,64}"
_NUMBER: Final = r"[1-9][0-9]{0,11}"  # one way to write each number
_LABEL: Final = re.compile(rf"jw\|({_OWNER})\|({_NUMBER})\|({_TOKEN})\|x({_NUMBER})")


@dataclass(frozen=True, slots=True)
class MachineLabel:
    """What a label says. `expires_at` is in seconds since the epoch; the label holds whole ones.

    Raises:
        ValueError: a part that would not read back as itself.
    """

    owner: str
    epoch: int
    token: str
    expires_at: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.expires_at) or not _LABEL.fullmatch(self.text()):
            raise ValueError(
                f"no label can hold owner {self.owner!r}, epoch {self.epoch!r}, token {self.token!r} and "
                f"expiry {self.expires_at!r}: owners are lower-case letters, digits, '.' and '-', "
                "at most 40; tokens 8 to 64 letters, digits, '_' and '-'; numbers positive"
            )

    def text(self) -> str:
        """The label itself, at most 142 characters; the expiry is rounded down, never to a later second."""
        return f"jw|{self.owner}|{self.epoch}|{self.token}|x{math.floor(self.expires_at)}"


def parse_label(text: str | None) -> MachineLabel | None:
    """Read a label; None for anything that is not exactly of our form, of whichever deployment."""
    match = _LABEL.fullmatch(text or "")
    if match is None:
        return None
    owner, epoch, token, expires = match.groups()
    return MachineLabel(owner, int(epoch), token, float(expires))


def own_label(text: str | None, owner: str) -> MachineLabel | None:
    """Read a label of the deployment `owner`; None for a foreign one, which must never be touched."""
    label = parse_label(text)
    return label if label is not None and label.owner == owner else None
