"""A file that is not there: which one was probably meant."""

from __future__ import annotations

import os
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Final

from lib.jobspec.names import folded
from lib.jobspec.problems import shown

_MOST_LOOKED_AT: Final = 5_000  # entries of one folder
_CLOSE: Final = 0.75
_USUAL: Final = (".yaml", ".yml", ".json", ".txt")  # what files of jobs, texts and lexicons are called


def near_miss(name: str, folder: str | Path) -> str | None:
    """What to write instead of `name`, which is not in `folder`; None when nothing there is like it."""
    if "\\" in name:
        return f"folders are separated by /: write {shown(name.replace(chr(92), '/'))}"
    if name.startswith("~"):
        return "~ stands for no folder here; write the path"
    above, _, last = name.rpartition("/")
    try:
        with os.scandir(os.path.join(folder, above)) as found:
            there = [entry.name for entry in islice(found, _MOST_LOOKED_AT)]
    except (OSError, ValueError):
        return None
    same = next((entry for entry in there if folded(entry) == folded(last)), None)
    if same is not None and same.lower() != last.lower():
        return "a file of that name is there in another Unicode form (accents apart); rename it"
    likely = [same] if same is not None else _likely(last, there)
    if not likely:
        return None
    return f"did you mean {shown(f'{above}/{likely[0]}' if above else likely[0])}?"


def _likely(name: str, there: list[str]) -> list[str]:
    """The entry that `name` was probably meant for: one spelled like it, or the one with a suffix more."""
    close = get_close_matches(name, there, n=1, cutoff=_CLOSE)
    if close or not name:
        return close
    wanted = folded(name)
    longer = [entry for entry in there if folded(entry).startswith(f"{wanted}.")]
    best = sorted(longer, key=lambda entry: (not entry.endswith(_USUAL), entry))
    return best[:1]
