"""What `voice-synth bench --json` measured, from files in the data folder: speeds in the place of a guess."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

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


class BenchResults(NamedTuple):
    """What could be read, and a sentence for each file that could not: no machine waits for its mending."""

    speeds: Benched
    refused: tuple[str, ...] = ()


def _none() -> BenchResults:
    return BenchResults({})


#: Of a company for which nobody measured anything.
NO_BENCH: Final = _none


def bench_results(data_dir: Path) -> BenchResults:
    """Every speed in the data folder's `speeds`; where two files have the same, the newer one's.

    A file that is no result of a bench on a GPU, or is half written, is passed over and named.
    """
    folder = data_dir / FOLDER
    try:
        files = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))
    except OSError as error:
        return BenchResults({}, (f"{folder} cannot be read: {error.strerror}.",))
    found: dict[tuple[str, str], float] = {}
    refused = []
    for path in files:
        try:
            found.update(_speeds_of(path))
        except BadConfiguration as error:
            refused.append(error.message)
    return BenchResults(found, tuple(refused))


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
        f"{path} {why}: nothing is reckoned by it. Measure anew on a machine like those that "
        "are rented, or remove the file."
    )
