"""How fast text is turned into words, in processor time on one core.

    .venv/bin/python -m bench.textnorm [--megabytes 2] [--json]

Ordinary prose (the tests' own), and the worst of what a text can be made of: signs that ask every rule.
Then `plan` of 10,000 jobs of 500 characters each, wall clock, with numbers and sums of money.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib.textnorm import normalize

_ROOT = Path(__file__).resolve().parent.parent
_PROSE = _ROOT / "tests/unit/textnorm/prose.txt"
_HARD = (".", '"', "5", "5 ", "[", "$", "/", "1,", "A")
_WORDS = (
    "the harbour was quiet and old men sat on the wall with their nets while a ship of 1,240 tons came in "
    "from the north at 6:30 pm carrying salt for $4.2m"
)
_IMPORT = (
    "import dataclasses, typing, time; t = time.process_time(); import lib.textnorm; "
    "print(time.process_time() - t)"
)


def megabytes_a_second(text: str) -> float:
    """Characters of `text`, in millions, read in a second of processor time; the best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        normalize(text)
        best = min(best, time.process_time() - started)
    return len(text) / 1e6 / best


def import_s() -> float:
    """Seconds that importing the package adds to a program that has the usual modules."""
    command = [sys.executable, "-c", _IMPORT]
    return min(
        float(subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True).stdout)
        for _ in range(5)
    )


def plan_s(jobs: int) -> float:
    """Seconds that `job-runner plan` takes for a file of so many jobs of 500 characters."""
    chance, words = random.Random(3), _WORDS.split()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.yaml"
        with path.open("w", encoding="utf-8") as file:
            file.write("defaults: {speaker: Ryan}\njobs:\n")
            for number in range(jobs):
                text = ""
                while len(text) < 500:
                    text += " ".join(chance.choice(words) for _ in range(12)).capitalize() + ". "
                file.write(f'  - {{output_name: b/{number}, text: "{text[:500].strip()}"}}\n')
        command = [
            sys.executable,
            "-c",
            "from job_runner.main import main; main()",
            "plan",
            str(path),
            "--json",
        ]
        started = time.perf_counter()
        subprocess.run(command, cwd=_ROOT, capture_output=True, check=True)
        return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--plan-jobs", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prose = _PROSE.read_text(encoding="utf-8") + "\n"
    text = prose * (int(options.megabytes * 1e6) // len(prose) + 1)
    found = {
        "prose_mb_s": round(megabytes_a_second(text), 2),
        "import_ms": round(import_s() * 1000, 1),
        "hard_mb_s": {sign: round(megabytes_a_second(sign * (50_000 // len(sign))), 3) for sign in _HARD},
        "plan_s": round(plan_s(options.plan_jobs), 2),
    }
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
