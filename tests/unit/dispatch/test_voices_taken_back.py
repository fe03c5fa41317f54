"""Voices that were brought go from a machine that has nothing to do, and nothing else there does (V5)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from lib.dispatch import Dispatcher
from lib.spool import SpoolClient
from lib.voices import SHIPPED, VoiceRegistry
from lib.voices.voice_store import NewVoice, add_voice
from tests.unit.dispatch.bench import Bench, spec
from tests.unit.dispatch.test_voices_brought import far_dispatcher
from tests.unit.voices.test_voice_store import clone, files, wav


def idle_machine(bench: Bench, registry: Path | None, job: str = "jo") -> Dispatcher:
    """A far machine that has spoken its only job, and has had nothing to do since."""
    made = far_dispatcher(bench, registry)
    bench.host.script = bench.host.speak_all
    bench.enqueue(spec("a", voice=job, speaker=None))
    made.claim()
    for _ in range(3):
        made.step()
    assert made.held == 0
    return made


def test_a_voice_goes_once_its_machine_has_nothing_to_do_and_comes_again_with_a_job(
    bench: Bench, registry: Path
) -> None:
    made = idle_machine(bench, registry)
    assert files(bench.host.root / "voices")
    bench.clock.advance(61.0)
    made.step()
    assert files(bench.host.root / "voices") == []

    bench.enqueue(spec("b", voice="jo", speaker=None))
    made.claim()
    assert VoiceRegistry([bench.host.root / "voices"]).get("jo").reference is not None


def test_a_watcher_that_ends_leaves_no_voice_where_nothing_is_at_hand(bench: Bench, registry: Path) -> None:
    idle_machine(bench, registry).take_voices_back()
    assert files(bench.host.root / "voices") == []


def test_a_voice_whose_job_lies_on_the_machine_stays(bench: Bench, registry: Path) -> None:
    made = far_dispatcher(bench, registry)
    bench.enqueue(spec("a", voice="jo", speaker=None))
    made.claim()
    made.step()
    made.take_voices_back()
    made.hand_back("drain", keep_work=True)
    bench.clock.advance(61.0)
    made.step()
    assert VoiceRegistry([bench.host.root / "voices"]).get("jo").reference is not None


class JustBefore:
    """A host's lock; something happens once before it is had."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._acts = [act]

    def __enter__(self) -> None:
        while self._acts:
            self._acts.pop()()

    def __exit__(self, *raised: object) -> None:
        """Nobody waits for it."""


def test_a_job_that_is_taken_up_just_then_keeps_its_voice(bench: Bench, registry: Path) -> None:
    """The claimer has a thread of its own."""
    made = idle_machine(bench, registry)
    bench.host.script = lambda: None
    bench.enqueue(spec("b", voice="jo", speaker=None))
    state = made._roster.get(bench.host.name)
    assert state is not None
    state.voices_lock = cast(threading.Lock, JustBefore(made.claim))
    bench.clock.advance(61.0)
    made.step()

    assert made.held == 1
    assert VoiceRegistry([bench.host.root / "voices"]).get("jo").reference is not None


def test_what_a_killed_watcher_brought_is_found_by_the_next(bench: Bench, registry: Path) -> None:
    idle_machine(bench, registry).close()
    (half := bench.host.root / "voices" / "half").mkdir()
    (half / f"recording-{'0' * 16}.wav").write_bytes(wav())  # killed between the two files
    made = far_dispatcher(bench, registry)
    made.step()
    bench.clock.advance(61.0)
    made.step()
    assert files(bench.host.root / "voices") == []


def many_voices(bench: Bench, count: int) -> list[str]:
    """Lay that many sent voices on the machine; their names."""
    there = bench.host.root / "voices"
    (sent,) = there.glob("*/voice.yaml")
    names = [f"more-{number}" for number in range(count)]
    for name in names:
        (there / name).mkdir()
        (there / name / "voice.yaml").write_bytes(sent.read_bytes())
    return names


def test_a_machine_that_lists_many_voices_holds_the_loop_for_few_of_them_at_a_look(
    bench: Bench, registry: Path
) -> None:
    """It says itself how many lie there; the loop lives, and each look goes on where the last one ended."""
    made = idle_machine(bench, registry)
    there = bench.host.root / "voices"
    many_voices(bench, 49)
    bench.clock.advance(61.0)

    before, left = len(bench.alive), []
    for _ in range(3):
        made.step()
        left.append(len(list(there.iterdir())))

    assert left == [30, 10, 0]
    assert len(bench.alive) - before >= 50


def test_a_slow_machine_holds_the_loop_for_seconds_alone(
    bench: Bench, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = idle_machine(bench, registry), list[str]()

    def slow(client: SpoolClient, name: str) -> list[str]:
        asked.append(name)
        bench.clock.advance(1.5)
        return []

    many_voices(bench, 29)
    monkeypatch.setattr(SpoolClient, "voice_files", slow)
    bench.clock.advance(61.0)
    made.step()
    assert len(asked) == 2
    made.step()
    assert len(set(asked)) == 4

    asked.clear()
    made.take_voices_back()
    assert len(asked) == 14  # and then it ends after some twenty seconds, whatever is left


def test_a_job_that_comes_between_two_looks_has_its_voice_and_all_is_looked_at_after_it(
    bench: Bench, registry: Path
) -> None:
    made = idle_machine(bench, registry)
    there = bench.host.root / "voices"
    many_voices(bench, 30)
    bench.clock.advance(61.0)
    made.step()
    assert there.is_dir()

    bench.enqueue(spec("b", voice="jo", speaker=None))
    made.claim()
    assert VoiceRegistry([there]).get("jo").reference is not None
    for _ in range(3):
        made.step()
    bench.clock.advance(61.0)
    for _ in range(3):
        made.step()
    assert files(there) == []


def test_nothing_goes_that_was_not_sent(bench: Bench, registry: Path) -> None:
    """A voice that its owner put there, and files beside one that was sent."""
    made = idle_machine(bench, registry)
    there = bench.host.root / "voices"
    add_voice(there, clone(name="theirs"))
    (there / "jo" / "notes.txt").write_text("theirs")
    (there / "empty").mkdir()
    theirs = files(there / "theirs")
    bench.clock.advance(61.0)
    made.step()

    assert files(there / "theirs") == theirs
    assert files(there / "jo") == ["notes.txt"]
    assert (there / "empty").is_dir()


@pytest.mark.parametrize("kind", ["builtin", "designed"])
def test_a_removed_voice_hides_no_shipped_one_on_a_machine_that_had_it(
    bench: Bench, registry: Path, kind: str
) -> None:
    made_of = {
        "builtin": NewVoice("newsroom", "hibari", "English", "own", "nobody", builtin="deep"),
        "designed": NewVoice("newsroom", "qwen3", "English", "own", "", design="A low voice."),
    }
    add_voice(registry, made_of[kind])
    made = idle_machine(bench, registry, "newsroom")
    there = VoiceRegistry([bench.host.root / "voices"])
    assert not there.get("newsroom").path.is_relative_to(SHIPPED)
    shutil.rmtree(registry / "newsroom")

    bench.enqueue(spec("b", voice="newsroom", speaker=None))
    made.claim()

    again = VoiceRegistry([bench.host.root / "voices"])
    assert again.get("newsroom").path.is_relative_to(SHIPPED)
