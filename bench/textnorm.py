"""How fast text is turned into words, in processor time on one core.

    .venv/bin/python -m bench.textnorm [--megabytes 2] [--json]

Ordinary prose (the tests' own), and the worst of what a text can be made of: signs that ask every rule.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from lib.textnorm import normalize

_ROOT = Path(__file__).resolve().parent.parent
_PROSE = _ROOT / "tests/unit/textnorm/prose.txt"
_HARD = (".", '"', "5", "5 ", "[", "$", "/", "1,", "A")
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prose = _PROSE.read_text(encoding="utf-8") + "\n"
    text = prose * (int(options.megabytes * 1e6) // len(prose) + 1)
    found = {
        "prose_mb_s": round(megabytes_a_second(text), 2),
        "import_ms": round(import_s() * 1000, 1),
        "hard_mb_s": {sign: round(megabytes_a_second(sign * (50_000 // len(sign))), 3) for sign in _HARD},
    }
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
