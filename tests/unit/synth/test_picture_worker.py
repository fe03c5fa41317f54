"""The resident worker draws what is asked for as a picture, between what it speaks (I7)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput
from lib.png import check_png
from lib.records import DrawnRecord, SpokenRecord
from lib.spool import MAX_STARTS, ResultErrorClass, SpoolClient, SpoolJob, WorkerSpool
from lib.voices import VoiceRegistry
from synth.pictures.backend import BackendUnavailable, PaidInVain, Picture, PictureBackend, PictureOrder
from synth.pictures.mock import MockBackend
from synth.worker.jobs import EngineShelf, JobSpeaker
from synth.worker.pictures import PictureDrawer
from synth.worker.resident import Worker, WorkerOptions
from tests.unit.synth.worker_bench import Bench, Death


@dataclass
class Easel(MockBackend):
    """The mock, which also does what a test wants before it draws."""

    wants: Any = None
    drawn: list[PictureOrder] = field(default_factory=list)
    closed: int = 0

    def __init__(self, name: str = "mock") -> None:
        super().__init__(name)
        self.wants, self.drawn, self.closed = None, [], 0

    def draw(self, order: PictureOrder) -> Picture:
        self.drawn.append(order)
        if self.wants is not None:
            changed = self.wants(order)
            if changed is not None:
                assert isinstance(changed, Picture)
                return changed
        return super().draw(order)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def easel() -> Easel:
    return Easel()


def work(bench: Bench, easel: Easel) -> None:
    def opened(name: str) -> PictureBackend:
        if name != "mock":
            raise BadInput(f"There is no picture backend {name!r}; there are: card, mock.")
        return easel

    shelf = EngineShelf(lambda name: bench.engine)
    speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", bench.clock)
    drawer = PictureDrawer(opened, bench.clock)
    options = WorkerOptions("hibari", once=True, beat_every_s=600.0)
    with WorkerSpool(bench.root) as spool:
        Worker(
            spool, speaker, shelf, bench.stop, bench.clock, options, bench.said.append, drawer=drawer
        ).run()


def picture(client: SpoolClient, name: str = "p", **fields: Any) -> str:
    spec = {"request_id": name, "output_name": name, "kind": "image", "prompt": "A pier.", "backend": "mock"}
    return client.submit(SpoolJob(name, 1, "marknone", 1, "v1:any", {**spec, **fields}))


def test_a_picture_is_drawn_between_two_texts(bench: Bench, easel: Easel, tmp_path: Path) -> None:
    """V11, I7: one queue, one worker."""
    before, drawn, after = (
        bench.submit("a"),
        picture(bench.client, width=320, height=192, seed=7),
        bench.submit("b"),
    )

    work(bench, easel)

    assert all(isinstance(bench.result(entry).record, SpokenRecord) for entry in (before, after))
    record = bench.result(drawn).record
    assert isinstance(record, DrawnRecord)
    file = record.picture.picture
    bench.client.fetch(drawn, file, tmp_path / "got.png")
    data = (tmp_path / "got.png").read_bytes()
    assert (check_png(data), hashlib.sha256(data).hexdigest(), len(data)) == (
        (320, 192),
        file.sha256,
        file.bytes,
    )
    assert (record.picture.width, record.picture.height, record.picture.seed) == (320, 192, 7)
    assert (record.backend, record.model, record.cost_usd, record.characters) == ("mock", "mock", 0.0, 7)
    assert easel.drawn == [PictureOrder("A pier.", 320, 192, 7)]
    assert easel.closed == 1, "what a backend holds is given back at the end"


@pytest.mark.parametrize(
    ("fields", "error_class", "words"),
    [
        ({"backend": "oil"}, ResultErrorClass.BAD_INPUT, "there are: card, mock"),
        ({"width": 100}, ResultErrorClass.BAD_INPUT, "multiple of 8"),
        ({"prompt": ""}, ResultErrorClass.BAD_INPUT, "nothing to draw"),
        ({"prompt": "x" * 100_000}, ResultErrorClass.BAD_INPUT, "at most 4000"),
    ],
)
def test_what_is_wrong_with_a_picture_is_its_own_result(
    bench: Bench, easel: Easel, fields: dict[str, Any], error_class: ResultErrorClass, words: str
) -> None:
    wrong, right = picture(bench.client, "wrong", **fields), picture(bench.client, "right")

    work(bench, easel)

    told = bench.error(wrong)
    assert told[0] is error_class
    assert words in told[1]
    assert bench.result(right).state == "done"


def test_a_backend_that_refuses_or_returns_no_picture_fails_the_job_and_not_the_worker(
    bench: Bench, easel: Easel
) -> None:
    def wants(order: PictureOrder) -> Picture | None:
        if order.seed == 1:
            raise BackendUnavailable("The server does not answer.")
        if order.seed == 2:
            return Picture(b"<html>", order.width, order.height, order.seed, "mock")
        if order.seed == 3:
            return MockBackend("mock").draw(PictureOrder("small", 64, 64))
        return None

    easel.wants = wants
    entries = [picture(bench.client, f"p{seed}", seed=seed) for seed in range(4)]

    work(bench, easel)

    assert [bench.result(entry).state for entry in entries] == ["done", "failed", "failed", "failed"]
    told = [bench.error(entry) for entry in entries[1:]]
    assert {kind for kind, _ in told} == {ResultErrorClass.ENGINE}
    assert [word in text for (_, text), word in zip(told, ("answer", "no PNG", "64 x 64"), strict=True)] == [
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "trouble", [PaidInVain("Was it taken?"), BackendUnavailable("It drew, and sent nothing.", 0.025)]
)
def test_what_was_paid_for_in_vain_is_not_ordered_again(
    bench: Bench, easel: Easel, trouble: BackendUnavailable
) -> None:
    """I7: the queue gives a job of this class to nobody again."""

    def wants(order: PictureOrder) -> None:
        raise trouble

    easel.wants = wants
    entry = picture(bench.client)

    work(bench, easel)

    assert bench.error(entry) == (ResultErrorClass.BAD_INPUT, trouble.message)


def test_a_picture_that_is_canceled_while_it_is_drawn_is_not_delivered(bench: Bench, easel: Easel) -> None:
    entry = picture(bench.client)
    easel.wants = lambda order: bench.client.cancel(entry)

    work(bench, easel)

    assert bench.error(entry)[0] is ResultErrorClass.CANCELED


def test_a_picture_that_keeps_ending_workers_is_poison_and_the_others_are_drawn(
    bench: Bench, easel: Easel
) -> None:
    """Q35."""
    deadly, other = picture(bench.client, "deadly", seed=13), picture(bench.client, "other")

    def wants(order: PictureOrder) -> None:
        if order.seed == 13:
            raise Death

    easel.wants = wants
    for _ in range(9):
        try:
            work(bench, easel)
            break
        except Death:
            continue

    assert bench.error(deadly)[0] is ResultErrorClass.POISON
    assert bench.result(other).state == "done"
    assert sum(order.seed == 13 for order in easel.drawn) == MAX_STARTS
