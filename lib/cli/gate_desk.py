"""A desk for gates: which wait, which one is looked at, what was decided and can still be taken back.

It knows no terminal: it is given keys and the time, and gives lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lib.cli.keys import ENTER, ERASE, ESCAPE
from lib.errors import JobRunnerError
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.overview import WaitingGate

#: Seconds within which a decision can be taken back: it is sent when they are over.
UNDO_S: Final = 10.0
_LONGEST_NOTE: Final = 10_000


class GateRoom(Protocol):
    """Where gates wait and are decided, and where their files lie."""

    def waiting(self) -> Sequence[WaitingGate]:
        """What waits, the oldest first. Raises JobRunnerError."""
        ...

    def decide(self, gate: GateRow, approve: bool, notes: str | None) -> GateRow:
        """Decide about what was looked at. Raises JobRunnerError; somebody else may have been first."""
        ...

    def hear(self, gate: GateRow, artifact: Artifact) -> str:
        """Play a file, or stop what plays; what there is to say of it, empty: nothing."""
        ...

    def hush(self) -> None:
        """Play nothing any more."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided at the desk and is not sent yet; `at` is when, in monotonic seconds."""

    found: WaitingGate
    approve: bool
    notes: str | None
    at: float

    @property
    def word(self) -> str:
        """In one word."""
        return "approved" if self.approve else "rejected"


class GateDesk:
    """Gates that wait, on the desk of one operator.

    Threads: one.
    Raises: nothing; what goes wrong is `said`.
    """

    def __init__(self, room: GateRoom) -> None:
        self._room = room
        self._inbox: list[WaitingGate] = []
        self._number = 0  # of the gate that is looked at, as the ledger counts them
        self._shown: WaitingGate | None = None  # what the operator has before the eyes: it is decided about
        self.file = 0
        self.pending: list[Decision] = []
        self.note: str | None = None  # what was typed of the note to a rejection; None: none is asked for
        self.said: list[str] = []
        self.ended = False

    @property
    def inbox(self) -> list[WaitingGate]:
        """What waits and was not decided here."""
        decided = {decision.found.gate.number for decision in self.pending}
        return [found for found in self._inbox if found.gate.number not in decided]

    @property
    def looked_at(self) -> WaitingGate | None:
        """The gate that the next key is about; None: none waits."""
        inbox = self.inbox
        here = next((found for found in inbox if found.gate.number == self._number), None)
        # What was looked at is gone: the next newer one takes its place, which stood below it.
        newer = next((found for found in inbox if found.gate.number > self._number), None)
        return here or newer or (inbox[-1] if inbox else None)

    def show(self) -> WaitingGate | None:
        """What is looked at, for whoever draws it: from now on keys are about that."""
        if self.note is None:
            self._shown = self.looked_at
        return self._shown

    def look(self) -> None:
        """See what waits now."""
        try:
            self._inbox = list(self._room.waiting())
        except JobRunnerError as error:
            self._say(f"what waits is not known for now: {error.message}")
            return
        if (found := self.looked_at) is not None and found.gate.number != self._number and self.note is None:
            self._turn_to(found)

    def press(self, keys: str, now: float) -> None:
        """Do what keys say, one after the other; `now` is in monotonic seconds."""
        for key in keys:
            if self.note is not None:
                self._type(key, now)
            else:
                self._do(key, now)

    def tick(self, now: float) -> None:
        """Send each decision whose time to be taken back is over."""
        due = [decision for decision in self.pending if now - decision.at >= UNDO_S]
        for decision in due:
            self._send(decision)

    def close(self) -> None:
        """Send what was decided, for nobody takes it back any more."""
        self._room.hush()
        for decision in [*self.pending]:
            self._send(decision)

    def _do(self, key: str, now: float) -> None:
        match key.lower():
            case "j":
                self._step(1)
            case "k":
                self._step(-1)
            case "a":
                self._decide(True, None, now)
            case "r":
                self.note = "" if self._in_sight() is not None else None
            case "u":
                self._take_back()
            case " ":
                self._hear()
            case "q":
                self.ended = True
            case digit if digit in "123456789":
                self._pick(int(digit))

    def _step(self, by: int) -> None:
        inbox, found = self.inbox, self.looked_at
        if found is not None:
            place = inbox.index(found) + by
            self._shown = inbox[min(max(place, 0), len(inbox) - 1)]
            self._turn_to(self._shown)

    def _turn_to(self, found: WaitingGate) -> None:
        if found.gate.number != self._number:
            self._room.hush()
            self._number, self.file = found.gate.number, 0

    def _pick(self, number: int) -> None:
        found = self.looked_at
        if found is None:
            return
        if number > len(found.artifacts):
            self._say(f"there is no file {number}; the stage made {len(found.artifacts)}")
            return
        self._room.hush()
        self.file = number - 1

    def _hear(self) -> None:
        found = self.looked_at
        if found is None or not found.artifacts:
            self._say("there is no file to hear")
            return
        if words := self._room.hear(found.gate, found.artifacts[self.file]):
            self._say(words)

    def _type(self, key: str, now: float) -> None:
        assert self.note is not None
        if key == ENTER:
            words, self.note = " ".join(self.note.split()), None
            self._decide(False, words or None, now)
        elif key == ESCAPE:
            self.note = None
        elif key in ERASE:
            self.note = self.note[:-1]
        elif key.isprintable() and len(self.note) < _LONGEST_NOTE:
            self.note += key

    def _decide(self, approve: bool, notes: str | None, now: float) -> None:
        found = self._shown if self.note is not None or not approve else self._in_sight()
        if found is None:
            return
        self._room.hush()
        self.pending.append(Decision(found, approve, notes, now))
        if (following := self.looked_at) is not None:
            self._turn_to(following)

    def _in_sight(self) -> WaitingGate | None:
        """What is decided about; None where it is not what the operator saw, which is said."""
        found = self.looked_at
        if found is None:
            self._say("nothing waits for a decision")
        elif self._shown is None or self._shown.gate.number != found.gate.number:
            self._say("that was decided meanwhile; this is another one: look first")
            return None
        return None if found is None else self._shown

    def _take_back(self) -> None:
        if not self.pending:
            self._say("there is nothing to take back")
            return
        decision = self.pending.pop()
        gate = decision.found.gate
        self._shown = decision.found
        self._turn_to(decision.found)
        self._say(f"taken back: {gate.task} of {gate.run} waits on")

    def _send(self, decision: Decision) -> None:
        gate = decision.found.gate
        try:
            self._room.decide(gate, decision.approve, decision.notes)
        except JobRunnerError as error:
            self.pending.remove(decision)
            self._say(f"{gate.task} of {gate.run} was not {decision.word}: {error.message}")
            return
        self.pending.remove(decision)  # not before: Ctrl-C may come in between, and then it is sent again
        self._inbox = [found for found in self._inbox if found.gate.number != gate.number]
        self._say(f"{decision.word}: {gate.task} of {gate.run}")

    def _say(self, words: str) -> None:
        if not self.said or self.said[-1] != words:
            self.said.append(words)
