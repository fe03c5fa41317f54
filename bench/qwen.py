"""How much time the worker's loop adds to qwen3's own `generate`, on the same batches.

Worker: jobs of one text each in a spool, from the first that is taken to the last result in the outbox; the
calls that it makes are noted, with their texts, seeds and budgets. Bare: the same calls of the checkpoint
again, samples thrown away. Both in one process, in turn; medians are compared, of the clock and of processor
time (which counts the thread that encodes, and does not count other programs). `seeded_to_plain_frame` is
what seeds of one's own cost: processor time of a frame, against the package's call without them.

The checkpoint is a tiny one of random weights, made here, or the one in QWEN_MODEL with --real.

    RUN_REQUIREMENTS=qwen ./run python -m bench.qwen [--rounds 3] [--jobs 64] [--real] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lib.clock import SystemClock
from lib.spool import LocalFiles, SpoolClient, SpoolJob, WorkerSpool
from lib.voices import VoiceRegistry
from synth.benchmark import TEXTS
from synth.engines import Utterance, create_engine
from synth.engines.qwen3.budget import SAMPLES_PER_FRAME
from synth.engines.qwen3.engine import Qwen3Engine
from synth.engines.qwen3.loading import LoadedCheckpoint
from synth.worker.jobs import EngineShelf, JobSpeaker
from synth.worker.resident import Worker, WorkerOptions
from synth.worker.stop import StopSignal

_PROFILE = "fast"
Call = tuple[Sequence[Utterance], int, dict[str, float]]
Times = tuple[float, float]  # of the clock, of the processor


def timed(work: Callable[[], object]) -> Times:
    """Seconds that `work` takes."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


class Bench:
    """One engine with its model loaded, and what its worker asked of it last."""

    def __init__(self, engine: Qwen3Engine) -> None:
        self.engine = engine
        self.calls: list[Call] = []
        assert engine._loaded is not None
        self.loaded: LoadedCheckpoint = engine._loaded
        self._whole = self.loaded.generate

    def through_worker(self, spool: Path, jobs: int, round_no: int) -> Times:
        """A worker from its start to the last result; fails where a job did."""
        client = SpoolClient(LocalFiles(spool))
        entries = [client.submit(self._job(number, round_no)) for number in range(jobs)]
        self.calls.clear()
        with patch.object(self.loaded, "generate", self._noted):
            took = timed(lambda: self._work(spool))
        for entry in entries:
            result = client.result(entry)
            assert result is not None
            assert result.record is not None, result.error
            client.acknowledge(entry)
        return took

    def bare(self) -> Times:
        """The same calls again."""
        return timed(lambda: [self._whole(*call) for call in self.calls])

    def a_frame(self, *, seeded: bool) -> float:
        """Processor seconds of a frame of the longest text of each call."""
        frames, seconds = 0, 0.0
        for batch, most, sampling in self.calls:
            texts, common = [each.text for each in batch], {"max_new_tokens": most, **sampling}
            words: dict[str, Any] = {
                "speaker": [each.preset for each in batch],
                "language": [each.language for each in batch],
            }
            began = time.process_time()
            if seeded:
                made = self._whole(batch, most, sampling)
            else:
                made, _ = self.loaded._model.generate_custom_voice(texts, **words, **common)
            seconds += time.process_time() - began
            frames += max(len(samples) for samples in made) // SAMPLES_PER_FRAME
        return seconds / frames

    def _noted(self, batch: Sequence[Utterance], most: int, sampling: dict[str, float]) -> Any:
        self.calls.append((batch, most, sampling))
        return self._whole(batch, most, sampling)

    def _work(self, spool: Path) -> None:
        clock = SystemClock()
        shelf = EngineShelf(lambda name: self.engine)
        speaker = JobSpeaker(shelf, VoiceRegistry, "qwen3", clock)
        with WorkerSpool(spool) as entered:
            options = WorkerOptions("qwen3", once=True)
            Worker(entered, speaker, shelf, StopSignal(clock), clock, options, lambda line: None).run()

    @staticmethod
    def _job(number: int, round_no: int) -> SpoolJob:
        name = f"bench-{number}"
        spec: dict[str, Any] = {"request_id": name, "output_name": f"bench/{number}", "seed": number}
        spec |= {"text": TEXTS[number % len(TEXTS)], "speaker": "Ryan", "profile": _PROFILE}
        return SpoolJob(name, round_no, "benching", 1, "v1:bench", spec)


def measure(rounds: int, jobs: int, models: str) -> dict[str, Any]:
    """All numbers."""
    device = os.environ.get("QWEN_DEVICE", "cpu")
    engine = create_engine("qwen3", {"QWEN_MODEL": models, "QWEN_DEVICE": device})
    assert isinstance(engine, Qwen3Engine)
    engine.load_model(engine._model_of(Utterance("", "English", "ryan", 0, profile=_PROFILE)))
    bench = Bench(engine)
    worker, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        bench.through_worker(Path(folder) / "warm", min(jobs, 16), 1)
        for round_no in range(rounds):
            worker.append(bench.through_worker(Path(folder) / f"spool-{round_no}", jobs, 1))
            bare.append(bench.bare())
        seeded, plain = bench.a_frame(seeded=True), bench.a_frame(seeded=False)
    clock, processor = (
        [statistics.median(each[which] for each in times) for times in (worker, bare)] for which in (0, 1)
    )
    return {
        "device": engine.gpu() or "CPU",
        "jobs": jobs,
        "calls": len(bench.calls),
        "worker_s": round(clock[0], 3),
        "bare_s": round(clock[1], 3),
        "ratio": round(clock[0] / clock[1], 3),
        "worker_cpu_s": round(processor[0], 3),
        "bare_cpu_s": round(processor[1], 3),
        "ratio_cpu": round(processor[0] / processor[1], 3),
        "seeded_to_plain_frame": round(seeded / plain, 3),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Time of the worker's loop against qwen3's own generate.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=64)
    parser.add_argument("--real", action="store_true", help="the checkpoint in QWEN_MODEL")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if find_spec("qwen_tts") is None:
        sys.stderr.write("Not measured: the packages of qwen3 are not installed here.\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        models = os.environ["QWEN_MODEL"] if options.real else _tiny(Path(folder))
        found = measure(options.rounds, options.jobs, models)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:24} {value}")


def _tiny(folder: Path) -> str:
    from synth.engines.qwen3.package import import_package
    from tests.contract.engines.tiny_qwen import make_checkpoint

    import_package("qwen3")
    make_checkpoint(folder, "0.6B", "CustomVoice", seed=0)
    return str(folder)


if __name__ == "__main__":
    main()
