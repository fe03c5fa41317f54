"""Artifacts are readable by their names, and what stands at a name is never damaged by us."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lib.errors import ExitStatus, Unavailable
from lib.storage import ArtifactMismatch, NotStored, Storage, StorageUnavailable, StoredArtifact
from tests.contract.storage.conftest import ARTIFACT, AUDIO, DAMAGED, NOBODY, SHA, Store, publish

NAME = "topic/beat-001.wav"
KEY = f"outputs/{NAME}"


class TestPublishing:
    def test_makes_an_artifact_readable_by_its_name(
        self, store: Store, storage: Storage, stored: StoredArtifact
    ) -> None:
        assert publish(storage, stored, NAME) == storage.location(NAME)
        assert store.look(KEY) == AUDIO

    def test_again_changes_nothing(self, store: Store, storage: Storage, stored: StoredArtifact) -> None:
        assert publish(storage, stored, NAME) == publish(storage, stored, NAME)
        assert [key for key in store.held() if not key.startswith("published/")] == [stored.key, KEY]

    def test_replaces_what_stood_there(self, store: Store, storage: Storage, stored: StoredArtifact) -> None:
        store.lay(KEY, b"an older take")

        publish(storage, stored, NAME)

        assert store.look(KEY) == AUDIO

    @pytest.mark.parametrize("damage", [DAMAGED, AUDIO[:-1], None], ids=["bytes", "length", "gone"])
    def test_of_what_is_damaged_leaves_what_stood_there(
        self, store: Store, storage: Storage, stored: StoredArtifact, damage: bytes | None
    ) -> None:
        store.lay(KEY, b"an older take")
        if damage is None:
            store.lose(stored.key)
        else:
            store.lay(stored.key, damage)

        for name in (NAME, "another.wav"):
            with pytest.raises(NotStored if damage is None else ArtifactMismatch):
                publish(storage, stored, name)

        assert store.look(KEY) == b"an older take"
        assert not [key for key in store.held() if key not in (stored.key, KEY)]

    @pytest.mark.parametrize("name", ["/etc/passwd", "../escape.wav", "a/../../b", ""])
    def test_refuses_a_name_that_no_validator_passed(self, storage: Storage, name: str) -> None:
        for act in (storage.location, storage.published):
            with pytest.raises(ValueError, match="no validated output name"):
                act(name)


def test_a_name_says_what_stands_there(store: Store, storage: Storage, stored: StoredArtifact) -> None:
    assert (storage.stands(stored, NAME), storage.published(NAME)) == (None, False)
    for data, stands in ((AUDIO, True), (DAMAGED, False), (b"", False)):
        store.lay(KEY, data)
        assert (storage.stands(stored, NAME), storage.published(NAME)) == (stands, True)


class TestRestoring:
    def test_brings_back_an_artifact_from_its_published_copy(
        self, store: Store, storage: Storage, stored: StoredArtifact
    ) -> None:
        publish(storage, stored, NAME)
        store.lose(stored.key)

        storage.restore(stored, NAME)

        assert store.look(stored.key) == AUDIO

    def test_stores_nothing_else(self, store: Store, storage: Storage) -> None:
        with pytest.raises(NotStored, match=NAME):
            storage.restore(ARTIFACT, NAME)
        store.lay(KEY, DAMAGED)
        with pytest.raises(ArtifactMismatch, match="was not copied back"):
            storage.restore(ARTIFACT, NAME)

        assert store.held() == [KEY]

    def test_leaves_a_whole_artifact_alone(
        self, store: Store, storage: Storage, stored: StoredArtifact
    ) -> None:
        storage.restore(stored, NAME)

        assert store.look(stored.key) == AUDIO


CALLS: dict[str, Callable[[Storage, Path], object]] = {
    "put": lambda storage, file: storage.put(file, sha256=SHA, bytes=len(AUDIO)),
    "has": lambda storage, file: storage.has(ARTIFACT),
    "verify": lambda storage, file: storage.verify(ARTIFACT),
    "open": lambda storage, file: storage.open(ARTIFACT),
    "fetch": lambda storage, file: storage.fetch(ARTIFACT, file),
    "confirm": lambda storage, file: storage.confirm(SHA, len(AUDIO)),
    "publish": lambda storage, file: publish(storage, ARTIFACT, NAME),
    "restore": lambda storage, file: storage.restore(ARTIFACT, NAME),
    "stands": lambda storage, file: storage.stands(ARTIFACT, NAME),
    "rivals": lambda storage, file: storage.rivals(NOBODY, "a", {"a.wav": ARTIFACT}),
    "owner": lambda storage, file: storage.owner("a"),
    "stranger": lambda storage, file: storage.stranger(ARTIFACT, NAME),
    "published": lambda storage, file: storage.published(NAME),
    "blob": lambda storage, file: storage.blob(ARTIFACT),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_a_store_out_of_reach_is_not_an_empty_one(store: Store, source: Path, call: str) -> None:
    """Else a job whose audio is merely out of sight would be taken for one whose audio is gone."""
    with pytest.raises(StorageUnavailable) as caught:
        CALLS[call](store.out_of_reach(), source)

    assert isinstance(caught.value, Unavailable)
    assert caught.value.exit_status is ExitStatus.UNAVAILABLE
    assert source.read_bytes() == AUDIO
