"""How much time the resident worker adds to the bare engine, over the same texts: 40, or 200 short ones.

Bare: the engine's own class, model loaded, one call per text, samples thrown away.
Worker: a `voice-synth work` process that is ready; from the first job file to the last result in the outbox,
checked, trimmed, levelled, encoded to WAV, synced and hashed. Rounds are interleaved; medians are compared.
Beside it, what the checks of the signal cost each take, trimming included.

    .venv/bin/python bench/voice.py [--rounds 3] [--short] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lib.records import SpokenRecord
from lib.spool import LocalFiles, SpoolClient, SpoolJob, WorkerState
from synth.engines import Speech, Utterance, create_engine
from synth.speech.heard_pieces import hear_piece
from synth.speech.speaking_pace import SpeakingPace
from synth.verify import UsualRate

_OPENINGS = (
    "The ferry left the harbour before dawn",
    "Nobody had counted the boxes in the cellar",
    "A machine that runs only while there is work",
    "In the year 1897 the bridge was opened",
    "She wrote the number 4,512 on the door",
)
_MIDDLES = (
    "and the wind came up from the south, as the captain had said it would.",
    "because the keeper of the lighthouse had gone home for the winter.",
    "which is cheaper than a machine that waits for work all night.",
    "although it had been planned for a much smaller river than this one.",
)
_ENDINGS = (
    "Later that morning the fog lifted, and everyone could see the far shore again.",
    "What happened next is a matter of record; the rest is only a guess.",
)
TEXTS = [f"{a} {b} {c}" for a in _OPENINGS for b in _MIDDLES for c in _ENDINGS]
_HOURS = (
    "At dawn",
    "At nine",
    "By noon",
    "That night",
    "In winter",
    "On Sunday",
    "Years later",
    "At once",
    "Then",
    "Now",
)
SHORT = [f"{hour}, {a[0].lower()}{a[1:]} {b}" for hour in _HOURS for a in _OPENINGS for b in _MIDDLES]


def bare_engine(model: Any, texts: Sequence[str]) -> tuple[float, float]:
    """Seconds of work and of audio."""
    started = time.perf_counter()
    samples = sum(len(model(text, seed=1)) for text in texts)
    return time.perf_counter() - started, samples / 24_000


@contextmanager
def running_worker(spool: Path) -> Iterator[SpoolClient]:
    """A worker that is ready, with its client."""
    argv = [sys.executable, "-m", "synth.main", "work", "--spool", str(spool), "--exit-with-parent"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    client = SpoolClient(LocalFiles(spool))
    try:
        while (beat := client.heartbeat()) is None or beat.state is not WorkerState.IDLE:
            client.wait(0.05)
        yield client
    finally:
        process.terminate()
        process.wait(20)


def cost_of_checks(texts: Sequence[str]) -> float:
    """Processor seconds that checking each take costs."""
    engine = create_engine("hibari")
    engine.load()
    made = [(text, engine.speak([Utterance(text, "English", "heart", 1)])[0]) for text in texts[:20]]
    pace = SpeakingPace(UsualRate(engine.limits().usual_rate or 16.0, 0.3))
    started = time.process_time()
    for text, speech in made:
        assert isinstance(speech, Speech)
        hear_piece(text, speech, pace)
    return (time.process_time() - started) / len(made)


def through_worker(client: SpoolClient, round_no: int, texts: Sequence[str]) -> tuple[float, float]:
    """Seconds from the first job file to the last result, and seconds of audio."""
    started = time.perf_counter()
    wanted = set()
    for number, text in enumerate(texts):
        spec = {"request_id": f"bench-{number}", "output_name": f"bench/{number}", "text": text}
        spec["speaker"] = "heart"
        wanted.add(client.submit(SpoolJob(spec["request_id"], round_no, "benching", 1, "v1:bench", spec)))
    while len(client.finished()) < len(wanted):
        client.wait(1.0)
    took = time.perf_counter() - started
    audio = 0.0
    for entry in wanted:
        result = client.result(entry)
        assert result is not None
        assert isinstance(result.record, SpokenRecord), result.error
        audio += result.record.audio_seconds
        client.acknowledge(entry)
    return took, audio


def idle_cpu_share(pid: int, seconds: float) -> float:
    """Share of one core that process `pid` uses while nothing is asked of it."""
    before = _cpu_ticks(pid)
    time.sleep(seconds)
    return (_cpu_ticks(pid) - before) / 100 / seconds


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def measure(rounds: int, texts: Sequence[str]) -> dict[str, Any]:
    """All numbers."""
    from hibari import Hibari

    model = Hibari()
    model("Warm up.")
    bare, worker, audio = [], [], 0.0
    with tempfile.TemporaryDirectory() as folder, running_worker(Path(folder)) as client:
        for round_no in range(rounds):
            bare.append(bare_engine(model, texts)[0])
            took, audio = through_worker(client, round_no, texts)
            worker.append(took)
        beat = client.heartbeat()
        assert beat is not None
        idle = idle_cpu_share(beat.pid, 5.0)
    ratio = statistics.median(worker) / statistics.median(bare)
    return {
        "texts": len(texts),
        "audio_s": round(audio, 1),
        "bare_s": round(statistics.median(bare), 3),
        "worker_s": round(statistics.median(worker), 3),
        "ratio": round(ratio, 3),
        "worker_real_time_factor": round(statistics.median(worker) / audio, 5),
        "checks_ms": round(cost_of_checks(texts) * 1000, 2),
        "idle_cpu_percent": round(idle * 100, 2),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Time of the worker against the bare engine.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="200 single sentences")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.rounds, SHORT if options.short else TEXTS)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
