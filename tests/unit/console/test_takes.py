"""P23, P32: what lies beside the audio of a take, of any revision: its waveform, its words, its captions."""

from __future__ import annotations

import json

import httpx
import pytest

from lib.jobqueue import Changed
from lib.jobspec import parse_job_file
from tests.doubles.console import ConsoleDesk, check_answer, job_file
from tests.doubles.spoken_jobs import peaks, perform

TAKES = "/api/v1/queue/jobs/topic:a/takes"
TEMPLATE = "/queue/jobs/{request_id}/takes/{number}"


@pytest.fixture
def spoken(desk: ConsoleDesk) -> ConsoleDesk:
    """topic:a was spoken twice, with other words the second time."""
    for text in ("One.", "Two, and more."):
        file = parse_job_file(job_file("a", text=text).encode(), name="test", base_dir=None)
        desk.queue.enqueue(file.specs, changed=Changed.REPLACE)
        perform(desk, "a", f"Job a. {text}", takes=2)
    return desk


class TestBesideTheAudio:
    """The files of a take."""

    def test_its_waveform_is_the_stored_one(self, spoken: ConsoleDesk, client: httpx.Client) -> None:
        answer = client.get(f"{TAKES}/2/peaks")
        assert (answer.status_code, answer.content) == (200, peaks(3.5))
        check_answer("GET", f"{TEMPLATE}/peaks", 200, answer.json())

    def test_its_words_have_their_times(self, spoken: ConsoleDesk, client: httpx.Client) -> None:
        told = client.get(f"{TAKES}/1/captions").json()
        check_answer("GET", f"{TEMPLATE}/captions", 200, told)
        cue = {"start": 0.1, "end": 3.0, "text": "Job a. Two, and more.", "source": "piece"}
        assert (told["audio_seconds"], told["captions"]) == (3.0, [cue])

    def test_its_captions_can_be_downloaded(self, spoken: ConsoleDesk, client: httpx.Client) -> None:
        answer = client.get(f"{TAKES}/2/files/srt")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == 'inline; filename="a.take-02.srt"'
        assert "sandbox" in answer.headers["content-security-policy"]

    def test_each_revision_has_its_own(self, spoken: ConsoleDesk, client: httpx.Client) -> None:
        for what in ("", "/peaks", "/captions", "/files/srt"):
            earlier = client.get(f"{TAKES}/1{what}?revision=1")
            present = client.get(f"{TAKES}/1{what}?revision=2")
            assert (earlier.status_code, present.status_code) == (200, 200)
            assert present.content == client.get(f"{TAKES}/1{what}").content
            if what in ("", "/captions"):  # the others are alike in this test
                assert earlier.content != present.content

    def test_what_is_not_there_is_said(self, spoken: ConsoleDesk, client: httpx.Client) -> None:
        cases = [
            ("/3/peaks", 404),
            ("/1/peaks?revision=3", 404),
            ("/1/files/vtt", 404),
            ("/1/files/exe", 422),
            ("/1/files/..%2fpeaks.json", 404),
            ("/0/peaks", 422),
        ]
        for path, status in cases:
            answer = client.get(TAKES + path)
            assert answer.status_code == status, (path, answer.text)
            assert answer.json()["error"]["message"]

    def test_audio_that_left_the_store_is_not_found(self, spoken: ConsoleDesk, client: httpx.Client) -> None:
        for file in (spoken.folder / "store").rglob("*"):
            if file.is_file():
                file.unlink()
        for what in ("", "/peaks", "/files/srt"):
            assert "gone from the store" in client.get(f"{TAKES}/1{what}").json()["error"]["message"]
        assert client.get(f"{TAKES}/1/captions").status_code == 200  # these stand in the record

    def test_a_job_that_is_not_done_has_none(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("b")
        answer = client.get("/api/v1/queue/jobs/topic:b/takes/1/captions")
        assert (answer.status_code, json.loads(answer.content)["error"]["type"]) == (404, "NotFound")
