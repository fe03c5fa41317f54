"""What a task prints, cut into lines for the log, and no more of it than a log can take."""

from __future__ import annotations

from typing import Final

_LONGEST_LINE: Final = 2000
_MOST_BYTES: Final = 1 << 20


class OutputLines:
    """Bytes as they come to lines; of one task's output the first MiB, and then one line that says so.

    Threads: one.
    Raises: nothing.
    """

    def __init__(self, *, most: int = _MOST_BYTES, longest: int = _LONGEST_LINE) -> None:
        self._most, self._longest = most, longest
        self._left = most
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Take what came; the lines that are whole now."""
        if self._left <= 0:
            return []
        kept, self._left = data[: self._left], self._left - len(data)
        *whole, self._rest = (self._rest + kept).split(b"\n")
        if self._left <= 0:
            return [*self._words(whole), *self.end(), "what it printed beyond that is left out"]
        if len(self._rest) > 4 * self._longest:  # a line without an end
            whole, self._rest = [*whole, self._rest], b""
        return self._words(whole)

    def end(self) -> list[str]:
        """A last line that has no end."""
        rest, self._rest = self._rest, b""
        return self._words([rest])

    def begin(self) -> None:
        """Another task prints now."""
        self._left, self._rest = self._most, b""

    def _words(self, lines: list[bytes]) -> list[str]:
        told = (line.decode("utf-8", "replace").rstrip("\r") for line in lines)
        return [
            line if len(line) <= self._longest else f"{line[: self._longest]}..." for line in told if line
        ]
