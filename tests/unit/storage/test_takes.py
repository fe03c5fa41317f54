"""Takes made readable by their names, with and without their waveforms."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lib.records import FileRef, Take
from lib.storage import FileStorage, NotStored, StoredArtifact, files_of, publish_again, publish_takes
from tests.doubles import records
from tests.unit.storage.stored import CLAIM


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "store")


def put(storage: FileStorage, tmp_path: Path, name: str, data: bytes) -> FileRef:
    """A file that lies in the store and is to be published under that name."""
    source = tmp_path / "source"
    source.write_bytes(data)
    artifact = storage.put(source, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    return records.file_ref(name, data, artifact.key)


@pytest.fixture
def take(storage: FileStorage, tmp_path: Path) -> Take:
    audio = put(storage, tmp_path, "t/b.wav", b"audio")
    return records.take(audio=audio, peaks=put(storage, tmp_path, "t/b.peaks.json", b"peaks"))


def outputs(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "store/outputs/t"
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_audio_and_waveform_are_published(storage: FileStorage, take: Take, tmp_path: Path) -> None:
    done = publish_takes(storage, CLAIM, [take])

    assert done.places["t/b.wav"] == str(tmp_path / "store/outputs/t/b.wav")
    assert outputs(tmp_path) == {"b.wav": b"audio", "b.peaks.json": b"peaks"}


def test_every_take_is_published_with_its_waveform(storage: FileStorage, tmp_path: Path) -> None:
    takes = [
        records.take(
            number,
            audio=put(storage, tmp_path, f"t/b-{number}.wav", b"audio %d" % number),
            peaks=put(storage, tmp_path, f"t/b-{number}.peaks.json", b"peaks %d" % number),
        )
        for number in (1, 2, 3)
    ]

    publish_takes(storage, CLAIM, takes)
    places = files_of(storage, takes)

    assert places == [str(tmp_path / f"store/outputs/t/b-{number}.wav") for number in (1, 2, 3)]
    assert outputs(tmp_path) == {
        f"b-{number}.{kind}": b"%s %d" % (word, number)
        for number in (1, 2, 3)
        for kind, word in (("wav", b"audio"), ("peaks.json", b"peaks"))
    }


@pytest.mark.parametrize("trouble", ["its blob is gone", "a folder stands at its name"])
def test_audio_is_published_whatever_hinders_its_waveform(
    storage: FileStorage, take: Take, tmp_path: Path, trouble: str
) -> None:
    assert take.peaks is not None
    if trouble == "its blob is gone":
        (tmp_path / "store" / str(take.peaks.key)).unlink()
    else:
        (tmp_path / "store/outputs/t/b.peaks.json/x").mkdir(parents=True)

    publish_takes(storage, CLAIM, [take])
    assert outputs(tmp_path) == {"b.wav": b"audio"}
    (tmp_path / "store/outputs/t/b.wav").unlink()
    publish_again(storage, CLAIM, [take])
    assert outputs(tmp_path) == {"b.wav": b"audio"}


def test_restoring_replaces_no_waveform_of_another_job(
    storage: FileStorage, take: Take, tmp_path: Path
) -> None:
    publish_takes(storage, CLAIM, [take])
    (tmp_path / "store/outputs/t/b.wav").unlink()
    (tmp_path / "store/outputs/t/b.peaks.json").write_bytes(b"of another job")

    publish_again(storage, CLAIM, [take])

    assert outputs(tmp_path) == {"b.wav": b"audio", "b.peaks.json": b"of another job"}


def test_damaged_audio_is_gone_and_is_not_published_again(
    storage: FileStorage, take: Take, tmp_path: Path
) -> None:
    publish_takes(storage, CLAIM, [take])
    (tmp_path / "store/outputs/t/b.wav").unlink()
    (tmp_path / "store" / str(take.audio.key)).write_bytes(b"Audio")

    assert publish_again(storage, CLAIM, [take]).files == ("",)
    assert outputs(tmp_path) == {"b.peaks.json": b"peaks"}


def test_a_file_of_a_record_that_was_never_stored_is_no_artifact(storage: FileStorage) -> None:
    """A record from a manifest's folder, say: a sentence, and nothing is published of it."""
    with pytest.raises(NotStored, match=r"The record of audio-1\.wav names no place in a store"):
        StoredArtifact.of(records.take().audio)
    with pytest.raises(NotStored):
        publish_takes(storage, CLAIM, [records.take()])


def test_what_was_stored_is_found_again_by_its_record(storage: FileStorage, take: Take) -> None:
    again = Take.from_json(take.to_json())

    assert storage.verify(StoredArtifact.of(again.audio))
    assert again.peaks is not None
    assert storage.verify(StoredArtifact.of(again.peaks))
