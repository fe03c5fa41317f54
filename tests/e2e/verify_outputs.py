"""Check that every job of a file left playable audio whose length fits its text.

    job-runner up JOBS.yaml --json > RESULTS.json
    python tests/e2e/verify_outputs.py JOBS.yaml RESULTS.json

Prints a line per job; exits 1 when a file is missing, silent, cut short or far too long.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from lib.jobspec import load_job_file

CHARACTERS_PER_SECOND = 14.0  # of English narration; voices and texts vary around it
SHORTEST, LONGEST = 0.5, 2.0  # times the expected length
SLACK_S = 1.0  # pauses weigh more in short texts
QUIETEST_DBFS = -45.0  # root mean square; finished speech lies near -20
MEASURE_S = 0.1  # the record's audio_seconds may differ from the file's by this


def problem_of(result: dict[str, Any] | None, text: str) -> str | None:
    """What is wrong with one job's result, or None."""
    if result is None:
        return "has no result"
    if result["state"] != "done" or not result["file"]:
        return f"is {result['state']}: {result['error']}"
    try:
        samples, rate = soundfile.read(result["file"], dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        return f"cannot be played: {error}"
    if not len(samples):
        return "holds no audio"
    seconds = len(samples) / rate
    expected = len(text) / CHARACTERS_PER_SECOND
    if not expected * SHORTEST - SLACK_S <= seconds <= expected * LONGEST + SLACK_S:
        return f"lasts {seconds:.1f} s, but its {len(text)} characters take about {expected:.1f} s"
    if abs(seconds - result["audio_seconds"]) > MEASURE_S:
        return f"lasts {seconds:.2f} s, but its record says {result['audio_seconds']} s"
    level = 10 * math.log10(float(np.mean(np.square(samples, dtype=np.float64))) + 1e-12)
    return None if level >= QUIETEST_DBFS else f"is nearly silent: {level:.1f} dBFS"


def main(job_file: str, results_file: str) -> int:
    """Check all jobs; return the exit status."""
    results = {row["request_id"]: row for row in json.loads(Path(results_file).read_text())["results"]}
    specs = load_job_file(Path(job_file)).specs
    wrong = 0
    for spec in specs:
        result = results.get(spec.request_id)
        problem = problem_of(result, spec.text)
        wrong += problem is not None
        print(f"{spec.request_id}: {problem or (result or {}).get('file')}")
    print(f"{len(specs)} jobs, {wrong} wrong files")
    return 1 if wrong or not specs else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
