"""Lost answers and publishers that stand still: every end is the one of an undisturbed store (W13)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from lib.storage import Claim, Published, Storage, StorageUnavailable
from tests.integration.storage.conftest import Place
from tests.integration.storage.proxy import Fate, Refuse, Request

NAME = "topic/x"
PATH = f"{NAME}.wav"


def publish(place: Place, storage: Storage, order: int, who: str, data: bytes) -> Published:
    artifact = place.put(place.storage, data)
    return storage.publish(Claim(who, 1, order), NAME, {PATH: artifact})


def loses_once(matches: Callable[[Request], bool]) -> Callable[[Request], Fate]:
    """Each request that matches is carried out, and its first answer lost."""
    lost: set[tuple[str, str]] = set()

    def rule(request: Request) -> Fate:
        what = request.method, request.path
        if matches(request) and what not in lost:
            lost.add(what)
            return Fate.LOSE
        return Fate.PASS

    return rule


def test_an_upload_whose_answer_was_lost_is_found_there(place: Place) -> None:
    storage = place.through(retries=1)
    storage.examine()
    place.proxy.rule = loses_once(lambda request: request.method == "PUT")

    stored = place.put(storage, b"audio")

    uploads = [
        request for request in place.proxy.seen if stored.key in request.path and request.method == "PUT"
    ]
    assert len(uploads) == 2  # the second was refused: something lay there
    assert place.held() == {stored.key: b"audio"}


def test_a_publication_whose_answers_were_lost_is_made_once(place: Place) -> None:
    publish(place, place.storage, 1, "a", b"older")
    storage = place.through(retries=1)
    storage.examine()
    place.proxy.rule = loses_once(lambda request: request.method in ("PUT", "DELETE"))

    done = publish(place, storage, 2, "b", b"newer")

    assert list(done.places) == [PATH]
    assert place.outputs() == {f"outputs/{PATH}": b"newer"}
    assert place.storage.owner(NAME) == Claim("b", 2 - 1, 2)


@pytest.mark.parametrize("stands", [b"first", b"newest"], ids=["another's bytes", "its own bytes"])
def test_a_publisher_that_stood_still_puts_nothing_over_a_newer_one(place: Place, stands: bytes) -> None:
    """Where the newest bytes stand already, no condition keeps the late copy away: it is undone."""
    publish(place, place.storage, 1, "a", stands)
    held_up, go_on = threading.Event(), threading.Event()

    def rule(request: Request) -> Fate:
        if "x-amz-copy-source" in request.headers and "/outputs/" in request.path and not go_on.is_set():
            held_up.set()
            assert go_on.wait(30)
        return Fate.PASS

    late, done = place.through(), list[Published]()
    late.examine()
    place.proxy.rule = rule
    thread = threading.Thread(target=lambda: done.append(publish(place, late, 2, "b", b"late")))
    thread.start()
    assert held_up.wait(30)
    publish(place, place.storage, 3, "c", b"newest")
    go_on.set()
    thread.join()

    assert done[0].superseded_by == Claim("c", 1, 3)
    assert place.outputs() == {f"outputs/{PATH}": b"newest"}


def test_what_a_publisher_left_when_it_was_killed_in_that_moment_is_put_right_by_its_next(
    place: Place,
) -> None:
    publish(place, place.storage, 1, "a", b"newest")
    late = place.through()
    late.examine()
    copied = False

    def rule(request: Request) -> Fate:
        nonlocal copied
        if copied:
            return Fate.CUT
        if "x-amz-copy-source" in request.headers and "/outputs/" in request.path:
            publish(place, place.storage, 3, "c", b"newest")
            copied = True
        return Fate.PASS

    place.proxy.rule = rule
    with pytest.raises(StorageUnavailable):
        publish(place, late, 2, "b", b"late")
    assert place.outputs() == {f"outputs/{PATH}": b"late"}  # now it is as if it were dead

    again = publish(place, place.storage, 2, "b", b"late")  # as its journal says that it owes

    assert again.superseded_by == Claim("c", 1, 3)
    assert place.outputs() == {f"outputs/{PATH}": b"newest"}


def test_a_file_that_a_newer_job_left_out_is_not_brought_back(place: Place) -> None:
    held_up, go_on = threading.Event(), threading.Event()

    def rule(request: Request) -> Fate:
        if "x-amz-copy-source" in request.headers and "/outputs/" in request.path and not go_on.is_set():
            held_up.set()
            assert go_on.wait(30)
        return Fate.PASS

    late, done = place.through(), list[Published]()
    late.examine()
    place.proxy.rule = rule
    thread = threading.Thread(target=lambda: done.append(publish(place, late, 2, "b", b"late")))
    thread.start()
    assert held_up.wait(30)
    artifact = place.put(place.storage, b"flac")
    place.storage.publish(Claim("c", 1, 3), NAME, {f"{NAME}.flac": artifact})
    go_on.set()
    thread.join()

    assert place.outputs() == {f"outputs/{NAME}.flac": b"flac"}


def test_a_store_that_takes_no_checksum_is_given_an_md5_and_read_back(place: Place) -> None:
    """As Backblaze B2 is said to do."""

    def rule(request: Request) -> Fate | Refuse:
        return Refuse(400, "InvalidRequest") if "x-amz-checksum-sha256" in request.headers else Fate.PASS

    place.proxy.rule = rule
    storage = place.through()

    stored = place.put(storage, b"audio")

    upload = [
        request for request in place.proxy.seen if stored.key in request.path and request.method == "PUT"
    ]
    assert ["content-md5" in request.headers for request in upload] == [True]
    assert any(request.method == "GET" and stored.key in request.path for request in place.proxy.seen)
    assert place.held() == {stored.key: b"audio"}
    assert storage.sign_upload(stored.sha256, stored.bytes) is None
