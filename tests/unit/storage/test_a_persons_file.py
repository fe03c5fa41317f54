"""What a person's file is: the same for every kind of store, over what stands at the path."""

from __future__ import annotations

import hashlib

import pytest

from lib.storage.locations import artifact_of
from lib.storage.names import FoundFile, is_a_persons
from lib.storage.port import StoredArtifact


def content(data: bytes) -> StoredArtifact:
    return artifact_of(hashlib.sha256(data).hexdigest(), len(data))


def found(data: bytes, *, plain: bool = True) -> FoundFile:
    return FoundFile(len(data), hashlib.sha256(data).hexdigest, plain)


WANTED, OTHER = content(b"wanted"), content(b"of another job")


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, False),
        (found(b"wanted"), False),
        (found(b"of another job"), False),
        (found(b"edited"), True),
        (found(b"as long"[:6]), True),
        (found(b""), True),
        (found(b"wanted", plain=False), True),
        (FoundFile(6, lambda: None), False),  # gone while it was read
    ],
)
def test_a_persons_file_is_what_no_job_made(there: FoundFile | None, expected: bool) -> None:
    assert is_a_persons(there, WANTED, lambda artifact: artifact == OTHER) is expected


def test_what_cannot_be_ours_is_not_read() -> None:
    def read() -> str:
        raise AssertionError("it is a link, or empty")

    assert is_a_persons(FoundFile(6, read, plain=False), WANTED, lambda artifact: True)
    assert is_a_persons(FoundFile(0, read), WANTED, lambda artifact: True)
