"""Samples: a client asks the worker to speak a sentence, to hear that it can, and gets no job for it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Final

from lib.files import replace_durably
from lib.spool.errors import InvalidSpoolData, unusable
from lib.spool.files import LocalFiles
from lib.spool.layout import SAMPLE, TMP

MAX_SAMPLE_BYTES: Final = 1000  # of its text
_NAME: Final = re.compile(r"([0-9a-f]{16})\.(ask|busy)")


class SampleRequests:
    """What a worker is asked to speak in between, below the root of its spool.

    Threads: the worker's main one.
    Raises: SpoolUnusable, from every method: the folder cannot be read or written.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._files = root, LocalFiles(root)

    def asked(self) -> list[str]:
        """The names of those that wait."""
        return self._names("ask")

    def left(self) -> list[str]:
        """The names of those that an earlier worker spoke when it ended."""
        return self._names("busy")

    def begin(self, name: str) -> str | None:
        """What is to be spoken, noted on disk as begun; None when nobody waits for it any more.

        Raises:
            InvalidSpoolData: it is no text.
        """
        try:
            self._files.rename(f"{SAMPLE}/{name}.ask", f"{SAMPLE}/{name}.busy")
            return self._files.read(f"{SAMPLE}/{name}.busy", MAX_SAMPLE_BYTES).decode("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise InvalidSpoolData(f"The sample {name} asks for what is no text.") from None

    def scratch(self, name: str) -> Path:
        """Where its audio is made; the format's suffix is added."""
        return self._root / TMP / f"sample-{name}"

    def answer(self, name: str, audio: Path) -> None:
        """Give the audio, whole, and take the ask away."""
        try:
            replace_durably(audio, self._root / SAMPLE / f"{name}.wav")
        except OSError as error:
            raise unusable(self._root / SAMPLE, error) from None
        self._hand_over(name, "wav")

    def refuse(self, name: str, sentence: str) -> None:
        """Say why there is none, and take the ask away."""
        with contextlib.suppress(OSError):
            self.scratch(name).with_suffix(".wav").unlink()
        self._files.write(f"{SAMPLE}/{name}.error", sentence.encode("utf-8", "replace"))
        self._hand_over(name, "error")

    def _hand_over(self, name: str, answer: str) -> None:
        """Take the ask away; the answer, where the ask is gone: who asked has left and would not collect it.

        Who leaves removes its files twice: what is put here before the ask is gone, the second time finds.
        """
        asked = f"{SAMPLE}/{name}.busy"
        self._files.remove_tree(asked if self._files.present([asked]) else f"{SAMPLE}/{name}.{answer}")

    def _names(self, state: str) -> list[str]:
        found = (_NAME.fullmatch(name) for name in self._files.list(SAMPLE))
        return sorted(match[1] for match in found if match is not None and match[2] == state)
