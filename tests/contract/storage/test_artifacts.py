"""Artifacts go in by their content and come out verified (W13, W14)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lib.storage import ArtifactMismatch, NotStored, Storage, StoredArtifact
from tests.contract.storage.conftest import ARTIFACT, AUDIO, DAMAGED, SHA, Store


class TestPut:
    def test_keeps_a_file_under_the_name_of_its_content(
        self, store: Store, storage: Storage, source: Path
    ) -> None:
        stored = storage.put(source, sha256=SHA, bytes=len(AUDIO))

        assert stored == ARTIFACT
        assert store.look(stored.key) == AUDIO
        assert store.held() == [stored.key]

    def test_twice_changes_nothing(self, store: Store, storage: Storage, source: Path) -> None:
        storage.put(source, sha256=SHA, bytes=len(AUDIO))
        storage.put(source, sha256=SHA, bytes=len(AUDIO))

        assert store.held() == [ARTIFACT.key]

    @pytest.mark.parametrize(
        ("sha256", "size"), [("0" * 64, len(AUDIO)), (SHA, 3)], ids=["another sha256", "another length"]
    )
    def test_refuses_what_was_not_promised(
        self, store: Store, storage: Storage, source: Path, sha256: str, size: int
    ) -> None:
        with pytest.raises(ArtifactMismatch, match="was not stored"):
            storage.put(source, sha256=sha256, bytes=size)

        assert store.held() == []

    def test_lets_no_promise_that_is_no_sha256_become_a_key(
        self, store: Store, storage: Storage, source: Path
    ) -> None:
        for sha256 in ("../../../etc/passwd", SHA.upper(), ""):
            with pytest.raises(ArtifactMismatch, match="no sha256"):
                storage.put(source, sha256=sha256, bytes=len(AUDIO))

        assert store.held() == []

    def test_mends_what_was_damaged(
        self, store: Store, storage: Storage, stored: StoredArtifact, source: Path
    ) -> None:
        store.lay(stored.key, DAMAGED)

        storage.put(source, sha256=SHA, bytes=len(AUDIO))

        assert store.look(stored.key) == AUDIO


class TestALook:
    def test_compares_the_size_only(self, store: Store, storage: Storage, stored: StoredArtifact) -> None:
        assert storage.has(stored)
        store.lay(stored.key, DAMAGED)
        assert storage.has(stored)
        store.lay(stored.key, AUDIO[:-1])
        assert not storage.has(stored)
        store.lose(stored.key)
        assert not storage.has(stored)

    def test_at_everything_finds_each_damage(
        self, store: Store, storage: Storage, stored: StoredArtifact
    ) -> None:
        assert storage.verify(stored)
        for damage in (DAMAGED, AUDIO[:-1], AUDIO + b"?", b""):
            store.lay(stored.key, damage)
            assert not storage.verify(stored)
        store.lose(stored.key)
        assert not storage.verify(stored)

    def test_names_the_place_of_what_is_there(
        self, store: Store, storage: Storage, stored: StoredArtifact
    ) -> None:
        assert storage.blob(stored).endswith(f"/{stored.key}")
        store.lose(stored.key)
        assert storage.blob(stored) == ""


class TestOpen:
    def test_reads_from_the_start_each_time(self, storage: Storage, stored: StoredArtifact) -> None:
        for _ in range(2):
            with storage.open(stored) as stream:
                assert stream.read(5) == AUDIO[:5]
                assert stream.read() == AUDIO[5:]

    def test_says_what_is_not_there(self, storage: Storage) -> None:
        with pytest.raises(NotStored, match=ARTIFACT.key):
            storage.open(ARTIFACT)


class TestFetch:
    def test_brings_the_whole_file(self, storage: Storage, stored: StoredArtifact, tmp_path: Path) -> None:
        local = tmp_path / "desk" / "local.wav"
        local.parent.mkdir()
        local.write_bytes(b"an older one")

        storage.fetch(stored, local)

        assert local.read_bytes() == AUDIO
        assert list(local.parent.iterdir()) == [local]

    @pytest.mark.parametrize("damage", [DAMAGED, AUDIO[:-1], AUDIO + b"?", None])
    def test_of_anything_else_leaves_what_was_there(
        self, store: Store, storage: Storage, stored: StoredArtifact, tmp_path: Path, damage: bytes | None
    ) -> None:
        local = tmp_path / "desk" / "local.wav"
        local.parent.mkdir()
        local.write_bytes(b"an older one")
        if damage is None:
            store.lose(stored.key)
        else:
            store.lay(stored.key, damage)

        with pytest.raises(NotStored if damage is None else ArtifactMismatch):
            storage.fetch(stored, local)

        assert local.read_bytes() == b"an older one"
        assert list(local.parent.iterdir()) == [local]

    def test_says_when_the_file_cannot_be_written_here(
        self, storage: Storage, stored: StoredArtifact, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_bytes(b"")

        with pytest.raises(OSError, match=r"exists|Not a directory"):
            storage.fetch(stored, tmp_path / "file" / "local.wav")


class TestAnUpload:
    def test_is_confirmed_when_it_is_whole(
        self, storage: Storage, store: Store, stored: StoredArtifact
    ) -> None:
        assert storage.confirm(SHA, len(AUDIO)) == stored

    @pytest.mark.parametrize("damage", [DAMAGED, AUDIO[:-1], b""])
    def test_of_other_bytes_is_not_confirmed(self, storage: Storage, store: Store, damage: bytes) -> None:
        store.lay(ARTIFACT.key, damage)

        with pytest.raises(ArtifactMismatch):
            storage.confirm(SHA, len(AUDIO))

    def test_that_did_not_come_is_not_confirmed(self, storage: Storage) -> None:
        with pytest.raises(NotStored):
            storage.confirm(SHA, len(AUDIO))
        with pytest.raises(ArtifactMismatch, match="no sha256"):
            storage.confirm("../" * 20, 1)

    def test_lands_at_the_contents_own_key(self, storage: Storage, store: Store) -> None:
        signed = storage.sign_upload(SHA, len(AUDIO))
        if signed is None:  # then the watcher brings the file
            return

        assert store.upload(signed, AUDIO)
        assert storage.confirm(SHA, len(AUDIO)) == ARTIFACT
        assert store.held() == [ARTIFACT.key]

    def test_of_what_was_not_signed_is_refused(self, storage: Storage, store: Store) -> None:
        signed = storage.sign_upload(SHA, len(AUDIO))
        if signed is None:
            return
        unsigned = dataclasses.replace(
            signed, headers={name: value.replace(SHA, "1" * 64) for name, value in signed.headers.items()}
        )

        assert not store.upload(signed, DAMAGED)
        assert not store.upload(unsigned, AUDIO)
        assert store.held() == []
