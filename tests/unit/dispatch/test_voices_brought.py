"""A voice goes to a machine before its first job, its recording once, and only as it was agreed to (V5)."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.dispatch import Dispatcher
from lib.jobqueue import JobState
from lib.spool import SpoolClient
from lib.voices import Voice, VoiceRegistry, named_by
from lib.voices.voice_parcel import VoiceParcel, parcel_of
from lib.voices.voice_store import NewVoice, add_voice
from tests.unit.dispatch.bench import Bench, spec
from tests.unit.voices.test_voice_store import clone, files, wav


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
