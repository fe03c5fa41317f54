"""Clears up after a rehearsal that was killed: a process of its own, which learns of that by a pipe.

The machines of a rehearsal end with it by themselves; its server is made to outlive whoever started it, and
its folder outlives everybody.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_IN_ORDER: Final = b"."
_END_S: Final = 10.0
_TRIES: Final = 5  # processes that end may still write into the folder while it is taken away
_KEEP: Final = "--keep"


def data_in(folder: Path) -> Path:
    """Where in the folder of a rehearsal its data folder lies."""
    return folder / "data"


@contextlib.contextmanager
def taken_care_of(folder: Path, *, keep: bool) -> Iterator[None]:
    """Within the block, a death of this process ends the server in `folder` and removes that.

    With `keep` the folder stays. After the block nothing is done: who leaves it in order clears up himself.
    """
    words = [sys.executable, "-m", __name__, str(folder), *([_KEEP] if keep else [])]
    caretaker = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a signal to the whole group, from a terminal say, is not for it
    )
    try:
        yield
    finally:
        with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
            caretaker.communicate(_IN_ORDER, timeout=_END_S)


def main(words: list[str]) -> None:
    """Wait for the end of whoever started this, and clear up unless that was in order."""
    if sys.stdin.buffer.read() == _IN_ORDER:
        return
    from lib.redislink.embedded import EmbeddedServer  # only a rehearsal that was killed comes here

    folder, *keep = words
    with contextlib.suppress(Exception):  # the folder goes in any case
        EmbeddedServer(data_in(Path(folder))).stop()
    for _ in range(_TRIES):
        if keep or not Path(folder).exists():
            break
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
