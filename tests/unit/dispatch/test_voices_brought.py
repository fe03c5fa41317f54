"""A voice goes to a machine before its first job, its recording once, and only as it was agreed to (V5)."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lib.dispatch import Dispatcher
from lib.jobqueue import JobState
from lib.spool import SpoolClient
from lib.voices import SHIPPED, Voice, VoiceRegistry, named_by
from lib.voices.voice_parcel import VoiceParcel, parcel_of
from lib.voices.voice_store import NewVoice, add_voice
from tests.unit.dispatch.bench import Bench, spec
from tests.unit.voices.test_voice_store import clone, files, wav


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A folder of voices with a clone, jo, and a preset."""
    add_voice(tmp_path / "voices", clone(consent="Jo Doe, 1 High Street, agreed to narration in 2026"))
    add_voice(tmp_path / "voices", NewVoice("evening", "hibari", "English", "own", "nobody", builtin="deep"))
    return tmp_path / "voices"


def far_dispatcher(bench: Bench, registry: Path | None, **changes: Any) -> Dispatcher:
    """One whose only host is on another machine, with nobody at work there; `changes` of its parts."""
    bench.host.remote = True
    bench.host.script = lambda: None
    parts = replace(bench.parts(), **changes)
    parts.voices = None if registry is None else lambda: VoiceRegistry([registry])
    made = Dispatcher(parts)
    made.add(bench.host, lambda: 9, replaceable=True)
    made.register()
    made.resume()
    return made


def test_the_machine_has_the_voice_before_the_job_and_can_read_it(bench: Bench, registry: Path) -> None:
    bench.enqueue(spec("a", voice="jo", speaker=None), spec("b", voice="evening", speaker=None))

    far_dispatcher(bench, registry).claim()

    there = VoiceRegistry([bench.host.root / "voices"])
    jo = there.get("jo")
    assert jo.reference is not None
    assert jo.reference.audio.read_bytes() == wav()
    assert jo.reference.text == "Hello: this is Jo, #1."
    assert there.get("evening").builtin == "deep"
    assert len(list((bench.host.root / "inbox").iterdir())) == 2


def test_who_agreed_and_where_they_live_stays_here(bench: Bench, registry: Path) -> None:
    bench.enqueue(spec("a", voice="jo", speaker=None))

    far_dispatcher(bench, registry).claim()

    assert b"High Street" not in (bench.host.root / "voices/jo/voice.yaml").read_bytes()


def test_the_second_job_sends_nothing(bench: Bench, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = far_dispatcher(bench, registry)
    bench.enqueue(spec("a", voice="jo", speaker=None))
    made.claim()
    brought = list[str]()
    monkeypatch.setattr(SpoolClient, "bring_voice", lambda _, name, *rest: brought.append(name))
    bench.enqueue(spec("b", voice="jo", speaker=None), spec("c", voice="evening", speaker=None))
    made.claim()

    assert brought == ["evening"]


def test_a_recording_that_a_former_watcher_brought_is_not_sent_again(bench: Bench, registry: Path) -> None:
    bench.enqueue(spec("a", voice="jo", speaker=None), spec("b", voice="jo", speaker=None))
    far_dispatcher(bench, registry).claim()
    (recording,) = (bench.host.root / "voices/jo").glob("recording-*")
    before = recording.stat().st_ino

    bench.enqueue(spec("c", voice="jo", speaker=None))
    far_dispatcher(bench, registry).claim()

    assert recording.stat().st_ino == before


def test_what_a_voice_was_cloned_from_before_is_removed_there(bench: Bench, registry: Path) -> None:
    made = far_dispatcher(bench, registry)
    bench.enqueue(spec("a", voice="jo", speaker=None))
    made.claim()
    added = add_voice(registry, clone(data=wav(5.0)), replace=True)
    bench.enqueue(spec("b", voice="jo", speaker=None))
    made.claim()

    assert added.reference is not None
    assert files(bench.host.root / "voices") == ["jo", f"jo/{added.reference.audio.name}", "jo/voice.yaml"]


def test_a_description_is_all_that_is_sent_and_another_one_goes_with_the_next_job(
    bench: Bench, registry: Path
) -> None:
    made = far_dispatcher(bench, registry)
    for design in ("A low voice of an old woman.", "A bright voice of a boy."):
        new = NewVoice("jo", "qwen3", "English", "own", "1 High Street", "for the tale", design=design)
        add_voice(registry, new, replace=True)
        bench.enqueue(spec(design.split()[1], voice="jo", speaker=None))
        made.claim()

        assert VoiceRegistry([bench.host.root / "voices"]).get("jo").design == design
        assert files(bench.host.root / "voices") == ["jo", "jo/voice.yaml"]
    sent = (bench.host.root / "voices/jo/voice.yaml").read_text()
    assert "High Street" not in sent
    assert "tale" not in sent


def test_a_voice_that_changed_since_it_was_enqueued_fails_its_job_and_is_not_sent(
    bench: Bench, registry: Path
) -> None:
    (recording,) = (registry / "jo").glob("recording-*")
    recording.write_bytes(wav(6.0))
    job = spec("a", voice="jo", speaker=None)
    bench.enqueue(job, spec("b"))
    made = far_dispatcher(bench, registry)

    made.claim()
    made.step()

    assert "has changed" in bench.error(job).message
    assert not (bench.host.root / "voices").exists()
    assert len(list((bench.host.root / "inbox").iterdir())) == 1  # the other job is none the worse


@pytest.mark.parametrize(
    "reader", ["voicefile.read_plain", "voice_fields.open_plain", "voice_parcel.read_plain"]
)
def test_a_file_that_cannot_be_read_now_is_no_fault_of_the_job(
    bench: Bench, registry: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    def no_more_files(*about: object, **more: object) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    job = spec("a", voice="jo", speaker=None)
    bench.enqueue(job)
    made = far_dispatcher(bench, registry)
    with monkeypatch.context() as patch:
        patch.setattr(f"lib.voices.{reader}", no_more_files)
        made.claim()
        made.step()

    record = bench.queue.job(job.request_id)
    assert record is not None
    assert record.state is JobState.DELAYED


def test_a_voice_that_is_replaced_just_now_is_sent_as_it_is_then(
    bench: Bench, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its description was read, and then its recording was another one."""
    packed = list[Voice]()

    def replaced_meanwhile(voice: Voice) -> VoiceParcel:
        if not packed:
            add_voice(registry, clone(data=wav(5.0)), replace=True)
        packed.append(voice)
        return parcel_of(voice)

    monkeypatch.setattr("lib.dispatch.job_handover.parcel_of", replaced_meanwhile)
    bench.enqueue(spec("a", voice="jo", speaker=None))
    far_dispatcher(bench, registry).claim()

    jo = VoiceRegistry([bench.host.root / "voices"]).get("jo")
    assert jo.reference is not None
    assert jo.reference.audio.read_bytes() == wav(5.0)
    assert len(list((bench.host.root / "inbox").iterdir())) == 1


def test_a_setting_that_is_wrong_for_the_engine_of_a_voice_fails_that_job_alone(
    bench: Bench, registry: Path
) -> None:
    design = NewVoice("granny", "qwen3", "English", "own", "", design="A low voice of an old woman.")
    add_voice(registry, design)
    job = spec("a", voice="granny", speaker=None)
    bench.enqueue(job, spec("b"))
    no_commit = SimpleNamespace(qwen_model="Qwen/Qwen3-TTS-12Hz-1.7B-VoiceDesign")
    made = far_dispatcher(bench, registry, engine="hibari", named=named_by(no_commit, here=False))

    made.claim()
    made.step()

    assert "QWEN_MODEL" in bench.error(job).message
    assert len(list((bench.host.root / "inbox").iterdir())) == 1  # the other job is none the worse


def test_voices_that_take_long_are_not_all_brought_at_one_look(
    bench: Bench, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leases wait meanwhile, and where the loop claims so does everything else."""
    names = [f"voice{number}" for number in range(4)]
    for name in names:
        add_voice(registry, NewVoice(name, "hibari", "English", "own", "nobody", builtin="deep"))
    bench.enqueue(*(spec(name, voice=name, speaker=None) for name in names))
    made = far_dispatcher(bench, registry)
    monkeypatch.setattr(SpoolClient, "bring_voice", lambda *_: bench.clock.advance(4.0))

    made.claim()
    inbox = bench.host.root / "inbox"
    assert len(list(inbox.iterdir())) == 2
    made.claim()
    assert len(list(inbox.iterdir())) == 4


def test_a_job_whose_voice_is_on_its_way_is_not_missing(
    bench: Bench, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop looks while the claimer brings it: it would be laid a second time, and perhaps elsewhere."""
    made, brought = far_dispatcher(bench, registry), list[str]()

    def bring(client: SpoolClient, name: str, *rest: object) -> None:
        brought.append(name)
        for _ in range(3):
            bench.clock.advance(10.0)
            made.step()

    monkeypatch.setattr(SpoolClient, "bring_voice", bring)
    bench.enqueue(spec("a", voice="jo", speaker=None))
    made.claim()

    assert brought == ["jo"]
    assert len(list((bench.host.root / "inbox").iterdir())) == 1


def test_what_is_here_or_came_with_the_program_is_not_sent(bench: Bench, registry: Path) -> None:
    made = far_dispatcher(bench, registry)
    bench.enqueue(spec("a", voice="newsroom", speaker=None))
    made.claim()
    bench.host.remote = False
    bench.enqueue(spec("b", voice="jo", speaker=None))
    made.claim()

    assert not (bench.host.root / "voices").exists()
    assert len(list((bench.host.root / "inbox").iterdir())) == 2


def test_a_spool_that_somebody_emptied_gets_the_voice_with_the_job_again(
    bench: Bench, registry: Path
) -> None:
    made = far_dispatcher(bench, registry)
    bench.enqueue(spec("a", voice="jo", speaker=None))
    made.claim()
    made.step()
    shutil.rmtree(bench.host.root / "voices")
    for job in (bench.host.root / "inbox").iterdir():
        job.unlink()

    for _ in range(3):  # seen twice, since it may have been moving
        bench.clock.advance(10.0)
        made.step()

    assert "jo" in VoiceRegistry([bench.host.root / "voices"]).names()
    assert len(list((bench.host.root / "inbox").iterdir())) == 1


# --- and goes again ---------------------------------------------------------------------------------------


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
    made, beats = idle_machine(bench, registry), list[float]()
    made._parts.alive = lambda may_take_s=0.0: beats.append(may_take_s)
    there = bench.host.root / "voices"
    many_voices(bench, 49)
    bench.clock.advance(61.0)

    left = []
    for _ in range(3):
        made.step()
        left.append(len(list(there.iterdir())))

    assert left == [30, 10, 0]
    assert len(beats) >= 50


def test_a_slow_machine_holds_the_loop_for_seconds_alone(
    bench: Bench, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = idle_machine(bench, registry), list[str]()

    def slow(client: SpoolClient, name: str) -> list[str]:
        asked.append(name)
        bench.clock.advance(1.5)
        return []

    many_voices(bench, 9)
    monkeypatch.setattr(SpoolClient, "voice_files", slow)
    bench.clock.advance(61.0)
    made.step()
    assert len(asked) == 2
    made.step()
    assert len(set(asked)) == 4

    asked.clear()
    monkeypatch.setattr("lib.dispatch.brought_voices._ENDING_S", 4.0)
    made.take_voices_back()
    assert len(asked) == 4  # and then it ends, whatever is left


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
