"""What a client asks to hear in between (W11) is spoken by the process that gets the jobs."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from lib.spool import SampleRequests
from synth.engines import Model, Utterance
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.worker_bench import Bench, Death

NAME = "0123456789abcdef"
TEXT = "The tide comes in."


def ask(bench: Bench, name: str = NAME, text: str | bytes = TEXT) -> Path:
    """Ask for a sample; where its answer comes, without a suffix."""
    folder = bench.root / "sample"
    folder.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    (folder / f"{name}.ask").write_bytes(data)
    return folder / name


def left(bench: Bench) -> list[str]:
    return sorted(path.name for path in (bench.root / "sample").iterdir())


def test_one_that_was_asked_for_before_the_start_is_spoken(bench: Bench) -> None:
    place = ask(bench)

    bench.work()

    with wave.open(f"{place}.wav") as audio:
        assert audio.getnframes() > 1000
    assert left(bench) == [f"{NAME}.wav"]
    assert not list((bench.root / "tmp").iterdir())


def test_nobody_waits_for_it_until_a_long_job_is_done(bench: Bench) -> None:
    order: list[str] = []

    def before(utterance: Utterance) -> None:
        order.append(utterance.text)
        if len(order) == 1:
            ask(bench)

    bench.before_each_piece(before)
    bench.submit(text="One. Two. Three. " * 30, chunk=True)

    bench.work()

    assert 0 < order.index(TEXT) < len(order) - 1


def test_one_that_cannot_be_spoken_says_why_and_the_worker_goes_on(bench: Bench) -> None:
    odd, bad = ask(bench, "0" * 16, b"\xff"), ask(bench, "1" * 16, "\U0001f389")
    entry = bench.submit()

    bench.work()

    assert "no text" in odd.with_suffix(".error").read_text()
    assert bad.with_suffix(".error").read_text()
    assert bench.result(entry).state == "done"
    assert not [name for name in left(bench) if name.endswith(".ask")]


def test_other_names_and_a_withdrawn_one_are_passed_over(bench: Bench) -> None:
    for name in ("../x", "0" * 15, "G" * 16):
        ask(bench, name.replace("/", "_"))
    requests = SampleRequests(bench.root)

    assert requests.asked() == []
    assert requests.begin(NAME) is None
    bench.work()
    assert all(name.endswith(".ask") for name in left(bench))


class TestOneThatEndsItsWorker:
    def test_is_answered_as_an_error_by_the_next_which_speaks_the_jobs(self, bench: Bench) -> None:
        def die(utterance: Utterance) -> None:
            raise Death

        place, other = ask(bench), ask(bench, "f" * 16)
        entry = bench.submit()
        bench.before_each_piece(die)
        with pytest.raises(Death):
            bench.work()
        assert sorted(left(bench)) == [f"{NAME}.busy", "ffffffffffffffff.ask"]

        bench.engine = HummingEngine()
        bench.work()

        assert "ended while it spoke" in place.with_suffix(".error").read_text()
        assert other.with_suffix(".wav").exists()
        assert left(bench) == [f"{NAME}.error", "ffffffffffffffff.wav"]
        assert bench.result(entry).state == "done"

    def test_is_answered_before_the_engine_is_loaded(self, bench: Bench) -> None:
        place = ask(bench)
        place.with_suffix(".ask").rename(place.with_suffix(".busy"))

        def look() -> None:
            assert place.with_suffix(".error").exists()

        class Looking(HummingEngine):
            def load(self) -> Model:
                look()
                return super().load()

        bench.engine = Looking()
        bench.work()

        assert bench.engine.loads == 1


@pytest.mark.parametrize("answer", ["wav", "error"])
def test_whoever_left_before_the_answer_finds_nothing_lying_about(bench: Bench, answer: str) -> None:
    def leaves(_: Utterance) -> None:
        for path in place.parent.iterdir():
            path.unlink()
        if answer == "error":
            raise RuntimeError("the voice breaks")

    place = ask(bench)
    bench.before_each_piece(leaves)

    bench.work()

    assert left(bench) == []
    assert not list((bench.root / "tmp").iterdir())
