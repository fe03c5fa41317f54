"""P32: a note at a time of a take is kept with what was heard, by whom and when, until it is settled."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from job_console.notes import LONGEST_NOTE, MOST_OF_AN_AUDIO, NoteBook, NoteRefused, UnknownNote
from lib.clock import SystemClock
from tests.doubles.console import ConsoleDesk, check_answer
from tests.doubles.spoken_jobs import perform

NOTES = "/api/v1/notes"
SHA = "a" * 64


def book(folder: Path) -> NoteBook:
    return NoteBook(folder, SystemClock())


def add(notes: NoteBook, words: str = "too fast", **given: Any) -> str:
    told: dict[str, Any] = {"operator": "ann", "seconds": 1.5, "sha256": SHA, "part": "r1.1", "job": "j"}
    return notes.add(words=words, **{**told, **given}).id


class TestTheBook:
    """The file that notes are kept in."""

    def test_they_are_there_after_a_restart(self, tmp_path: Path) -> None:
        first = book(tmp_path)
        kept, settled = add(first, "Größe — 大"), add(first, "b", seconds=0.5)
        first.settle(settled, operator="bob")
        first.close()
        again = book(tmp_path)
        assert [(note.id, note.words, note.settled_by) for note in again.of(job="j")] == [
            (settled, "b", "bob"),
            (kept, "Größe — 大", None),
        ]
        again.close()

    def test_two_processes_see_each_others(self, tmp_path: Path) -> None:
        first, second = book(tmp_path), book(tmp_path)
        mine, theirs = add(first), add(second)
        assert {note.id for note in first.of(job="j")} == {mine, theirs}
        second.settle(mine, operator="bob")
        assert first.settle(mine, operator="ann").settled_by == "bob"  # who was first
        first.close()
        second.close()

    def test_half_a_line_of_a_lost_process_hides_no_other(self, tmp_path: Path) -> None:
        first = book(tmp_path)
        before = add(first)
        with first.path.open("ab") as file:
            file.write(b'{"id": "half", "wor')
        assert [note.id for note in first.of(job="j")] == [before]
        after = add(first)
        first.close()
        again = book(tmp_path)
        assert {note.id for note in again.of(job="j")} == {before, after}
        again.close()

    def test_those_that_are_written_at_once_are_all_kept(self, tmp_path: Path) -> None:
        books = [book(tmp_path) for _ in range(3)]
        threads = [
            threading.Thread(target=lambda each=each: [add(each) for _ in range(10)]) for each in books
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(books[0].of(job="j")) == 30
        for each in books:
            each.close()

    def test_an_audio_has_so_many_and_no_more(self, tmp_path: Path) -> None:
        notes = book(tmp_path)
        first = add(notes)
        for _ in range(MOST_OF_AN_AUDIO - 1):
            add(notes)
        with pytest.raises(NoteRefused, match="settle some"):
            add(notes)
        notes.settle(first, operator="ann")
        add(notes)
        with pytest.raises(UnknownNote):
            notes.settle("nobody", operator="ann")
        notes.close()

    def test_only_its_owner_reads_it(self, tmp_path: Path) -> None:
        notes = book(tmp_path)
        assert os.stat(notes.path).st_mode & 0o077 == 0
        notes.close()


class TestOverRest:
    """The routes."""

    @pytest.fixture(autouse=True)
    def heard(self, desk: ConsoleDesk) -> None:
        desk.enqueue("a")
        perform(desk, "a", "Job a. The sea comes back.", takes=2)

    def test_note_list_and_settle(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        asked = {"job": "topic:a", "take": 2.0, "seconds": 1.25, "words": " too fast ", "operator": "ann"}
        answer = client.post(NOTES, json=asked)
        assert answer.status_code == 201, answer.text
        note = answer.json()
        check_answer("POST", "/notes", 201, note)
        assert (note["words"], note["part"], note["operator"]) == ("too fast", "r1.2", "ann")
        job = desk.queue.result("topic:a")
        done = job.done() if job else None
        assert done is not None
        assert note["sha256"] == done.takes[1].main.sha256
        listed = client.get(NOTES, params={"job": "topic:a"}).json()
        check_answer("GET", "/notes", 200, listed)
        assert (
            listed["notes"] == [note] == client.get(NOTES, params={"sha256": note["sha256"]}).json()["notes"]
        )
        settled = client.post(f"{NOTES}/{note['id']}/settle", json={"operator": "bob"}).json()
        check_answer("POST", "/notes/{note}/settle", 200, settled)
        assert settled["settled_by"] == "bob"

    def test_of_a_file_of_a_run(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start()
        desk.work(files={"voice/over.wav": b"RIFF"})
        asked = {"run": "r1", "path": "voice/over.wav", "seconds": 2, "words": "louder", "operator": "ann"}
        assert client.post(NOTES, json=asked).json()["part"] == "voice/over.wav"
        assert len(client.get(NOTES, params={"run": "r1"}).json()["notes"]) == 1

    def test_what_cannot_be_noted_is_said(self, client: httpx.Client) -> None:
        cases: list[tuple[dict[str, Any], int]] = [
            ({"operator": None}, 403),
            ({"job": "topic:b"}, 404),
            ({"take": 3}, 404),
            ({"revision": 2}, 404),
            ({"seconds": 3.6}, 404),
            ({"seconds": -1}, 422),
            ({"words": " \n"}, 422),
            ({"words": "x" * (LONGEST_NOTE + 1)}, 422),
            ({"run": "r1", "path": "x"}, 404),
            ({"job": None}, 404),
            ({"job": None, "run": "r9", "path": "x"}, 404),
            ({"more": 1}, 422),
        ]
        for changed, status in cases:
            asked = {"job": "topic:a", "take": 2, "seconds": 1.0, "words": "w", "operator": "ann", **changed}
            answer = client.post(NOTES, json=asked)
            assert answer.status_code == status, (changed, answer.text)
            check_answer("POST", "/notes", status, answer.json())
        assert client.get(NOTES, params={"job": "topic:a"}).json()["notes"] == []

    def test_of_many_the_newest_are_listed(self, client: httpx.Client) -> None:
        for number in range(3):
            asked = {"job": "topic:a", "seconds": 1.0 - number / 10, "words": f"{number}", "operator": "ann"}
            assert client.post(NOTES, json=asked).status_code == 201
        told = client.get(NOTES, params={"limit": 2}).json()["notes"]
        assert sorted(note["words"] for note in told) == ["1", "2"]

    def test_a_note_that_nobody_made_is_not_settled(self, client: httpx.Client) -> None:
        assert client.post(f"{NOTES}/{'0' * 32}/settle", json={"operator": "ann"}).status_code == 404
