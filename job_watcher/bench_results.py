"""What `voice-synth bench --json` measured, from files in the data folder: speeds in the place of a guess."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration
from lib.files import NotPlain, read_plain
from lib.foreign import parse_json
from lib.voices.errors import quoted

#: Seconds of audio a second by engine and GPU, whose name is as its driver writes it without the maker's.
Benched = Mapping[tuple[str, str], float]

#: In the data folder. Any `*.json` there is a bench's result.
FOLDER: Final = "speeds"
_MOST_BYTES: Final = 1024 * 1024
_SLOWEST, _QUICKEST = 0.001, 100_000.0


def benched_speeds(data_dir: Path) -> Benched:
    """Every speed in the data folder's `speeds`; where two files have the same, the newer one's.

    Raises:
        BadConfiguration: a file there is no result of a bench on a GPU.
    """
    folder = data_dir / FOLDER
    try:
        files = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))
    except OSError as error:
        raise BadConfiguration(f"{folder} cannot be read: {error.strerror}.") from None
    found: dict[tuple[str, str], float] = {}
    for path in files:
        found.update(_speeds_of(path))
    return found


def _speeds_of(path: Path) -> Benched:
    told = _read(path)
    machine, speeds = told.get("machine"), told.get("speeds")
    if not isinstance(machine, dict) or not isinstance(speeds, dict):
        raise _refusal(path, "is no result of voice-synth bench --json")
    gpu = machine.get("gpu_class")
    if not isinstance(gpu, str) or not gpu.strip():
        raise _refusal(path, "was not measured on a GPU, and rented machines are told apart by theirs")
    if not speeds:
        raise _refusal(path, "has no speed: nothing could be measured")
    return {(engine, gpu): _speed(path, engine, speed) for engine, speed in speeds.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        data = read_plain(path, _MOST_BYTES, follow=True)
    except NotPlain:
        raise _refusal(path, "is no regular file") from None
    except OSError as error:
        raise _refusal(path, f"cannot be read ({error.strerror})") from None
    try:
        told = parse_json(data) if len(data) <= _MOST_BYTES else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise _refusal(path, "is no result of voice-synth bench --json")
    return told


def _speed(path: Path, engine: str, speed: object) -> float:
    if isinstance(speed, int | float) and not isinstance(speed, bool) and _SLOWEST <= speed <= _QUICKEST:
        return float(speed)
    raise _refusal(path, f"says {quoted(str(speed))} of the engine {quoted(engine)}, which is no speed")


def _refusal(path: Path, why: str) -> BadConfiguration:
    return BadConfiguration(
        f"{path} {why}: speeds are reckoned by what lies there. Measure anew on a machine like those that "
        "are rented, or remove the file."
    )
