"""Captions of a done job: made of the cues in its record, stored and published with its takes (V10)."""

from __future__ import annotations

from lib.captions import Cue, read_json
from lib.jobqueue import JobState
from lib.records import Take
from lib.spool import MAX_KEPT_CAPTIONS_BYTES
from tests.unit.dispatch.bench import a_take
from tests.unit.dispatch.test_delivery import AUDIO, Desk
from tests.unit.dispatch.test_delivery import desk as desk


def test_captions_are_made_of_the_cues_and_stored_and_published_with_the_take(desk: Desk) -> None:
    cues = (Cue(0.1, 1.2, "Tom & Ann.", "piece"),)
    desk.put(cues=cues)

    assert desk.settle() is JobState.DONE

    assert desk.done is not None
    (take,) = desk.done.takes
    assert isinstance(take, Take)
    store, name = desk.root / "store", "topic/beat-001"
    assert take.captions == cues
    assert [file.file for file in take.caption_files] == [
        f"{name}.{suffix}" for suffix in ("srt", "vtt", "captions.json")
    ]
    for file in take.caption_files:
        assert file.key is not None
        assert (store / file.key).read_bytes() == (store / "outputs" / file.file).read_bytes()
    assert "Tom &amp; Ann." in (store / f"outputs/{name}.vtt").read_text()
    assert read_json((store / f"outputs/{name}.captions.json").read_bytes()) == (1.5, cues)


def test_cues_that_are_too_many_for_the_queue_are_in_the_files_alone(desk: Desk) -> None:
    many = tuple(Cue(at / 1000, (at + 1) / 1000, "x" * 100, "piece") for at in range(1000))
    assert a_take(1, AUDIO).caption_bytes < MAX_KEPT_CAPTIONS_BYTES
    desk.put(cues=many)

    assert desk.settle() is JobState.DONE

    assert desk.done is not None
    (take,) = desk.done.takes
    assert isinstance(take, Take)
    assert take.captions == ()
    published = desk.root / "store/outputs/topic/beat-001.captions.json"
    assert read_json(published.read_bytes()) == (1.5, many)
    assert len(take.caption_files) == 3
