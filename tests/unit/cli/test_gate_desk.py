"""P20: gates are decided by keys, about what is on the screen, and can be taken back for ten seconds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lib.cli import gate_watch
from lib.cli.gate_desk import UNDO_S, GateDesk
from lib.cli.gate_lines import desk_lines
from lib.cli.gate_watch import LedgerRoom
from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.pipeline.failures import AlreadyDecided
from lib.pipeline.gates import approve_gate, open_gates, reject_gate
from lib.pipeline.overview import WaitingGate
from lib.pipeline.runs import advance
from lib.pipeline.trail import events_after
from lib.pipeline.views import get_job_status
from tests.doubles.console import ConsoleDesk, sound


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ConsoleDesk]:
    shop = ConsoleDesk(tmp_path, MemoryQueue())
    for run in ("r1", "r2", "r3"):
        shop.start(run)
        shop.work(run, files={"a.md": f"The story of {run}.".encode(), "b.wav": sound(), "c.png": b"x"})
    yield shop
    shop.close()


def room_of(shop: ConsoleDesk) -> LedgerRoom:
    return LedgerRoom(shop.ledger, shop.parts.trail_files, "ann", lambda: None)


@pytest.fixture
def desk(shop: ConsoleDesk) -> GateDesk:
    desk = GateDesk(room_of(shop))
    desk.look()
    desk.show()
    return desk


def decided(shop: ConsoleDesk, run: str) -> tuple[str | None, str | None, str | None]:
    gate = get_job_status(shop.ledger, run).gates[-1]
    return gate.decision, gate.operator, gate.notes


def looked_at(desk: GateDesk) -> str | None:
    found = desk.looked_at
    return None if found is None else found.gate.run


class TestKeys:
    """J and K go, A and R decide, U takes back."""

    def test_j_and_k_go_and_stay_at_the_ends(self, desk: GateDesk) -> None:
        seen = []
        for key in "jJjkKk":
            desk.press(key, 0.0)
            seen.append(looked_at(desk))
        assert seen == ["r2", "r3", "r3", "r2", "r1", "r1"]

    def test_a_decision_is_sent_when_it_cannot_be_taken_back_any_more(
        self, shop: ConsoleDesk, desk: GateDesk
    ) -> None:
        desk.press("a", 100.0)
        assert looked_at(desk) == "r2"
        desk.tick(100.0 + UNDO_S - 0.1)
        assert decided(shop, "r1")[0] is None
        desk.tick(100.0 + UNDO_S)
        assert decided(shop, "r1") == ("approved", "ann", None)
        assert desk.said == ["approved: script of r1"]

    def test_the_trail_is_that_of_the_command(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        desk.press("a", 0.0)
        desk.press("jrtoo long\n", 0.0)  # of r3
        desk.close()
        approve_gate(shop.ledger, "r2", "script", operator="ann")
        approved, by_command, rejected = (
            [
                (event.kind, event.task, {**event.data, "seconds": 0})
                for event in events_after(shop.ledger, 0, run=run)
            ]
            for run in ("r1", "r2", "r3")
        )
        assert approved == by_command
        kind, stage, told = rejected[-1]
        assert (kind, stage, told["operator"], told["notes"]) == (
            "gate_rejected",
            "script",
            "ann",
            "too long",
        )

    def test_a_rejection_asks_why_and_words_are_no_keys(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        desk.press("jR", 0.0)
        desk.press("a\x7fjuq ä\x00moon\n", 0.0)
        assert (desk.ended, looked_at(desk)) == (False, "r3")
        desk.close()
        assert decided(shop, "r2") == ("rejected", "ann", "juq ämoon")
        assert decided(shop, "r1")[0] is None

    def test_escape_rejects_nothing(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        desk.press("rno\x1b", 0.0)
        assert (desk.note, desk.pending) == (None, [])

    def test_u_takes_the_last_one_back(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        desk.press("a", 0.0)
        desk.show()
        desk.press("aUx", 0.0)
        assert looked_at(desk) == "r2"
        desk.close()
        assert [decided(shop, run)[0] for run in ("r1", "r2", "r3")] == ["approved", None, None]
        desk.press("u", 0.0)
        assert desk.said[-1] == "there is nothing to take back"

    def test_nothing_is_decided_that_was_not_seen(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        desk.press("aa", 0.0)  # the second came before the next gate was on the screen
        desk.close()
        assert [decided(shop, run)[0] for run in ("r1", "r2", "r3")] == ["approved", None, None]
        desk.look()
        desk.show()
        approve_gate(shop.ledger, "r2", "script", operator="bob")
        desk.look()  # and nobody has drawn it yet
        desk.press("a", 0.0)
        desk.press("r", 0.0)
        assert (desk.pending, desk.note) == ([], None)
        assert "look first" in desk.said[-1]

    def test_a_note_is_about_what_was_on_the_screen_when_it_was_begun(
        self, shop: ConsoleDesk, desk: GateDesk
    ) -> None:
        desk.press("r", 0.0)
        approve_gate(shop.ledger, "r1", "script", operator="bob")
        desk.look()
        desk.show()
        desk.press("no\n", 0.0)
        desk.close()
        assert [decided(shop, run)[0] for run in ("r1", "r2", "r3")] == ["approved", None, None]
        assert "was approved by bob" in desk.said[-1]

    def test_a_decision_that_somebody_else_made_first_is_told(
        self, shop: ConsoleDesk, desk: GateDesk
    ) -> None:
        desk.press("a", 0.0)
        reject_gate(shop.ledger, "r1", "script", operator="bob")
        advance(shop.ledger, "r1", operator="bob")
        shop.work("r1", files={"a.md": b"The story of r1.", "b.wav": sound(), "c.png": b"x"})
        desk.tick(UNDO_S)
        assert "was not approved" in desk.said[-1]
        assert decided(shop, "r1")[0] is None  # what was made since waits for who looks at it

    def test_what_changed_since_it_was_shown_is_not_approved(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        (shop.folder / "runs" / "r1" / "a.md").write_text("Another story.")
        desk.press("a", 0.0)
        desk.close()
        assert decided(shop, "r1")[0] is None
        assert "has changed since it was made" in desk.said[-1]

    def test_a_signal_in_between_loses_no_decision(
        self, shop: ConsoleDesk, desk: GateDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        desk.press("a", 0.0)
        with monkeypatch.context() as patched:
            patched.setattr(LedgerRoom, "decide", interrupted)
            with pytest.raises(KeyboardInterrupt):
                desk.tick(UNDO_S)
        desk.close()
        assert decided(shop, "r1")[0] == "approved"

    def test_an_empty_desk_takes_every_key(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        for gate in open_gates(shop.ledger):
            approve_gate(shop.ledger, gate.run, gate.task, operator="bob")
        desk.look()
        desk.show()
        desk.press("jkaru1 9\x1b\n", 0.0)
        assert desk.pending == []


class TestFiles:
    """1 to 9 choose, the space bar plays."""

    def test_what_cannot_be_heard_says_where_it_lies(
        self, shop: ConsoleDesk, desk: GateDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        desk.press("3 ", 0.0)
        assert str(shop.folder / "runs" / "r1" / "c.png") in desk.said[-1]
        desk.press("2 ", 0.0)
        assert "no player of this machine plays wav" in desk.said[-1]
        desk.press("9", 0.0)
        assert "there is no file 9" in desk.said[-1]

    def test_a_player_plays_the_file_and_is_ended(
        self, shop: ConsoleDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fifo = tmp_path / "heard"
        os.mkfifo(fifo)
        player = tmp_path / "bin" / "aplay"
        player.parent.mkdir()
        player.write_text(f'#!/bin/sh\necho "$2" > {fifo}\nexec /bin/sleep 60\n')
        player.chmod(0o755)
        monkeypatch.setenv("PATH", str(player.parent))
        room = room_of(shop)
        desk = GateDesk(room)
        desk.look()
        desk.press("2 ", 0.0)
        assert fifo.read_text() == f"{shop.folder / 'runs' / 'r1' / 'b.wav'}\n"
        process = room._player
        assert process is not None
        desk.press("j", 0.0)  # the next gate is not heard beside it
        assert process.returncode is not None


class TestScreen:
    """It fits, tells what there is, and no text steers the terminal."""

    @pytest.mark.parametrize("size", [(80, 24), (40, 12), (200, 60), (30, 10)])
    def test_it_fits(self, shop: ConsoleDesk, desk: GateDesk, size: tuple[int, int]) -> None:
        width, height = size
        (shop.folder / "runs" / "r1" / "a.md").write_text("long words " * 500 + "\n" * 100)
        for keys in ("", "r" + "x" * 300, "\x1b", "a", "j"):
            desk.press(keys, 0.0)
            lines = desk_lines(desk, width, height, 1.0, room_of(shop).read, colour=False)
            assert len(lines) <= height
            assert max(map(len, lines)) <= width

    def test_it_shows_the_text_and_what_is_pending(self, shop: ConsoleDesk, desk: GateDesk) -> None:
        text = "\n".join(desk_lines(desk, 100, 24, 0.0, room_of(shop).read, colour=False))
        assert "> 1 a.md" in text
        assert "The story of r1." in text
        desk.press("a", 0.0)
        text = "\n".join(desk_lines(desk, 100, 24, 4.0, room_of(shop).read, colour=False))
        assert "approved in 6 s: script of r1; U takes it back" in text
        assert "The story of r2." in text

    def test_no_text_steers_the_terminal(self, shop: ConsoleDesk) -> None:
        evil = "\x1b[2J\x07"
        reject_gate(shop.ledger, "r1", "script", operator="bob", notes=evil)
        advance(shop.ledger, "r1", operator="bob")
        shop.work("r1", files={"a.md": f"{evil}story".encode()})
        desk = GateDesk(room_of(shop))
        desk.look()
        desk.press("jjjr" + evil, 0.0)
        lines = desk_lines(desk, 100, 40, 0.0, room_of(shop).read, colour=False)
        assert "story" in "".join(lines)
        assert not [line for line in lines if "\x1b" in line or "\x07" in line]


class Pressed:
    """Keys as `single_keys` gives them, pressed by the test."""

    def __init__(self, clock: ManualClock) -> None:
        self.buffer, self._clock = "", clock

    def read(self, within_s: float) -> str:
        self._clock.advance(within_s)
        keys, self.buffer = self.buffer or "q" * (within_s > 0 and self._clock.monotonic() > 3), ""
        return keys

    def forget(self) -> None:
        self.buffer = ""


def test_a_key_counts_for_what_was_on_the_screen_when_it_was_pressed(
    shop: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(0)
    keys = Pressed(clock)
    drawn: list[str] = []

    class SlowRoom(LedgerRoom):
        def waiting(self) -> Sequence[WaitingGate]:
            keys.buffer += "a"  # pressed while it looks
            if drawn:
                with contextlib.suppress(AlreadyDecided):
                    approve_gate(shop.ledger, "r1", "script", operator="bob")
            return super().waiting()

    monkeypatch.setattr(gate_watch, "single_keys", lambda what: contextlib.nullcontext(keys))
    draw = contextlib.nullcontext(lambda lines: drawn.extend(lines(80, 24)))
    monkeypatch.setattr(gate_watch, "own_screen", lambda: draw)
    room = SlowRoom(shop.ledger, shop.parts.trail_files, "ann", lambda: None)
    gate_watch.watch_gates(room, every_s=2.0, what="--watch", clock=clock)
    assert "The story of r2." in "\n".join(drawn)
    assert [decided(shop, run)[1] for run in ("r1", "r2", "r3")] == ["bob", None, None]
