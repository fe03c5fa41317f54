"""Takes made readable by their names, with and without their waveforms."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from lib.storage import FileStorage, Peaks, StoredArtifact, Take, files_of, publish_takes, takes_of


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "store")


@pytest.fixture
def take(storage: FileStorage, tmp_path: Path) -> Take:
    def stored(data: bytes) -> StoredArtifact:
        source = tmp_path / "source"
        source.write_bytes(data)
        return storage.put(source, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))

    return Take(1, "t/b.wav", stored(b"audio"), Peaks("t/b.peaks.json", stored(b"peaks")))


def outputs(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "store/outputs/t"
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_audio_and_waveform_are_published(storage: FileStorage, take: Take, tmp_path: Path) -> None:
    assert publish_takes(storage, [take]) == [str(tmp_path / "store/outputs/t/b.wav")]
    assert outputs(tmp_path) == {"b.wav": b"audio", "b.peaks.json": b"peaks"}


@pytest.mark.parametrize("trouble", ["its blob is gone", "a folder stands at its name"])
def test_audio_is_published_whatever_hinders_its_waveform(
    storage: FileStorage, take: Take, tmp_path: Path, trouble: str
) -> None:
    assert take.peaks is not None
    if trouble == "its blob is gone":
        (tmp_path / "store" / take.peaks.artifact.key).unlink()
    else:
        (tmp_path / "store/outputs/t/b.peaks.json/x").mkdir(parents=True)

    publish_takes(storage, [take])
    assert outputs(tmp_path) == {"b.wav": b"audio"}
    (tmp_path / "store/outputs/t/b.wav").unlink()
    files_of(storage, [take], restore=True)
    assert outputs(tmp_path) == {"b.wav": b"audio"}


def test_restoring_replaces_no_waveform_of_another_job(
    storage: FileStorage, take: Take, tmp_path: Path
) -> None:
    publish_takes(storage, [take])
    (tmp_path / "store/outputs/t/b.wav").unlink()
    (tmp_path / "store/outputs/t/b.peaks.json").write_bytes(b"of another job")

    files_of(storage, [take], restore=True)

    assert outputs(tmp_path) == {"b.wav": b"audio", "b.peaks.json": b"of another job"}


def test_damaged_audio_is_gone_and_is_not_published_again(
    storage: FileStorage, take: Take, tmp_path: Path
) -> None:
    publish_takes(storage, [take])
    (tmp_path / "store/outputs/t/b.wav").unlink()
    (tmp_path / "store" / take.artifact.key).write_bytes(b"Audio")

    assert files_of(storage, [take], restore=True) == [""]
    assert outputs(tmp_path) == {"b.peaks.json": b"peaks"}


def test_takes_survive_their_record_with_and_without_a_waveform(take: Take) -> None:
    for each in (take, replace(take, peaks=None)):
        assert takes_of({"takes": [each.to_json()]}) == [each]
