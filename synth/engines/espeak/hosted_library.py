"""The library of eSpeak NG in a process of its own (`library_host.py`), which speaks one text at a time.

The library is GPL-3, keeps a state from text to text and is C that reads what users write: none of that is in
the process of the worker.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lib.errors import BadConfiguration
from lib.foreign import parse_json
from synth.engines.espeak.package import LibraryFiles
from synth.engines.espeak.words import Mention

_HOST: Final = Path(__file__).with_name("library_host.py")
#: All that the process knows: nothing of the library depends on where it runs.
_ENVIRON: Final = {"LC_ALL": "C.UTF-8"}


class TextFailed(Exception):
    """The library could not speak one text: it refused it, crashed over it, or did not end."""


class HostGone(Exception):
    """The process of the library is not there any more; what it was asked for is lost."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the library made of one text."""

    samples: NDArray[np.int16]  # (n,), mono
    mentions: tuple[Mention, ...]  # of words, in order


class HostedLibrary:
    """A process that has the library loaded. It ends with this object, and with this process.

    Raises:
        BadConfiguration: the library cannot be loaded, or does not find its data.
    """

    def __init__(self, files: LibraryFiles) -> None:
        argv = [sys.executable, "-I", "-S", str(_HOST), str(files.library), str(files.data)]
        try:
            self._process = subprocess.Popen(
                argv, env=_ENVIRON, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            raise BadConfiguration(f"No process for eSpeak NG can be started: {error.strerror}.") from None
        self.close = weakref.finalize(self, _end, self._process)
        try:
            first = self._line()
        except HostGone as error:
            raise BadConfiguration(f"The library {files.library} cannot be used: {error}.") from None
        if "error" in first:
            self.close()
            raise BadConfiguration(f"The library {files.library} cannot be used: {first['error']}.")
        self.sample_rate: int = first["rate"]
        self.version: str = first["version"]

    @property
    def pid(self) -> int:
        """The process that has the library."""
        return self._process.pid

    def speak(self, text: str, voice: str, **parameters: int) -> Spoken:
        """Speak `text` with a library that spoke nothing before.

        `parameters` are its own: `rate`, `pitch`, `range` and `volume` (`library_host.py`).

        Raises:
            TextFailed: it could not; others can be spoken.
            HostGone: the process ended.
        """
        asked = json.dumps({"text": text, "voice": voice, **parameters})
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(asked.encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._gone() from None
        said = self._line()
        if "error" in said:
            raise TextFailed(said["error"])
        samples = np.frombuffer(self._bytes(said["bytes"]), np.int16)
        mentions = tuple(Mention(place - 1, at / 1000) for place, at in said["words"])
        return Spoken(samples, mentions)

    def _line(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._gone()
        answer: Mapping[str, Any] = parse_json(line)
        return answer

    def _bytes(self, count: int) -> bytes:
        assert self._process.stdout is not None
        read = self._process.stdout.read(count)
        if len(read) < count:
            raise self._gone()
        return read

    def _gone(self) -> HostGone:
        self.close()
        return HostGone(f"its process ended with status {self._process.returncode}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """It ends when nobody can ask it any more; a text that it is at is not waited for."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not sent yet is not wanted
                pipe.close()
    process.kill()
    process.wait()
