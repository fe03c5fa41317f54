"""How long `--help` takes, beside a peer's, in one interleaved run.

    ./run python bench/startup.py [--rounds N] [--json]

Prints the median wall time of each program and the ratio to the peer; goal: at most 1.0.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
PEER = "dramatiq"
PROGRAMS = ("job-runner", PEER, "python")


def seconds(program: str) -> float:
    """Wall time of one run of `program --help` (of Python alone: an empty script)."""
    arguments = ["-c", ""] if program == "python" else ["--help"]
    started = time.perf_counter()
    subprocess.run([str(BIN / program), *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def measure(rounds: int) -> dict[str, float]:
    """Medians in milliseconds, after one run of each that warms the files."""
    times: dict[str, list[float]] = {program: [] for program in PROGRAMS}
    for program in PROGRAMS:
        seconds(program)
    for _ in range(rounds):
        for program in PROGRAMS:
            times[program].append(seconds(program))
    return {program: round(statistics.median(taken) * 1000, 2) for program, taken in times.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    medians = measure(options.rounds)
    ratio = round(medians["job-runner"] / medians[PEER], 3)
    if options.json:
        print(json.dumps({"rounds": options.rounds, "median_ms": medians, "ratio": ratio}))
        return
    for program, median in medians.items():
        what = "starting Python" if program == "python" else f"{program} --help"
        print(f"{what:<20} {median:7.1f} ms")
    print(f"ratio to {PEER}: {ratio} (goal: at most 1.0)")


if __name__ == "__main__":
    main()
