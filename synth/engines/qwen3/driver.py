"""What the driver of NVIDIA's GPUs says of itself, through its own program. No torch here."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Final

from lib.errors import BadConfiguration

_FIELDS: Final = ("driver_version", "name", "memory.total")
_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class DriverFacts:
    """The driver's version and its GPUs, each with its memory in MiB, in their order."""

    version: str
    gpus: tuple[tuple[str, int], ...]


def ask_driver() -> DriverFacts:
    """Ask `nvidia-smi`.

    Raises:
        BadConfiguration: it is not there, fails, or lists no GPU.
    """
    argv = ["nvidia-smi", f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WITHIN_S,
        )
    except FileNotFoundError:
        raise BadConfiguration("There is no nvidia-smi, so no driver of NVIDIA's is installed.") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadConfiguration(f"nvidia-smi cannot be asked: {type(error).__name__}.") from None
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    gpus = [(row[1], int(row[2])) for row in rows if len(row) == len(_FIELDS) and row[2].isdecimal()]
    if done.returncode != 0 or not gpus:
        said = " ".join((done.stderr or done.stdout).split())[:200].rstrip(".")
        raise BadConfiguration(
            f"nvidia-smi lists no GPU (exit status {done.returncode}): {said or 'nothing'}."
        )
    return DriverFacts(rows[0][0], tuple(gpus))
