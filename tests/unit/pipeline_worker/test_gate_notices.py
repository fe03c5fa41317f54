"""P20, W19: the receiver of notifications hears of each gate that waits, with links that decide."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from job_pipeline.gate_notices import GateNotices, kept_notices
from lib.clock import ManualClock, SystemClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.pipeline.decision_links import LinkMaker
from lib.pipeline.gates import reject_gate, time_out_gates
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import GateRule
from lib.pipeline.runs import NewRun, StageRules, advance, start_job
from lib.pipeline.snapshots import save_snapshot
from lib.sql import open_database
from lib.webhooks import Outbox, WebhookSender, open_sender, receiver_of
from tests.doubles.console import GATED, TOKEN, ConsoleDesk
from tests.unit.webhooks.test_delivery import Ear

ABOUT = {"deployment": "test", "host": "here"}
SECRET = "a long random text"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ConsoleDesk]:
    desk = ConsoleDesk(tmp_path, MemoryQueue())
    yield desk
    desk.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "webhooks")


def notices(desk: ConsoleDesk, outbox: Outbox, links: LinkMaker | None = None) -> GateNotices:
    return GateNotices(desk.ledger, outbox, ManualClock(), about=ABOUT, links=links)


def bodies(outbox: Outbox) -> list[dict[str, Any]]:
    found = [outbox.body(each) for each in outbox.waiting()]
    return [json.loads(body) for body in found if body is not None]


def at_gate(desk: ConsoleDesk, run: str = "r1") -> None:
    desk.start(run)
    desk.work(run, files={"script.md": b"The sea."})


class TestWhatIsTold:
    """Each gate in effect once, and each reminder; what is decided meanwhile is not told."""

    def test_a_gate_with_its_files_and_links(self, desk: ConsoleDesk, outbox: Outbox) -> None:
        at_gate(desk)
        links = LinkMaker("https://console.example.org", TOKEN, ["ann", "bob"], 3600.0)
        (id,) = notices(desk, outbox, links).look()
        (told,) = bodies(outbox)
        assert (told["id"], told["event"], told["reminder"]) == (id, "gate", False)
        assert (told["run"], told["stage"], told["dag"], told["attempt"]) == ("r1", "script", "gated", 1)
        assert [file["path"] for file in told["files"]] == ["script.md"]
        assert [link["operator"] for link in told["links"]] == ["ann", "bob"]
        assert TOKEN not in json.dumps(told)

    def test_without_an_address_of_the_console_no_link(self, desk: ConsoleDesk, outbox: Outbox) -> None:
        at_gate(desk)
        notices(desk, outbox).look()
        assert bodies(outbox)[0]["links"] == []

    def test_once_however_often_and_by_whom_it_is_looked_at(self, desk: ConsoleDesk, outbox: Outbox) -> None:
        at_gate(desk)
        first = notices(desk, outbox)
        (id,) = first.look()
        (waiting,) = outbox.waiting()
        outbox.remove(waiting)  # it was taken
        assert first.look() == []
        second = notices(desk, outbox)
        assert second.look() == []  # it is not its turn
        first.close()
        assert second.look() == []  # it is, and everything was told
        assert outbox.waiting() == []
        at_gate(desk, "r2")
        assert len(second.look()) == 1
        assert not outbox.holds(id)

    def test_a_stage_made_anew_and_a_reminder_are_told_under_other_ids(
        self, desk: ConsoleDesk, outbox: Outbox
    ) -> None:
        clock = ManualClock()
        ledger = PipelineLedger(desk.database, clock=clock)
        snapshot = save_snapshot(ledger, GATED.graph())
        rules = StageRules(gates={"script": GateRule(timeout_s=60.0, on_timeout="remind")})
        start_job(ledger, snapshot.id, NewRun(id="r1", inputs={}), rules)
        desk.ledger = ledger
        desk.work("r1")
        told = notices(desk, outbox)
        (first,) = told.look()
        clock.advance(61)
        time_out_gates(ledger)
        (reminder,) = told.look()
        reject_gate(ledger, "r1", "script", operator="ann")
        assert told.look() == []
        advance(ledger, "r1", operator="ann")
        desk.work("r1")
        (again,) = told.look()
        assert len({first, reminder, again}) == 3
        assert sorted(each["reminder"] for each in bodies(outbox)) == [False, False, True]

    def test_what_was_decided_before_anybody_looked_is_not_told(
        self, desk: ConsoleDesk, outbox: Outbox
    ) -> None:
        at_gate(desk)
        reject_gate(desk.ledger, "r1", "script", operator="ann")
        assert notices(desk, outbox).look() == []

    def test_very_many_files_are_counted(self, desk: ConsoleDesk, outbox: Outbox) -> None:
        desk.start()
        desk.work(files={f"{number}.txt": b"x" for number in range(60)})
        notices(desk, outbox).look()
        (told,) = bodies(outbox)
        assert (len(told["files"]), told["more_files"]) == (50, 10)

    def test_who_is_killed_in_between_loses_nothing_and_tells_the_same_id(
        self, desk: ConsoleDesk, outbox: Outbox
    ) -> None:
        at_gate(desk)
        program = (
            "import os, signal, sys; from pathlib import Path\n"
            "from tests.unit.pipeline_worker import test_gate_notices as t\n"
            "t.GateNotices._keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            "t.look_in(Path(sys.argv[1]))\n"
        )
        child = subprocess.run([sys.executable, "-c", program, str(desk.folder)], check=False)
        assert child.returncode == -signal.SIGKILL
        (killed,) = bodies(outbox)
        assert notices(desk, outbox).look() == [killed["id"]]
        assert len(outbox.waiting()) == 1

    def test_an_outbox_that_refuses_is_made_up_for(
        self, desk: ConsoleDesk, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_gate(desk)
        told = notices(desk, outbox)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(outbox, "add", full)
            with pytest.raises(OSError, match="space"):
                told.look()
        assert len(told.look()) == 1


def look_in(folder: Path) -> None:
    """Look once, in a process of its own."""
    ledger = PipelineLedger(open_database(f"sqlite:///{folder / 'pipeline.db'}"))
    outbox = Outbox(folder / "webhooks")
    GateNotices(ledger, outbox, SystemClock(), about=ABOUT, links=None).look()


class TestBesideAProgram:
    """Within the block each gate is told and sent; the link in it decides."""

    def test_the_link_that_was_sent_decides(self, desk: ConsoleDesk, tmp_path: Path) -> None:
        ear = Ear()
        try:
            with desk.client({}) as phone:
                links = LinkMaker(str(phone.base_url).rstrip("/"), TOKEN, ["ann"], 3600.0)
                outbox, sender = open_sender(tmp_path / "webhooks", ear.url, SECRET, SystemClock())
                opened = open_database(f"sqlite:///{tmp_path / 'pipeline.db'}")
                with kept_notices(
                    lambda: PipelineLedger(opened), outbox, sender, about=ABOUT, links=links, every_s=0.01
                ):
                    at_gate(desk)
                ((_, body),) = ear.heard  # at the end of the block at the latest
                (link,) = json.loads(body)["links"]
                assert phone.post(link["url"], data={"decision": "approve"}).status_code == 303
                assert "approved by ann" in phone.get(link["url"]).text
        finally:
            ear.close()

    def test_a_receiver_that_is_away_hears_it_from_who_comes_next(
        self, desk: ConsoleDesk, tmp_path: Path
    ) -> None:
        outbox = Outbox(tmp_path / "webhooks")
        away = WebhookSender(outbox, receiver_of("http://127.0.0.1:9/"), SECRET, SystemClock())
        opened = open_database(f"sqlite:///{tmp_path / 'pipeline.db'}")
        at_gate(desk)
        with kept_notices(lambda: PipelineLedger(opened), outbox, away, about=ABOUT, links=None, last_s=0.0):
            pass
        assert [each["run"] for each in bodies(outbox)] == ["r1"]
        assert os.listdir(tmp_path / "webhooks").count("gates.told") == 1
