"""P23, P31: files of runs and takes of jobs: only those that are recorded, in parts, as nothing that runs."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import time

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message

from job_console.ranged import TYPES, file_answer, safe_type
from tests.doubles.console import BEARER, ConsoleDesk
from tests.unit.open_files import open_below

API = "/api/v1"
SCRIPT = b"<script>alert(1)</script>"


@pytest.fixture
def made(desk: ConsoleDesk) -> ConsoleDesk:
    """A run with files of each kind."""
    desk.start()
    names = ("voiceover.mp3", "page.html", "picture.svg", "animatics/scene_000.mp4", "feed.xml", "noname")
    desk.work(files={**dict.fromkeys(names, SCRIPT), "script.txt": bytes(range(256)) * 4})
    (desk.folder / "runs" / "r1" / "secret.txt").write_text("not recorded")
    (desk.folder / "secret.txt").write_text("outside")
    return desk


class TestNames:
    """What is recorded is served, and nothing else."""

    @pytest.mark.parametrize(
        "path",
        [
            "secret.txt",
            "../secret.txt",
            "..%2fsecret.txt",
            "%2e%2e/secret.txt",
            "..%252fsecret.txt",
            "animatics/../../../secret.txt",
            "animatics/..%2f..%2f..%2fsecret.txt",
            "/etc/passwd",
            "%2fetc%2fpasswd",
            "//etc/passwd",
            "script.txt/",
            "script.txt%00.png",
            "script.txt%20",
            "%2e/script.txt",
            "./script.txt",
            "animatics//scene_000.mp4",
            "SCRIPT.TXT",
            "script.txt::$DATA",
            "..\\secret.txt",
            "state.json",
            "a" * 500,
        ],
    )
    def test_tricks_find_nothing(self, made: ConsoleDesk, client: httpx.Client, path: str) -> None:
        # Below the client of the other tests, which would mend the path before it sends it.
        connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", f"{API}/runs/r1/artifacts/{path}", headers=BEARER)
            answer = connection.getresponse()
            content = answer.read()
        assert answer.status in (400, 404, 422), content
        assert b"outside" not in content
        assert b"not recorded" not in content

    def test_what_is_recorded_is_served(self, made: ConsoleDesk, client: httpx.Client) -> None:
        listed = client.get(f"{API}/runs/r1/artifacts").json()["artifacts"]
        assert len(listed) == 7
        for each in listed:
            answer = client.get(f"{API}/runs/r1/artifacts/{each['path']}")
            assert (answer.status_code, len(answer.content)) == (200, each["size"])

    @pytest.mark.parametrize("link", ["file", "folder"])
    def test_no_link_is_followed(self, made: ConsoleDesk, client: httpx.Client, link: str) -> None:
        folder, outside = made.folder / "runs" / "r1", made.folder / "elsewhere"
        outside.mkdir()
        (outside / "scene_000.mp4").write_text("outside")
        place = folder / "animatics" / "scene_000.mp4"
        place.unlink()
        if link == "file":
            place.symlink_to(outside / "scene_000.mp4")
        else:
            place.parent.rmdir()
            place.parent.symlink_to(outside)
        assert client.get(f"{API}/runs/r1/artifacts/animatics/scene_000.mp4").status_code == 404

    def test_what_is_gone_or_no_file_is_said(self, made: ConsoleDesk, client: httpx.Client) -> None:
        place = made.folder / "runs" / "r1" / "noname"
        place.unlink()
        assert client.get(f"{API}/runs/r1/artifacts/noname").status_code == 404
        place.mkdir()
        assert client.get(f"{API}/runs/r1/artifacts/noname").status_code == 404


class TestTypes:
    """Nothing is served as what a browser would run."""

    @pytest.mark.parametrize("name", ["page.html", "picture.svg", "feed.xml", "noname"])
    def test_what_could_run_is_a_download(self, made: ConsoleDesk, client: httpx.Client, name: str) -> None:
        answer = client.get(f"{API}/runs/r1/artifacts/{name}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")

    def test_all_is_in_a_sandbox(self, made: ConsoleDesk, client: httpx.Client) -> None:
        for name in ("voiceover.mp3", "script.txt", "page.html"):
            answer = client.get(f"{API}/runs/r1/artifacts/{name}")
            assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
            assert answer.headers["x-content-type-options"] == "nosniff"

    def test_no_known_type_runs(self) -> None:
        bad = ("html", "svg", "xml", "javascript", "xhtml", "pdf", "shockwave", "css")
        assert not [kind for kind in TYPES.values() if any(word in kind for word in bad)]
        assert (
            safe_type("a.HTML") == safe_type("html") == safe_type("a.mp3.html") == "application/octet-stream"
        )


class TestRanges:
    """What a player asks for, it gets."""

    PATH = f"{API}/runs/r1/artifacts/script.txt"
    WHOLE = bytes(range(256)) * 4

    @pytest.mark.parametrize(
        ("asked", "first", "last"),
        [
            ("bytes=0-0", 0, 0),
            ("bytes=10-19", 10, 19),
            ("bytes=1000-", 1000, 1023),
            ("bytes=-24", 1000, 1023),
            ("bytes=-5000", 0, 1023),
            ("bytes=1000-99999", 1000, 1023),
        ],
    )
    def test_a_part(self, made: ConsoleDesk, client: httpx.Client, asked: str, first: int, last: int) -> None:
        answer = client.get(self.PATH, headers={"Range": asked})
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {first}-{last}/1024"
        assert answer.content == self.WHOLE[first : last + 1]

    @pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
    def test_what_is_not_there(self, made: ConsoleDesk, client: httpx.Client, asked: str) -> None:
        answer = client.get(self.PATH, headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */1024")

    @pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=-", ""])
    def test_what_is_no_range_is_ignored(self, made: ConsoleDesk, client: httpx.Client, asked: str) -> None:
        answer = client.get(self.PATH, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (200, self.WHOLE)

    def test_a_part_of_another_content_is_the_whole(self, made: ConsoleDesk, client: httpx.Client) -> None:
        tag = client.get(self.PATH).headers["etag"]
        assert client.get(self.PATH, headers={"If-None-Match": tag}).status_code == 304
        same = client.get(self.PATH, headers={"Range": "bytes=0-1", "If-Range": tag})
        other = client.get(self.PATH, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
        assert (same.status_code, other.status_code) == (206, 200)

    def test_a_take_is_heard(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a")
        audio = desk.speak("a")
        path = f"{API}/queue/jobs/topic:a/takes/1"
        answer = client.get(path)
        assert (answer.headers["content-type"], answer.content) == ("audio/wav", audio)
        part = client.get(path, headers={"Range": "bytes=44-99"})
        assert (part.status_code, part.content) == (206, audio[44:100])
        assert client.get(f"{API}/queue/jobs/topic:a/takes/2").status_code == 404
        assert client.get(f"{API}/queue/jobs/topic:a/takes/0").status_code == 422


def test_no_file_stays_open(made: ConsoleDesk, client: httpx.Client) -> None:
    for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=9999-"}, {"If-None-Match": "*"}):
        tag = client.get(TestRanges.PATH, headers=headers).headers.get("etag", "")
        client.get(TestRanges.PATH, headers={**headers, "If-None-Match": tag})
    deadline = time.monotonic() + 20
    while still := open_below(made.folder / "runs"):  # the last byte is sent before the file is closed
        assert time.monotonic() < deadline, still


def test_a_file_is_closed_when_nobody_takes_the_rest_of_it() -> None:
    file = io.BytesIO(bytes(1 << 20))
    answer = file_answer(file, 1 << 20, "a.mp3", "tag", Headers({}))

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nothing comes")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    with pytest.raises(ClientDisconnect):
        asyncio.run(answer({"type": "http", "method": "GET", "asgi": {"spec_version": "2.4"}}, receive, send))
    assert file.closed
