"""The commands over a real bucket: places are URLs, and what is wrong with it is one line (W2)."""

from __future__ import annotations

import secrets
import urllib.request

import pytest

from tests.e2e.desk import Desk
from tests.s3_servers import ACCESS, BUCKET, S3Server


@pytest.fixture
def shop(desk: Desk, seaweed: S3Server) -> Desk:
    """A home whose store is a bucket; the secret comes in a file."""
    secret = desk.folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{ACCESS.secret}\n")
    desk.environ |= {
        "STORAGE_URL": seaweed.url(f"e2e/{secrets.token_hex(8)}"),
        "AWS_ACCESS_KEY_ID": ACCESS.key_id or "",
        "AWS_SECRET_ACCESS_KEY_FILE": str(secret),
    }
    return desk


def test_a_job_is_done_found_linked_repaired_and_exported(shop: Desk, seaweed: S3Server) -> None:
    file = shop.file_of("one")
    shop.run("enqueue", file)
    shop.work()

    place = shop.environ["STORAGE_URL"].partition("?")[0]
    shown = shop.shaped("result", "topic:one", "--link", schema="result")
    assert shown["files"] == [f"{place}/outputs/topic/one.wav"]
    with urllib.request.urlopen(shown["links"][0]) as answer:
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.read(4) == b"RIFF"
    again = shop.shaped("enqueue", "--wait", file, schema="enqueue")
    assert again["results"][0]["file"] == shown["files"][0]
    assert place.encode() not in shop.run("export").stdout.encode()  # records say keys: a bucket may move

    joined = shop.shaped("join", file, "--out", "show.flac")
    assert [chapter["title"] for chapter in joined["chapters"]] == ["one"]
    assert sorted(path.name for path in shop.folder.glob("*show*")) == [
        *("show.captions.json", "show.chapters.json", "show.flac", "show.srt", "show.vtt")
    ]
    assert list(shop.folder.glob(".join-*")) == []  # what was fetched for it

    assert "name a folder to copy both into: --out DIR" in shop.run("page", file).stderr
    (page,) = shop.shaped("page", file, "--out", "heard")["pages"]
    assert (page["playable"], (shop.folder / "heard/topic/one.wav").is_file()) == (1, True)
    prefix = place.removeprefix(f"s3://{BUCKET}/")
    seaweed.client().delete_object(Bucket=BUCKET, Key=f"{prefix}/outputs/topic/one.wav")
    assert "its published file is missing" in shop.run("report", file).stdout
    assert shop.run("reconcile", "--apply").returncode == 0
    assert "missing" not in shop.run("report", file).stdout


def test_what_is_wrong_with_the_bucket_is_told_before_anything_is_enqueued(shop: Desk) -> None:
    file = shop.file_of("one")
    shop.environ["STORAGE_URL"] = shop.environ["STORAGE_URL"].replace(f"s3://{BUCKET}/", "s3://nowhere/")

    for words, program in ((("up", file), "job-runner"), (("once",), "job-watcher")):
        done = shop.run(*words, program=program)
        assert done.returncode == 78, done.stderr
        assert "there is no bucket nowhere; make it" in done.stderr.splitlines()[-1]
        assert str(ACCESS.secret) not in done.stdout + done.stderr
    assert shop.json("status")["outstanding"] == 0


def test_a_watcher_says_at_its_start_what_the_store_does_not_keep(shop: Desk, rclone: S3Server) -> None:
    shop.environ["STORAGE_URL"] = rclone.url("e2e")

    done = shop.run("once", program="job-watcher")

    assert done.returncode == 0, done.stderr
    assert "warning: the store s3://audio/e2e: it ignores conditions (If-None-Match, If-Match)" in done.stderr
    assert "does not compare uploads with their SHA-256" in done.stderr
