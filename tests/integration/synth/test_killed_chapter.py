"""A chapter whose worker is killed at any moment ends as one whose worker never was (V8)."""

from __future__ import annotations

import os
import random

import pytest

from lib.records import SpokenRecord
from lib.spool import Phase, job_digest
from lib.spool.layout import PIECES
from tests.integration.synth.conftest import ResidentWorker

SENTENCES = (
    "Number {n} of them came down to the river",
    "Nobody at the old mill had counted to {n} before",
    "It was past noon, and {n} more were on their way, slowly and without a word",
)
SHORT = (18, 3)  # sentences, kills
#: Half an hour, ten times; `SEED=…` chooses other moments.
LONG = pytest.param(560, 10, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])
SEED = int(os.environ.get("SEED", "20"))
#: Pieces that no kill waits for: a busy machine may look seconds late, and then the chapter must not be done.
REST = 10


def chapter(sentences: int) -> str:
    return " ".join(f"{SENTENCES[n % 3].format(n=n)}." for n in range(1, sentences + 1))


def pieces(worker: ResidentWorker) -> int:
    return sum(1 for _ in (worker.root / PIECES / job_digest("killed")).glob("*.piece"))


def spoken(worker: ResidentWorker, kills: int, total: int, chance: random.Random) -> list[int]:
    """Speak it, and kill the worker so often; how many pieces lay there each time."""
    entry = worker.submit("killed", chapter(total), output_name="chapter", chunk=True)
    there: list[int] = []
    for kill in range(kills):
        least = (there[-1] if there else 0) + 1
        at = chance.randint(least, max(least, (total - REST) * (kill + 1) // (kills + 1)))
        worker.until(lambda at=at: pieces(worker) >= at)
        worker.process.kill()
        worker.process.wait(10)
        assert worker.client.entries()[entry] is Phase.WORK
        there.append(pieces(worker))
        worker.restart("--once")
    return there


@pytest.mark.parametrize(("sentences", "kills"), [SHORT, LONG])
def test_the_killed_one_has_the_same_pieces(worker: ResidentWorker, sentences: int, kills: int) -> None:
    worker.deadline_s = 60.0 + 2.0 * sentences  # for a machine with much else to do
    whole = worker.submit("whole", chapter(sentences), output_name="chapter", chunk=True)
    first = worker.result(whole).record
    assert isinstance(first, SpokenRecord)
    chance = random.Random(SEED)

    there = spoken(worker, kills, first.pieces, chance)

    (entry,) = set(worker.client.entries()) - {whole}
    second = worker.result(entry).record
    assert isinstance(second, SpokenRecord)
    assert second.chosen.main.sha256 == first.chosen.main.sha256
    assert second.chosen.captions == first.chosen.captions
    assert second.pieces == first.pieces
    assert worker.process.wait(60) == 0
    said = "" if worker.process.stderr is None else worker.process.stderr.read()
    assert f"killed: {there[-1]} of {first.pieces} pieces were already spoken" in said
    assert list((worker.root / PIECES).iterdir()) == []
    print(f"seed {SEED}: {first.chosen.audio_seconds / 60:.1f} minutes, killed with {there} pieces")
