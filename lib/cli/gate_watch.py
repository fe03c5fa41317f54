"""A screen on which gates wait and are decided by keys: the terminal's twin of the console's inbox."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from lib.cli import output
from lib.cli.colour import takes_colour
from lib.cli.gate_desk import GateDesk, GateRoom
from lib.cli.gate_lines import ReadText, desk_lines
from lib.cli.keys import TerminalKeys, single_keys
from lib.cli.players import PLAYERS, player_for
from lib.cli.screen import Draw, own_screen
from lib.cli.signals import sigterm_interrupts
from lib.clock import Clock, SystemClock
from lib.files import NotPlain, read_plain
from lib.pipeline.gate_inspection import approve_inspected
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.overview import WaitingGate, gates_inbox
from lib.pipeline.rejected_texts import reject_and_keep
from lib.pipeline.trail_files import TrailFiles

_SOUND: Final = frozenset({"wav", "flac", "mp3", "opus", "ogg", "m4a", "m4b", "mp4", "webm"})
_TEXT: Final = frozenset({"txt", "md", "json", "jsonl", "yaml", "yml", "srt", "vtt"})
_TEXT_BYTES: Final = 64 << 10  # more is on no screen
_TICK_S: Final = 0.5  # the seconds of what can be taken back are seen to pass

#: Looks, and gives what draws what it saw above the desk, in so many columns.
Above = Callable[[], Callable[[int], Sequence[str]]]


class LedgerRoom(GateRoom):
    """Gates of a ledger, decided as `job-pipeline approve` and `reject` do; files are heard here.

    `tell` is called after each decision, which stands whatever comes of that.

    Threads: one.
    """

    def __init__(
        self, ledger: PipelineLedger, trail_files: TrailFiles, operator: str, tell: Callable[[], None]
    ) -> None:
        self._ledger, self._trail_files, self._operator, self._tell = ledger, trail_files, operator, tell
        self._player: subprocess.Popen[bytes] | None = None

    def waiting(self) -> Sequence[WaitingGate]:
        """What waits, the oldest first."""
        return gates_inbox(self._ledger)

    def decide(self, gate: GateRow, approve: bool, notes: str | None) -> GateRow:
        """Decide about what was looked at: about this opening of the gate, and these files."""
        carry_out = approve_inspected if approve else reject_and_keep
        try:
            return carry_out(
                self._ledger,
                gate.run,
                gate.task,
                folder=self._trail_files.folder_of(gate.run),
                operator=self._operator,
                notes=notes,
                seen=gate.seen,
                number=gate.number,
            )
        finally:
            self._tell()

    def place_of(self, run: str, artifact: Artifact) -> Path:
        """Where a file lies."""
        return self._trail_files.folder_of(run) / artifact.path

    def hear(self, gate: GateRow, artifact: Artifact) -> str:
        """Play a file with the first player of this machine that can, or stop it."""
        if self._player is not None and self._player.poll() is None:
            self.hush()
            return ""
        place, kind = self.place_of(gate.run, artifact), artifact.path.rpartition(".")[2].lower()
        if kind not in _SOUND:
            return f"{artifact.path} is nothing to hear; it lies at {place}"
        if not place.is_file():
            return f"{artifact.path} is not here; it may lie on another computer"
        player = player_for(kind)
        if player is None:
            names = ", ".join(each.program for each in PLAYERS)
            return f"no player of this machine plays {kind}; there is none of {names}: open {place}"
        nothing = subprocess.DEVNULL
        words = [player.program, *player.options, str(place)]
        try:
            self._player = subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing)
        except OSError as error:
            return f"{player.program} cannot be started: {error.strerror}"
        return ""

    def hush(self) -> None:
        """Play nothing any more."""
        if self._player is not None:
            self._player.kill()
            self._player.wait()
            self._player = None

    def read(self, found: WaitingGate, artifact: Artifact, lines: int) -> Sequence[str]:
        """The first lines of a text; of other files none."""
        if artifact.path.rpartition(".")[2].lower() not in _TEXT:
            return []
        try:
            data = read_plain(self.place_of(found.gate.run, artifact), _TEXT_BYTES)
        except (OSError, NotPlain):
            return ["(it cannot be read here; it may lie on another computer)"]
        return data.decode("utf-8", "replace").splitlines()[:lines]


def watch_gates(
    room: LedgerRoom,
    *,
    every_s: float,
    what: str,
    above: Above | None = None,
    clock: Clock | None = None,
) -> None:
    """Show what waits and decide by keys, until Ctrl-C or `q`; then what was decided is sent at once.

    `above` gives what stands above the desk. What was sent last is said when the screen is gone.

    Raises:
        UsageError: there is no terminal for keys or for a screen.
        TerminalGone: nobody is there any more; what could still be taken back was not sent.
    """
    ticking, desk = clock or SystemClock(), GateDesk(room)
    with contextlib.ExitStack() as stack:
        stack.callback(room.hush)
        keys = stack.enter_context(single_keys(what))
        stack.enter_context(sigterm_interrupts())
        with own_screen() as redraw:  # Ctrl-C is its normal end
            upper: Callable[[int], Sequence[str]] = _nothing
            looked, seen = float("-inf"), False
            while not desk.ended:
                now = ticking.monotonic()
                if now - looked >= every_s:
                    desk.look()
                    upper = _nothing if above is None else above()
                    # Pressed while it looked: about what stood on the screen, not about what comes there.
                    if seen and not _goes_on(desk, keys.read(0.0), ticking.monotonic()):
                        break
                    looked = now
                desk.tick(now)
                screen = partial(_screen, desk, upper, now, room.read)
                redraw(screen if seen else partial(_first, screen, keys))
                seen = True
                wait_s = _TICK_S if desk.pending else max(looked + every_s - ticking.monotonic(), 0.0)
                desk.press(keys.read(wait_s), ticking.monotonic())
        said = len(desk.said)
        desk.close()
    for words in desk.said[said:]:
        output.note(words)


def _goes_on(desk: GateDesk, keys: str, now: float) -> bool:
    desk.press(keys, now)
    return not desk.ended


def _nothing(width: int) -> Sequence[str]:
    return ()


def _first(screen: Draw, keys: TerminalKeys, width: int, height: int) -> Sequence[str]:
    """The first screen: what was pressed before it was about nothing that is on it."""
    lines = screen(width, height)
    keys.forget()
    return lines


def _screen(
    desk: GateDesk,
    upper: Callable[[int], Sequence[str]],
    now: float,
    read: ReadText,
    width: int,
    height: int,
) -> list[str]:
    """What stands above has what the desk leaves of the screen, and half of it at most."""
    above = list(upper(width))[: height // 2]
    lines = desk_lines(desk, width, height - len(above), now, read, colour=takes_colour(sys.stdout))
    return [*above, *lines]
