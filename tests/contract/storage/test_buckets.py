"""Every kind of bucket writes an object once, and says what lies there."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lib.errors import BadConfiguration
from lib.storage.bucket import Bucket, ObjectRefused
from lib.storage.open_bucket import BucketAccess, open_bucket
from lib.storage.port import StorageMisconfigured, StorageUnavailable
from lib.storage.supabase import SupabaseBucket
from tests.doubles.supabase import BUCKET, KEY, SupabaseDouble
from tests.s3_servers import ACCESS, S3Server
from tests.s3_servers import BUCKET as S3_BUCKET


@pytest.fixture
def supabase() -> Iterator[SupabaseDouble]:
    double = SupabaseDouble()
    yield double
    double.close()


def opened(kind: str, request: pytest.FixtureRequest) -> Bucket:
    if kind == "folder":
        folder: Path = request.getfixturevalue("tmp_path")
        return open_bucket("pictures", BucketAccess(folder.as_uri()))
    if kind == "supabase":
        double: SupabaseDouble = request.getfixturevalue("supabase")
        return open_bucket(BUCKET, BucketAccess("file:///nowhere", supabase_url=double.url, supabase_key=KEY))
    server: S3Server = request.getfixturevalue(kind)
    return open_bucket(S3_BUCKET, BucketAccess(server.url(), ACCESS))


@pytest.fixture(params=["folder", "seaweed", "rclone", "supabase"])
def bucket(request: pytest.FixtureRequest) -> Iterator[Bucket]:
    made = opened(request.param, request)
    yield made
    made.close()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def key() -> str:
    return f"2026-11-30/a-fox-{uuid.uuid4().hex}.png"


def put(bucket: Bucket, key: str, data: bytes) -> bool:
    return bucket.put_new(key, data, sha256(data))


class TestEveryBucket:
    def test_keeps_what_was_put(self, bucket: Bucket, key: str) -> None:
        assert bucket.sha256(key) is None
        assert put(bucket, key, b"one" * 1000)
        assert bucket.sha256(key) == sha256(b"one" * 1000)
        assert bucket.place(key).endswith(key)

    def test_takes_the_same_bytes_twice(self, bucket: Bucket, key: str) -> None:
        assert put(bucket, key, b"one")
        assert put(bucket, key, b"one")

    def test_never_replaces_an_object(self, bucket: Bucket, key: str) -> None:
        assert put(bucket, key, b"one")
        assert not put(bucket, key, b"other")
        assert bucket.sha256(key) == sha256(b"one")

    def test_takes_no_key_that_leaves_it(self, bucket: Bucket) -> None:
        for ask in (bucket.sha256, bucket.place, lambda key: put(bucket, key, b"one")):
            with pytest.raises(ValueError, match="is no key of a bucket"):
                ask("../../etc/passwd")

    def test_that_keeps_the_first_does_so_at_any_moment(self, bucket: Bucket, key: str) -> None:
        if not bucket.keeps_first:
            pytest.skip("this store lets the last one win; the worker gives each row a name of its own there")
        bodies = [b"%d" % number for number in range(8)]

        with ThreadPoolExecutor(8) as pool:
            took = list(pool.map(lambda body: put(bucket, key, body), bodies))

        assert [sha256(body) for body, was in zip(bodies, took, strict=True) if was] == [bucket.sha256(key)]


def test_a_store_that_ignores_conditions_is_noticed(rclone: S3Server, seaweed: S3Server) -> None:
    careless = open_bucket(S3_BUCKET, BucketAccess(rclone.url(), ACCESS))
    careful = open_bucket(S3_BUCKET, BucketAccess(seaweed.url(), ACCESS))

    assert (careless.keeps_first, careful.keeps_first) == (False, True)


def test_a_bucket_that_is_not_there_is_a_persons_to_mend(seaweed: S3Server, key: str) -> None:
    with pytest.raises(StorageMisconfigured, match="there is no bucket nothing-here"):
        put(open_bucket("nothing-here", BucketAccess(seaweed.url(), ACCESS)), key, b"one")


class TestWhatOpensIt:
    @pytest.mark.parametrize(
        "url", ["ftp://host/x", "file://elsewhere/x", "s3://x?endpoint=nowhere", "http://["]
    )
    def test_is_a_url_of_a_kind_that_we_know(self, url: str) -> None:
        with pytest.raises(BadConfiguration, match="STORAGE_URL"):
            open_bucket("pictures", BucketAccess(url, ACCESS))

    def test_is_a_key_for_supabase(self) -> None:
        with pytest.raises(BadConfiguration, match="set SUPABASE_SERVICE_KEY"):
            open_bucket("pictures", BucketAccess("file:///x", supabase_url="https://project.example"))


class TestSupabase:
    @pytest.fixture
    def pauses(self) -> list[float]:
        return []

    @pytest.fixture
    def bucket(self, supabase: SupabaseDouble, pauses: list[float]) -> Iterator[SupabaseBucket]:
        made = SupabaseBucket(BUCKET, f"{supabase.url}/", KEY, answer_s=30, pause=pauses.append)
        yield made
        made.close()

    def test_is_sent_a_picture(self, supabase: SupabaseDouble, bucket: Bucket) -> None:
        assert put(bucket, "2026-11-30/a.png", b"one")
        assert supabase.objects == {"2026-11-30/a.png": b"one"}
        assert supabase.types == {"2026-11-30/a.png": "image/png"}

    @pytest.mark.parametrize("old", [False, True])
    def test_refuses_a_name_that_is_taken(self, supabase: SupabaseDouble, bucket: Bucket, old: bool) -> None:
        supabase.old = old
        supabase.objects["2026-11-30/a.png"] = b"other"

        assert bucket.sha256("2026-11-30/b.png") is None
        assert not put(bucket, "2026-11-30/a.png", b"one")
        assert put(bucket, "2026-11-30/a.png", b"other")

    def test_whose_answer_is_lost_is_asked_again_and_has_it(
        self, supabase: SupabaseDouble, bucket: Bucket, pauses: list[float]
    ) -> None:
        supabase.faults.extend(["lost"])

        assert put(bucket, "2026-11-30/a.png", b"one")
        assert [line.split()[0] for line in supabase.requests] == ["POST", "POST", "GET"]
        assert len(pauses) == 1

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_that_is_busy_is_asked_again(self, supabase: SupabaseDouble, bucket: Bucket, status: int) -> None:
        supabase.faults.extend([status] * 3)

        assert put(bucket, "2026-11-30/a.png", b"one")

    def test_that_stays_away_is_unavailable(self, supabase: SupabaseDouble, bucket: Bucket) -> None:
        supabase.faults.extend([502] * 4)

        with pytest.raises(
            StorageUnavailable, match="cannot be used now: it refuses with status 50"
        ) as caught:
            put(bucket, "2026-11-30/a.png", b"one")
        assert KEY not in caught.value.message

    def test_that_somebody_else_answers_for_is_unavailable(
        self, supabase: SupabaseDouble, bucket: Bucket
    ) -> None:
        supabase.faults.extend(["html"] * 4)

        with pytest.raises(StorageUnavailable, match="does not answer"):
            put(bucket, "2026-11-30/a.png", b"one")

    def test_that_sends_us_elsewhere_gets_the_key_nowhere(
        self, supabase: SupabaseDouble, bucket: Bucket
    ) -> None:
        supabase.faults.append(302)

        with pytest.raises(StorageUnavailable):
            put(bucket, "2026-11-30/a.png", b"one")

    @pytest.mark.parametrize("old", [False, True])
    def test_that_refuses_the_key_is_a_persons_to_mend(self, supabase: SupabaseDouble, old: bool) -> None:
        supabase.old = old
        wrong = SupabaseBucket(BUCKET, supabase.url, "another-key")

        with pytest.raises(StorageMisconfigured, match="correct SUPABASE_SERVICE_KEY") as caught:
            put(wrong, "2026-11-30/a.png", b"one")

        assert "another-key" not in caught.value.message + repr(wrong)
        assert len(supabase.requests) == 1
        wrong.close()

    @pytest.mark.parametrize("old", [False, True])
    def test_without_the_bucket_is_a_persons_to_mend(self, supabase: SupabaseDouble, old: bool) -> None:
        supabase.old = old
        wrong = SupabaseBucket("nothing-here", supabase.url, KEY)

        for ask in (lambda: put(wrong, "2026-11-30/a.png", b"one"), lambda: wrong.sha256("2026-11-30/a.png")):
            with pytest.raises(StorageMisconfigured, match="there is no bucket nothing-here"):
                ask()
        wrong.close()

    def test_that_takes_no_object_of_that_size_refuses_just_this_one(
        self, supabase: SupabaseDouble, bucket: Bucket
    ) -> None:
        supabase.faults.append(413)

        with pytest.raises(ObjectRefused, match="larger than the bucket allows"):
            put(bucket, "2026-11-30/a.png", b"one")
