"""Large files go up in parts, in bounded memory; what is left of uploads that ended is removed (W13)."""

from __future__ import annotations

import hashlib
import time
import tracemalloc
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from lib.clock import ManualClock
from lib.storage import S3Storage, StorageUnavailable
from lib.storage.s3 import address_of
from tests.integration.storage.conftest import Place
from tests.integration.storage.proxy import Fate, Refuse, Request, Say
from tests.s3_servers import ACCESS, BUCKET

MIB = 1 << 20


def large(folder: Path, mib: int) -> tuple[Path, str]:
    path, digest = folder / "large.wav", hashlib.sha256()
    with path.open("wb") as file:
        for number in range(mib):
            piece = number.to_bytes(4, "big") * (MIB // 4)
            file.write(piece)
            digest.update(piece)
    return path, digest.hexdigest()


def in_parts(place: Place, url: str) -> S3Storage:
    return S3Storage(address_of(url, None), ACCESS, retries=0, in_parts=MIB)


def uploads_of(place: Place) -> list[str]:
    found = place.raw.list_multipart_uploads(Bucket=BUCKET, Prefix=place.prefix)
    return sorted(item["Key"] for item in found.get("Uploads", []))


def test_a_file_in_parts_is_whole_and_takes_the_memory_of_a_part(place: Place, tmp_path: Path) -> None:
    path, sha256 = large(tmp_path, 40)
    storage = in_parts(place, place.server.url(place.prefix))
    storage.examine()
    tracemalloc.start()
    artifact = storage.put(path, sha256=sha256, bytes=40 * MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 40 * MIB  # a part of 16 MiB, and one more while the next is read
    assert place.storage.verify(artifact)
    assert storage.put(path, sha256=sha256, bytes=40 * MIB) == artifact
    assert uploads_of(place) == []


def test_an_upload_that_fails_halfway_leaves_no_parts_and_no_object(place: Place, tmp_path: Path) -> None:
    path, sha256 = large(tmp_path, 17)

    def rule(request: Request) -> Fate | Refuse:
        return Refuse(503, "SlowDown") if "partNumber=2" in request.path else Fate.PASS

    place.proxy.rule = rule
    storage = in_parts(place, f"s3://{BUCKET}/{place.prefix}?endpoint={place.proxy.endpoint}")

    with pytest.raises(StorageUnavailable):
        storage.put(path, sha256=sha256, bytes=17 * MIB)

    assert (place.held(), uploads_of(place)) == ({}, [])


def test_uploads_of_ours_that_nobody_will_complete_are_ended(place: Place) -> None:
    ours, others = f"{place.prefix}/blobs/sha256/ab/{'ab' * 32}", f"{place.prefix}/elsewhere"
    for key in (ours, others):
        place.raw.create_multipart_upload(Bucket=BUCKET, Key=key)
    address = address_of(place.server.url(place.prefix), None)

    S3Storage(address, ACCESS).examine()
    assert uploads_of(place) == [ours, others]  # it may be at work

    S3Storage(address, ACCESS, ManualClock(time.time() + 2 * 86_400)).examine()
    assert uploads_of(place) == [others]


def test_they_are_looked_for_daily_and_not_only_at_the_start(place: Place) -> None:
    clock = ManualClock(time.time())
    storage = S3Storage(address_of(place.server.url(place.prefix), None), ACCESS, clock)
    storage.examine()
    place.raw.create_multipart_upload(Bucket=BUCKET, Key=f"{place.prefix}/blobs/sha256/ab/{'ab' * 32}")

    clock.advance(2 * 86_400)
    storage.examine()

    assert uploads_of(place) == []


def test_all_of_them_are_ended_where_a_listing_has_more_than_one_page(place: Place) -> None:
    """As Amazon S3 lists more than a thousand."""
    ended, page = set[str](), "<Initiated>2020-01-01T00:00:00Z</Initiated></Upload>"

    def rule(request: Request) -> Fate | Say:
        words = urlsplit(request.path)
        if request.method == "DELETE" and "uploadId" in words.query:
            ended.add(words.query.partition("uploadId=")[2].partition("&")[0])
            return Say("")
        if request.method != "GET" or "uploads" not in parse_qs(words.query, keep_blank_values=True):
            return Fate.PASS
        later = "key-marker=b" in words.query and "upload-id-marker=one" in words.query
        more = "" if later else "<NextKeyMarker>b</NextKeyMarker><NextUploadIdMarker>one</NextUploadIdMarker>"
        return Say(
            f"<ListMultipartUploadsResult><IsTruncated>{'false' if later else 'true'}</IsTruncated>{more}"
            f"<Upload><Key>b</Key><UploadId>{'two' if later else 'one'}</UploadId>{page}"
            "</ListMultipartUploadsResult>"
        )

    place.proxy.rule = rule
    place.through().examine()

    assert ended == {"one", "two"}


def test_a_file_that_changes_on_the_way_is_not_stored(place: Place) -> None:
    """The store compares what arrives with the promise; nothing of it is left."""
    path, sha256 = place.file(b"audio")

    def rule(request: Request) -> Fate:
        if request.method == "PUT" and "/probe/" not in request.path and path.read_bytes() == b"audio":
            path.write_bytes(b"other")
            return Fate.CUT
        return Fate.PASS

    place.proxy.rule = rule

    with pytest.raises(StorageUnavailable):
        place.through(retries=1).put(path, sha256=sha256, bytes=5)

    assert place.held() == {}
