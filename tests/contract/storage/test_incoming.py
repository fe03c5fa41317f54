"""Machines without any right of ours put files below `incoming/`, each under one name (W13)."""

from __future__ import annotations

import pytest

from lib.storage import Incoming, MemoryIncoming, NotStored, SignedUpload, Storage, StorageUnavailable
from tests.contract.storage.conftest import Store
from tests.s3_servers import upload

NAME = f"{'ab' * 16}/3-abCD_-12/audio.wav"


@pytest.fixture
def incoming(storage: Storage) -> Incoming:
    found = storage.incoming()
    if found is None:
        pytest.skip("no machine elsewhere reaches it")
    return found


def put(incoming: Incoming, url: str, data: bytes) -> bool:
    """As a machine does it: a PUT, and nothing but the URL."""
    if isinstance(incoming, MemoryIncoming):
        return incoming.put(url, data)
    return upload(SignedUpload(url, {}, 0.0), data)


def test_a_folder_has_none_and_says_so(storage: Storage, request: pytest.FixtureRequest) -> None:
    assert (storage.incoming() is None) == ("file" in request.node.name)


def test_what_was_put_is_listed_and_read_until_it_is_removed(store: Store, incoming: Incoming) -> None:
    assert put(incoming, incoming.sign(NAME, life_s=60), b"what was finished")

    (found,) = incoming.list()
    assert (found.name, found.bytes) == (NAME, len(b"what was finished"))
    with incoming.open(NAME) as stream:
        assert stream.read() == b"what was finished"
    assert store.look(f"incoming/{NAME}") == b"what was finished"

    incoming.remove([NAME])
    incoming.remove([NAME])
    assert list(incoming.list()) == []
    with pytest.raises(NotStored):
        incoming.open(NAME)


def test_a_url_is_good_for_its_name_alone(store: Store, incoming: Incoming) -> None:
    url = incoming.sign(NAME, life_s=60)
    assert not put(incoming, url.replace("/3-abCD", "/4-abCD"), b"a place of another lease")
    assert not put(incoming, url.replace("incoming/", "outputs/"), b"a name that people read")
    assert store.held() == []


def test_a_url_that_ran_out_is_good_for_nothing(store: Store, incoming: Incoming) -> None:
    aged = incoming.sign(NAME, life_s=60).replace("X-Amz-Expires=60", "X-Amz-Expires=6000")
    ended = incoming.sign(NAME, life_s=0) if isinstance(incoming, MemoryIncoming) else aged
    assert not put(incoming, ended, b"its life is signed, too")
    assert store.held() == []


@pytest.mark.parametrize(
    "name",
    ["", "a/b", f"../{NAME}", f"{NAME}/more", f"{'ab' * 16}/3-abCD_-12/../x", f"{'ab' * 16}/x/audio.wav"],
)
def test_no_other_name_is_signed_opened_or_removed(incoming: Incoming, name: str) -> None:
    with pytest.raises(ValueError, match="no name below incoming/"):
        incoming.sign(name, life_s=60)
    with pytest.raises(ValueError, match="no name below incoming/"):
        incoming.open(name)
    with pytest.raises(ValueError, match="no name below incoming/"):
        incoming.remove([name])


def test_what_nothing_was_signed_for_is_not_listed(store: Store, incoming: Incoming) -> None:
    store.lay("incoming/by-hand.txt", b"of a person")
    assert list(incoming.list()) == []


def test_a_store_that_does_not_answer_is_said_to_be_unavailable(store: Store, incoming: Incoming) -> None:
    away = store.out_of_reach().incoming()
    assert away is not None
    with pytest.raises(StorageUnavailable):
        away.list()
    with pytest.raises(StorageUnavailable):
        away.remove([NAME])
