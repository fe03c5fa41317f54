"""Single keys of a terminal, as they are pressed; it is as it was before at every end."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import select
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Final

from lib.errors import JobRunnerError, UsageError

ENTER: Final = "\n"
ESCAPE: Final = "\x1b"
ERASE: Final = frozenset({"\x7f", "\b"})
#: Arrows, as terminals send them in either of their modes, are these letters.
_ARROWS: Final = {"A": "k", "B": "j"}
_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*([@-~])|O([@-~]))")
_REST_S: Final = 0.05  # the rest of an arrow's bytes comes within this
_CONTROL: Final = 6  # where the list of termios has the control characters


class TerminalGone(JobRunnerError):
    """Nobody can press a key any more."""


class TerminalKeys:
    """What `single_keys` gives.

    Threads: one.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self, within_s: float) -> str:
        """The keys that were pressed, an arrow as `k` or `j`; empty where none is within that time.

        Raises:
            TerminalGone: nobody is there any more.
        """
        text = self._more(within_s)
        while text and ESCAPE in text[-4:] and _SEQUENCE.search(text, max(text.rfind(ESCAPE), 0)) is None:
            rest = self._more(_REST_S)
            if not rest:
                break  # it was the key itself
            text += rest
        return _SEQUENCE.sub(lambda found: _ARROWS.get(found[1] or found[2], ""), text)

    def forget(self) -> None:
        """Throw away what was pressed and not read: it was not about what is seen from now on."""
        termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def _more(self, within_s: float) -> str:
        if not select.select([self._descriptor], [], [], max(within_s, 0.0))[0]:
            return ""
        try:
            data = os.read(self._descriptor, 4096)
        except OSError:
            data = b""
        if not data:
            raise TerminalGone("the terminal went away; what could still be taken back was not sent")
        return self._decoder.decode(data)


@contextlib.contextmanager
def single_keys(what: str) -> Iterator[TerminalKeys]:
    """Within the block keys come one by one and are not shown; Ctrl-C stays what it is, Ctrl-Z is none.

    Raises:
        UsageError: stdin is no terminal; `what` is named as what needs one.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{what} takes single keys, so it needs a terminal at its standard input")
    descriptor = sys.stdin.fileno()
    former = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)
        now = termios.tcgetattr(descriptor)
        # Stopped, it would leave the shell a terminal that shows no letters.
        now[_CONTROL][termios.VSUSP] = b"\0"
        termios.tcsetattr(descriptor, termios.TCSANOW, now)
        yield TerminalKeys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, former)
