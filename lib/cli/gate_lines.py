"""The desk of gates in lines of a screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lib.cli import output
from lib.cli.colour import BOLD, GREEN, RED, styled
from lib.cli.gate_desk import UNDO_S, Decision, GateDesk
from lib.cli.layout import wrapped
from lib.clock import rfc3339
from lib.pipeline.model import Artifact
from lib.pipeline.overview import WaitingGate
from lib.units import bytes_text, seconds_text

_KEYS: Final = "J/K next  1-9 file  space plays  A approves  R rejects  U takes back  Ctrl-C ends"
_MOST_GATES: Final = 6
_MOST_SAID: Final = 3

#: The first lines of a file's text, so many at most; none where it is none to read.
ReadText = Callable[[WaitingGate, Artifact, int], Sequence[str]]


def desk_lines(
    desk: GateDesk, width: int, height: int, now: float, read: ReadText, *, colour: bool
) -> list[str]:
    """All lines, `height` at most: what waits, what is looked at, what is pending, and the keys below."""
    found = desk.show()
    foot = [*_pending(desk.pending, now, width, colour=colour), *_said(desk, width)]
    foot += _asked(desk, width) if desk.note is not None else [_KEYS[:width]]
    head = [*_list(desk, found, width, colour=colour), ""]
    if found is None:
        return [*head, *foot][:height]
    room = height - len(head) - len(foot) - 1
    return [*head, *_about(desk, found, width, room, read), "", *foot][-height:]


def _list(desk: GateDesk, found: WaitingGate | None, width: int, *, colour: bool) -> list[str]:
    inbox = desk.inbox
    if not inbox:
        return ["Nothing waits for a decision."]
    place = next((at for at, each in enumerate(inbox) if found and each.gate.number == found.gate.number), 0)
    first = max(0, min(place - _MOST_GATES // 2, len(inbox) - _MOST_GATES))
    lines = [f"{len(inbox)} wait for a decision" if len(inbox) > 1 else "1 waits for a decision"]
    for at, each in enumerate(inbox[first : first + _MOST_GATES], start=first):
        gate = each.gate
        due = "" if gate.due_at is None else f", due {rfc3339(gate.due_at)[:19]}Z"
        text = f"{gate.run} {gate.task}, for {seconds_text(each.age_s)}{due} ({each.dag})"
        line = f"{'>' if at == place else ' '} {output.clean(text)}"[:width]
        lines.append(styled(line, BOLD) if colour and at == place else line)
    return lines


def _about(desk: GateDesk, found: WaitingGate, width: int, room: int, read: ReadText) -> list[str]:
    lines = []
    for before in found.before[-2:]:
        said = f": {before.notes}" if before.notes else ""
        words = f"{before.decision} in attempt {before.attempt} by {before.operator}{said}"
        lines += wrapped(output.clean(words), width)[:2]
    first = max(0, min(desk.file - 4, len(found.artifacts) - 9))
    for at, file in enumerate(found.artifacts[first : first + 9], start=first):
        digit = str(at + 1) if at < 9 else " "
        mark = "  PLACEHOLDER" if file.placeholder else ""
        text = f"{'>' if at == desk.file else ' '} {digit} {file.path}  {bytes_text(file.size)}{mark}"
        lines.append(output.clean(text)[:width])
    if len(found.artifacts) > 9:
        lines.append(f"    of {len(found.artifacts)} files")
    left = room - len(lines) - 1
    if found.artifacts and left > 0:
        text_lines = [
            line
            for text in read(found, found.artifacts[min(desk.file, len(found.artifacts) - 1)], left)
            for line in (wrapped(output.clean(text), width - 2, fold=True) or [""])
        ]
        lines += ["", *(f"  {line}" for line in text_lines[:left])] if text_lines else []
    return lines[: max(room, 0)]


def _pending(pending: Sequence[Decision], now: float, width: int, *, colour: bool) -> list[str]:
    lines = []
    for decision in pending[-3:]:
        gate, left = decision.found.gate, max(0.0, UNDO_S - (now - decision.at))
        line = f"{decision.word} in {left:.0f} s: {gate.task} of {gate.run}; U takes it back"[:width]
        lines.append(styled(line, GREEN if decision.approve else RED) if colour else line)
    return lines


def _said(desk: GateDesk, width: int) -> list[str]:
    return [line for words in desk.said[-_MOST_SAID:] for line in wrapped(output.clean(words), width)][-4:]


def _asked(desk: GateDesk, width: int) -> list[str]:
    asked = f"Why is it rejected? (Enter sends, Esc does not) {desk.note}"
    return wrapped(output.clean(asked), width, fold=True)[-3:]
