"""What pictures took and cost: a line of JSON for each, in the data folder, and their sums."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any, Final

from lib.clock import parse_rfc3339
from lib.errors import BadConfiguration
from lib.files import read_plain
from lib.foreign import parse_json

_NAME: Final = "picture-usage.jsonl"
_MOST_BYTES: Final = 256 * 2**20


@dataclass(frozen=True, slots=True)
class PictureUse:
    """One order and what became of it. Nothing of the prompt but its length."""

    at: str  # RFC 3339, when it ended
    backend: str
    model: str
    width: int
    height: int
    seed: int
    characters: int  # of the prompt as the backend got it
    seconds: float
    cost_usd: float | None  # None: not known
    outcome: str  # "done" or "failed"
    error: str = ""


@dataclass(frozen=True, slots=True)
class UsageSum:
    """What one backend did."""

    backend: str
    pictures: int
    failed: int
    seconds: float
    cost_usd: Decimal  # of what is known
    unpriced: int  # pictures whose cost is not known


class UsageLog:
    """The file of a data folder. Several processes may write at once: each line is one write."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before the first line."""
        self.path = folder / _NAME

    def add(self, use: PictureUse) -> None:
        """Append one line. Raises OSError: it is not recorded."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(use), ensure_ascii=True, allow_nan=False) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def uses(self) -> Iterator[PictureUse]:
        """All lines, oldest first. A half line, as a full disk leaves, is passed over.

        Raises:
            BadConfiguration: the file cannot be read.
        """
        try:
            data = read_plain(self.path, _MOST_BYTES)
        except FileNotFoundError:
            return
        except OSError as error:
            raise BadConfiguration(
                f"The usage of pictures in {self.path} cannot be read: {error.strerror}."
            ) from None
        for line in data.splitlines():
            use = _read(line)
            if use is not None:
                yield use


def sums(uses: Iterable[PictureUse]) -> list[UsageSum]:
    """One sum for each backend, by name. Money is added exactly."""
    rows: dict[str, list[PictureUse]] = {}
    for use in uses:
        rows.setdefault(use.backend, []).append(use)
    return [
        UsageSum(
            name,
            pictures=sum(use.outcome == "done" for use in rows[name]),
            failed=sum(use.outcome != "done" for use in rows[name]),
            seconds=round(sum(use.seconds for use in rows[name]), 3),
            cost_usd=sum((Decimal(str(use.cost_usd)) for use in rows[name] if use.cost_usd), Decimal(0)),
            unpriced=sum(use.cost_usd is None and use.outcome == "done" for use in rows[name]),
        )
        for name in sorted(rows)
    ]


def _read(line: bytes) -> PictureUse | None:
    try:
        value: Any = parse_json(line)
        use = PictureUse(**value)
        parse_rfc3339(use.at)
        if not 0 <= use.seconds < inf or not 0 <= (use.cost_usd or 0) < inf:
            return None
    except (ValueError, TypeError):
        return None
    return use
