"""How much `execute-manifest` costs beyond the engine, and `compile` beyond the YAML.

    .venv/bin/python bench/execute.py [--json] [--jobs 200] [--rounds 3] [--compile-jobs 10000]

execute: the same texts are spoken by the bare engine in one process (its start and the loading of the model
included; no loudness, no files) and by `job-runner execute-manifest` from start to end, by turns: as people
run it (a worker per core, at most 4), and with one worker. The medians of the rounds' ratios are the result
(goal: at most 1.15 on an otherwise idle machine).
compile: seconds that `compile_manifest` takes for jobs that were read already (goal: under 1.5), fresh and
when nothing changed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_BARE = """
import sys, time
from lib.jobspec import load_job_file
from pathlib import Path
from synth.engines import create_engine
from synth.engines.port import Utterance
from lib.voices import VoiceRegistry
specs = load_job_file(Path(sys.argv[1])).specs
engine = create_engine("hibari")
engine.load()
registry = VoiceRegistry()
begun = time.perf_counter()
for spec in specs:
    who = registry.resolve(spec.voice, spec.speaker, spec.language, "hibari")
    engine.speak([Utterance(spec.text, "English", who.preset, 1)])
print(time.perf_counter() - begun)
"""


def texts(count: int) -> list[dict[str, Any]]:
    """Short narration: one sentence of about 60 characters each."""
    return [
        {
            "output_name": f"t/{n:05d}",
            "text": f"This is sentence {n}, one of many that a lesson holds.",
            "speaker": ("Ryan", "Vivian")[n % 2],
        }
        for n in range(count)
    ]


def bare(jobs: Path, environ: dict[str, str]) -> tuple[float, float]:
    """Seconds of the whole process, and of speaking alone."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _BARE, jobs], env=environ, capture_output=True, check=True)
    return time.perf_counter() - begun, float(done.stdout)


def ours(manifest: Path, environ: dict[str, str], *words: str) -> float:
    """Seconds of the whole command with --force and `words`."""
    code = (
        "import sys; from lib.cli.program import CommandEntry, Program;"
        "Program('job-runner', '', '0', [CommandEntry('execute-manifest',"
        " 'job_runner.commands.execute_manifest', '')]).main()"
    )
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code, "execute-manifest", manifest, "--force", *words],
        env=environ, capture_output=True, check=True,
    )  # fmt: skip
    return time.perf_counter() - begun


def measure_execute(count: int, rounds: int) -> dict[str, Any]:
    """All three by turns."""
    from lib.jobspec import load_job_file
    from lib.manifest import compile_manifest

    with tempfile.TemporaryDirectory() as scratch:
        jobs = Path(scratch) / "jobs.yaml"
        jobs.write_text(json.dumps(texts(count)))
        manifest = compile_manifest(load_job_file(jobs).specs, Path(scratch) / "out").path
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "JOBS_DATA_DIR": scratch}
        each = [
            (bare(jobs, environ), ours(manifest, environ), ours(manifest, environ, "--jobs", "1"))
            for _ in range(rounds)
        ]
    return {
        "jobs": count,
        "cores": os.cpu_count(),
        "bare_s": round(statistics.median(bare[0] for bare, _, _ in each), 3),
        "bare_speaking_s": round(statistics.median(bare[1] for bare, _, _ in each), 3),
        "execute_s": round(statistics.median(usual for _, usual, _ in each), 3),
        "one_worker_s": round(statistics.median(one for _, _, one in each), 3),
        "ratio": round(statistics.median(usual / bare[0] for bare, usual, _ in each), 3),
        "one_worker_ratio": round(statistics.median(one / bare[0] for bare, _, one in each), 3),
        "goal": 1.15,
    }


def measure_compile(count: int) -> dict[str, Any]:
    """Fresh and unchanged."""
    from lib.jobspec import load_job_file
    from lib.manifest import compile_manifest, load_manifest

    with tempfile.TemporaryDirectory() as scratch:
        jobs = Path(scratch) / "jobs.yaml"
        jobs.write_text(json.dumps([{**job, "text": job["text"] * 8} for job in texts(count)]))
        specs = load_job_file(jobs).specs
        marks = [time.perf_counter()]
        for _ in range(2):
            compiled = compile_manifest(specs, Path(scratch) / "out")
            marks.append(time.perf_counter())
        load_manifest(compiled.path)
        marks.append(time.perf_counter())
    fresh, again, load = (round(b - a, 3) for a, b in pairwise(marks))
    return {"jobs": count, "fresh_s": fresh, "unchanged_s": again, "load_s": load, "goal_s": 1.5}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile-jobs", type=int, default=10_000)
    options = parser.parse_args()
    found = {
        "compile": measure_compile(options.compile_jobs),
        "execute": measure_execute(options.jobs, options.rounds),
    }
    if options.json:
        print(json.dumps(found))
        return
    for name, numbers in found.items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in numbers.items()))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
