"""What each gate makes of what a machine answered. A machine is untrusted: any bytes may come.

Each raises `GateFailed` with a sentence when the machine does not pass.
"""

from __future__ import annotations

import io
import itertools
import math
import re
import sys
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.machine_checks.gate import Gate, GateFailed
from lib.units import MIB

LEAST_FREE_BYTES: Final = 512 * MIB  # for the audio of jobs at hand
LEAST_BYTES_PER_S: Final = 64_000.0  # eight workers' finished audio in real time
GOLDEN_TEXT: Final = "The tide comes in, the tide goes out, and the harbour keeps the time."

_GOLDEN_S: Final = (2.0, 9.0)  # how long anybody may take to say it
_LOUD: Final = (0.005, 0.5)  # root mean square of full scale: hardly audible, and a square wave
_FRAME_S: Final = 0.02
_MOST_ZERO_CROSSINGS: Final = 0.35  # of neighbouring samples, on average: speech has 0.05 to 0.15, noise 0.5
_LEAST_CONTRAST: Final = (
    3.0  # how much louder loud frames are than quiet ones: speech pauses, a buzz does not
)


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as nvidia-smi lists it. Memory in bytes."""

    name: str
    memory: int


def nonce(sent: bytes, answer: bytes) -> None:
    """The machine must answer with what it was sent, and with nothing else."""
    if answer != sent:
        raise GateFailed(
            Gate.NONCE,
            "it does not answer with what it was asked: something else writes when a command is run there, "
            "or it is another machine",
        )


def read_gpus(listing: bytes) -> list[Gpu]:
    """The lines of `nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits`."""
    found = []
    for line in listing[:65_536].decode("utf-8", "replace").splitlines():
        # Not one pattern for the whole line: on a line of blanks it would try for minutes.
        name, comma, memory = (part.strip() for part in line.partition(","))
        if comma and 0 < len(name) <= 100 and re.fullmatch(r"[0-9]{1,9}", memory):
            found.append(Gpu(name, int(memory) * MIB))
    return found


def gpu(status: int, found: Sequence[Gpu], *, least_bytes: int, count: int = 1) -> None:
    """The GPUs must be there, `count` of them with so much memory."""
    if status != 0 or not found:
        raise GateFailed(Gate.GPU, "nvidia-smi lists no GPU there; see to its driver, or restart the machine")
    fit = [one for one in found if one.memory >= least_bytes]
    if len(fit) < count:
        names = ", ".join(f"{one.name} with {one.memory / MIB / 1024:.0f} GiB" for one in found)
        raise GateFailed(
            Gate.GPU,
            f"it has {names}; {count} with at least {least_bytes / MIB / 1024:.0f} GiB are wanted",
        )


def read_free(listing: bytes) -> int | None:
    """Bytes that `df -Pk FOLDER` says are left; None where it does not."""
    lines = listing[:65_536].decode("utf-8", "replace").splitlines()
    found = (
        re.fullmatch(r".*?\s[0-9]+\s+[0-9]+\s+([0-9]{1,15})\s+[0-9]+%\s.*", lines[1])
        if len(lines) > 1
        else None
    )
    return None if found is None else int(found[1]) * 1024


def disk(free: int | None, *, least: int = LEAST_FREE_BYTES) -> None:
    """There must be room in the home folder."""
    if free is None:
        raise GateFailed(Gate.DISK, "df does not say how much room its home folder has")
    if free < least:
        raise GateFailed(
            Gate.DISK,
            f"its home folder has {free // MIB} MiB left, and {least // MIB} are needed: make room there, or "
            "set VAST_DISK_GB higher where it is rented",
        )


def bandwidth(sent: int, answer: bytes, seconds: float, *, least: float = LEAST_BYTES_PER_S) -> None:
    """Bytes must come there fast enough: all of them, as the machine's count says."""
    if answer.strip() != str(sent).encode():
        raise GateFailed(
            Gate.BANDWIDTH, f"of {sent} bytes that were sent there it does not say that they came; try again"
        )
    rate = sent / max(seconds, 1e-6)
    if rate < least:
        raise GateFailed(
            Gate.BANDWIDTH,
            f"the way there carries {rate / 1000:.0f} kB a second, and {least / 1000:.0f} are needed: see to "
            "its network",
        )


def engine(status: int, last_words: str) -> None:
    """The engine must load and speak without an error."""
    if status != 0:
        raise GateFailed(
            Gate.ENGINE,
            f"its engine does not speak (exit status {status}): {last_words or 'it says nothing'}",
        )


def golden(audio: bytes) -> None:
    """The audio must be speech of the sentence's length, as far as that can be told without hearing words."""
    try:
        with wave.open(io.BytesIO(audio)) as opened:
            width, rate, channels = opened.getsampwidth(), opened.getframerate(), opened.getnchannels()
            data = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError, ValueError, ArithmeticError, RuntimeError) as error:
        raise GateFailed(Gate.GOLDEN, f"what its engine spoke is no WAV file ({error})") from None
    if width != 2 or channels != 1 or not 8_000 <= rate <= 192_000:
        raise GateFailed(Gate.GOLDEN, "what its engine spoke is no 16-bit WAV file with one channel")
    samples = array("h", data[: len(data) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    problem = _problem(samples, rate)
    if problem is not None:
        raise GateFailed(Gate.GOLDEN, f"its engine speaks garbled audio: {problem}")


def _problem(samples: array[int], rate: int) -> str | None:
    seconds = len(samples) / rate
    if not _GOLDEN_S[0] <= seconds <= _GOLDEN_S[1]:
        return f"the sentence takes {seconds:.1f} s"
    loud = math.sqrt(sum(value * value for value in samples) / len(samples)) / 32768
    if not _LOUD[0] <= loud <= _LOUD[1]:
        return f"it is {'hardly audible' if loud < _LOUD[0] else 'overdriven'}"
    crossings = sum((a < 0) != (b < 0) for a, b in itertools.pairwise(samples)) / len(samples)
    if crossings > _MOST_ZERO_CROSSINGS:
        return "it is noise"
    step = max(1, int(rate * _FRAME_S))
    frames = sorted(
        sum(abs(value) for value in samples[at : at + step]) / step
        for at in range(0, len(samples) - step, step)
    )
    quiet, strong = frames[len(frames) // 10], frames[len(frames) * 9 // 10]
    if strong < _LEAST_CONTRAST * max(quiet, 1.0):
        return "it is as loud all the time, like a hum"
    return None
