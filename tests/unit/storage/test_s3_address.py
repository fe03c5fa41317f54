"""STORAGE_URL of a bucket: what stands in it, and what is refused without repeating a secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.errors import BadConfiguration
from lib.storage import S3Access, S3Storage, open_storage
from lib.storage.s3 import S3Address, address_of


@pytest.mark.parametrize(
    ("url", "region", "address"),
    [
        ("s3://audio?region=eu-central-1", None, S3Address("audio", "", None, "eu-central-1")),
        ("s3://audio", "us-west-2", S3Address("audio", "", None, "us-west-2")),
        (
            "s3://audio/a/b/?endpoint=http://127.0.0.1:8333/",
            None,
            S3Address("audio", "a/b", "http://127.0.0.1:8333", "us-east-1"),
        ),
        (
            "s3://audio?endpoint=https://x.r2.cloudflarestorage.com",
            None,
            S3Address("audio", "", "https://x.r2.cloudflarestorage.com", "auto"),
        ),
        ("s3://audio/%C3%A4%20b?region=x-1", None, S3Address("audio", "ä b", None, "x-1")),
    ],
)
def test_says_where_the_bucket_is(url: str, region: str | None, address: S3Address) -> None:
    assert address_of(url, region) == address


@pytest.mark.parametrize(
    ("endpoint", "by_path"),
    [
        ("https://minio.example:9000", True),
        ("https://s3.eu-central-003.backblazeb2.com", True),
        ("https://s3.eu-central-1.amazonaws.com", False),
        ("https://amazonaws.com.example", True),
    ],
)
def test_the_bucket_stands_in_the_path_but_on_amazon(endpoint: str, by_path: bool) -> None:
    assert address_of(f"s3://audio?endpoint={endpoint}&region=eu-1", None).by_path is by_path
    assert address_of("s3://audio?region=eu-1", None).by_path is False


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://key:SECRET@audio?region=eu-1", "holds a user or a password"),
        ("s3://?region=eu-1", "names no bucket"),
        ("s3://A_b?region=eu-1", "names no bucket"),
        ("s3://audio", "names no region"),
        ("s3://audio?region=eu 1", "has a region that is no region's name"),
        ("s3://audio?secret=SECRET&region=eu-1", "something else than endpoint and region"),
        ("s3://audio?endpoint=https://u:SECRET@host", "an endpoint that is not"),
        ("s3://audio?endpoint=ftp://host", "an endpoint that is not"),
        ("s3://audio?endpoint=https://host/SECRET", "an endpoint that is not"),
        ("s3://audio/a/../b?region=eu-1", "a prefix with"),
        ("s3://audio/a//b?region=eu-1", "a prefix with"),
        ("s3://audio/a%2f..%2fb?region=eu-1", "a prefix with"),
        ("s3://audio/a#SECRET?region=eu-1", "has a #"),
        ("ftp://audio", "has the scheme 'ftp'"),
        ("s3://[audio", "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(url: str, words: str) -> None:
    with pytest.raises(BadConfiguration, match="STORAGE_URL") as caught:
        open_storage(url)

    assert words in caught.value.message
    assert "SECRET" not in caught.value.message


def test_nothing_is_asked_or_imported_before_it_is_needed(tmp_path: Path) -> None:
    """Places are made without a request: a command that shows one needs neither a network nor boto3."""
    program = (
        "import sys; from lib.storage import open_storage; "
        "print(open_storage('s3://audio/x?region=eu-1').location('a/b.wav')); "
        "sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )

    assert (done.returncode, done.stdout) == (0, "s3://audio/x/outputs/a/b.wav\n"), done.stderr


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("boto3", "boto3.session", "botocore", "botocore.config", "botocore.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    storage = open_storage("s3://audio?region=eu-1", S3Access("id", "secret"))
    assert isinstance(storage, S3Storage)

    with pytest.raises(BadConfiguration, match=r"Storing files in S3 needs packages .*watcher"):
        storage.published("a.wav")


def test_a_secret_shows_nowhere() -> None:
    access = S3Access("id", "the-secret", "the-token")

    assert "the-secret" not in repr(access)
    assert "the-token" not in repr(access)
