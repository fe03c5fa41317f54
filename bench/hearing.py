"""What a recogniser's hearing costs: core-seconds a short take, and wall time beside an engine.

    python -m bench.hearing [--json] [--takes 200] [--engine-factor 0.3]

Needs the extra `verify`. Takes are lines of one word to two sentences, spoken by the built-in engine. For the
wall time the same jobs go through a resident worker twice, with an engine that is busy for `--engine-factor`
seconds of each second of audio, without and with the recogniser. Core-seconds are those of the recogniser's
process and of the thread that listens, and are larger on a machine that is busy with other things.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lib.clock import SystemClock
from lib.spool import LocalFiles, SpoolClient, SpoolJob, WorkerSpool
from lib.voices import VoiceRegistry
from synth.audio.trim import trim
from synth.engines import Engine, EngineLimits, Model, Speech, Utterance, create_engine
from synth.verify import Sent, Verdict
from synth.verify.hosted_recognizer import HostedRecognizer, model_of_package
from synth.verify.listener import ListeningVerifier
from synth.worker.jobs import EngineShelf, JobSpeaker
from synth.worker.resident import Worker, WorkerOptions
from synth.worker.stop import StopSignal

_RATE: Final = 24_000
_LINES: Final = (
    "Yes.",
    "Nobody saw it go.",
    "The ferry left the harbour before dawn, and nobody saw it go.",
    "Silence!",
    "She paid forty two dollars and fifty cents for a broken clock.",
    "Chapter four.",
    "Rain fell on the tin roof all night long. In the morning the river had risen.",
    "Why not ask him again tomorrow?",
)


class BusyEngine:
    """The built-in engine, which then keeps a core busy for so many seconds of each second it made."""

    name = "hibari"

    def __init__(self, engine: Engine, factor: float) -> None:
        self._engine, self._factor = engine, factor

    def load(self) -> Model:
        """As the built-in engine."""
        return self._engine.load()

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
        """As the built-in engine, but slower."""
        spoken = []
        for utterance in utterances:
            until = time.monotonic()
            (made,) = self._engine.speak([utterance])
            assert isinstance(made, Speech)
            until += self._factor * len(made.samples) / made.sample_rate
            while time.monotonic() < until:
                sum(range(1000))
            spoken.append(made)
        return spoken

    def speakers(self) -> Mapping[str, str]:
        """As the built-in engine."""
        return self._engine.speakers()

    def languages(self) -> frozenset[str]:
        """As the built-in engine."""
        return self._engine.languages()

    def limits(self) -> EngineLimits:
        """As the built-in engine."""
        return self._engine.limits()


def core_seconds(recognizer: HostedRecognizer) -> float:
    """Of the recogniser's process and of this one, so far."""
    fields = Path(f"/proc/{recognizer.pid}/stat").read_text().rsplit(")", 1)[1].split()
    own = resource.getrusage(resource.RUSAGE_SELF)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + own.ru_utime + own.ru_stime


def cost(takes: int, *, timed: bool) -> dict[str, Any]:
    """Core-seconds a take, all of them waiting at once, as behind a quick engine."""
    folder = model_of_package()
    if folder is None:
        raise SystemExit("no recogniser: install the extra verify")
    engine, recognizer = create_engine("hibari"), HostedRecognizer(folder)
    engine.load()
    texts = [_LINES[number % len(_LINES)] for number in range(takes)]
    spoken = [trim(made.samples, _RATE).samples for text in texts if (made := _said(engine, text))]
    ears = ListeningVerifier(recognizer)
    ears.verify(Sent("Ready.", "English"), spoken[0], _RATE)  # loads the model and the dictionary
    began, started = core_seconds(recognizer), time.monotonic()
    futures = [
        ears.begin(Sent(text, "English", timed=timed), samples, _RATE)
        for text, samples in zip(texts, spoken, strict=True)
    ]
    answers = [future.result() for future in futures]
    spent, wall = core_seconds(recognizer) - began, time.monotonic() - started
    ears.close()
    return {
        "takes": takes,
        "timed": timed,
        "audio_seconds_a_take": round(sum(map(len, spoken)) / _RATE / takes, 2),
        "core_seconds_a_take": round(spent / takes, 4),
        "wall_seconds_a_take": round(wall / takes, 4),
        "failed": sum(isinstance(answer, Verdict) and not answer.ok for answer in answers),
    }


def _said(engine: Engine, text: str) -> Speech:
    (made,) = engine.speak([Utterance(text, "English", "heart", seed=1)])
    assert isinstance(made, Speech)
    return made


def beside(takes: int, factor: float) -> dict[str, Any]:
    """Wall time of the same jobs through a worker, without and with the recogniser."""
    alone, heard = (_worked(takes, factor, hears=hears) for hears in (False, True))
    return {
        "takes": takes,
        "engine_factor": factor,
        "wall_seconds_alone": round(alone, 2),
        "wall_seconds_heard": round(heard, 2),
        "ratio": round(heard / alone, 3),
    }


def _worked(takes: int, factor: float, *, hears: bool) -> float:
    engine, clock = BusyEngine(create_engine("hibari"), factor), SystemClock()
    engine.load()
    folder = model_of_package()
    assert folder is not None
    ears = ListeningVerifier(HostedRecognizer(folder)) if hears else None
    if ears is not None:
        ears.verify(Sent("Ready.", "English"), _said(engine, "Ready.").samples, _RATE)
    with tempfile.TemporaryDirectory() as place:
        files = LocalFiles(Path(place))
        client = SpoolClient(files)
        for number in range(takes):
            name = f"take-{number:03}"
            spec = {"request_id": name, "output_name": name, "speaker": "heart"}
            text = _LINES[number % len(_LINES)]
            client.submit(SpoolJob(name, 1, "marknone", 1, "v1:any", {**spec, "text": text}, False))
        shelf = EngineShelf(lambda name: engine)
        speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", clock, ears)
        options = WorkerOptions("hibari", once=True)
        with WorkerSpool(Path(place)) as spool:
            started = time.monotonic()
            Worker(spool, speaker, shelf, StopSignal(clock), clock, options, lambda line: None).run()
            wall = time.monotonic() - started
        files.close()
    if ears is not None:
        ears.close()
    return wall


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--takes", type=int, default=200)
    parser.add_argument("--engine-factor", type=float, default=0.3)
    args = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    costs = [cost(args.takes, timed=timed) for timed in (False, True)]
    ratio = beside(args.takes // 2, args.engine_factor)
    if args.json:
        print(json.dumps({"cores": os.cpu_count(), "load_before": load, "cost": costs, "beside": ratio}))
        return
    for each in costs:
        audio, spent = each["audio_seconds_a_take"], each["core_seconds_a_take"]
        print(f"{each['takes']} takes of {audio} s: {spent} core-seconds each, {each['failed']} failed")
    print(f"beside an engine of factor {args.engine_factor}: {ratio['ratio']} of its wall time alone")


if __name__ == "__main__":
    main()
