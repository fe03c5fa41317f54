"""From YAML to validated jobs, against what the YAML parser alone needs for the same file.

    .venv/bin/python bench/jobspec.py [--jobs 10000] [--rounds 5] [--json]

Both ways run alternately in one process, on bytes in memory. The reference is `yaml.load` with PyYAML's C
loader as everybody calls it; ours also checks every job and knows the line of every field.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import yaml

from lib.jobspec import parse_job_file

_SENTENCE = (
    "the river rose slowly through the night and by morning the lower fields had turned to a sheet of grey "
    "glass on which the first gulls were already walking as if they had ordered it"
)
_WORDS = tuple(_SENTENCE.split())


def job_file(jobs: int) -> bytes:
    """A file of that many jobs, about 600 bytes each, in the styles that people mix."""
    parts = ["defaults:\n  voice: newsroom\n  language: English\n  profile: balanced\njobs:\n"]
    for number in range(jobs):
        text = " ".join(_WORDS[(number + word) % len(_WORDS)] for word in range(85)).capitalize() + "."
        block = f"text: >-\n      {text}" if number % 2 else f'text: "{text}"'
        parts.append(
            f"  - output_name: topic-{number // 100:03d}/beat-{number % 100:03d}\n    {block}\n"
            f"    variants: 2\n    seed: {number}\n    priority: {'high' if number % 9 == 0 else 'normal'}\n"
            f"    callback_data:\n      index: {number}\n      scene: opening\n      reviewed: no\n"
        )
    return "".join(parts).encode()


def measure(data: bytes, rounds: int) -> dict[str, Any]:
    """Seconds of both ways, their medians and the ratio."""
    ours: list[float] = []
    reference: list[float] = []
    for _ in range(rounds):
        reference.append(_seconds(lambda: yaml.load(data, Loader=yaml.CSafeLoader)))
        ours.append(_seconds(lambda: parse_job_file(data, name="bench.yaml", base_dir=None)))
    return {
        "bytes": len(data),
        "rounds": rounds,
        "yaml_load_s": [round(value, 4) for value in reference],
        "validated_s": [round(value, 4) for value in ours],
        "yaml_load_median_s": round(statistics.median(reference), 4),
        "validated_median_s": round(statistics.median(ours), 4),
        "ratio": round(statistics.median(ours) / statistics.median(reference), 3),
        "worst_ratio": round(max(ours) / min(reference), 3),
    }


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    kept = action()  # freeing the result is not part of the time
    elapsed = time.perf_counter() - started
    del kept
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    data = job_file(args.jobs)
    found = {"jobs": len(parse_job_file(data, name="bench.yaml", base_dir=None).specs)} | measure(
        data, args.rounds
    )
    if args.json:
        print(json.dumps(found))
        return
    print(f"{found['jobs']} jobs, {found['bytes'] / 1e6:.1f} MB, median of {found['rounds']} rounds")
    print(f"yaml.load(CSafeLoader) alone   {found['yaml_load_median_s']:.3f} s")
    print(f"YAML to validated jobs         {found['validated_median_s']:.3f} s")
    print(f"ratio                          {found['ratio']:.2f}  (worst to best {found['worst_ratio']:.2f})")


if __name__ == "__main__":
    main()
