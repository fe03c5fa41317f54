"""`jobs/state.jsonl`, and of each run `events.jsonl` and `state.json`, brought up to date from the ledger."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lib.files import alone_at, sweep_drafts, write_whole_alone
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import TrailEvent
from lib.pipeline.trail import events_after
from lib.pipeline.trail_files.lines import Lines, line_of, page_of
from lib.pipeline.views import event_json, run_states


class TrailFiles:
    """The trail as files below one folder.

    `jobs/state.jsonl` has every event, `runs/<run>/events.jsonl` those of a run, each once and in the order
    of the ledger; `runs/<run>/state.json` is the run as it stands. The files follow the ledger and nothing
    reads them back: any process may bring them up to date, at any time, as many as like. Their own last
    lines say how far they are. `page` events are written at once.
    """

    def __init__(self, ledger: PipelineLedger, folder: Path, *, page: int = 1000) -> None:
        self.page = page
        self._ledger = ledger
        self._folder, self._whole = folder, folder / "jobs" / "state.jsonl"
        self._written = -1  # when we wrote last, as the file has it; nanoseconds

    def folder_of(self, run: str) -> Path:
        """Where the files of a run lie; the folder may not be there yet."""
        return self._folder / "runs" / run

    def others_wrote(self, within_s: float) -> bool:
        """Whether another process wrote in the last `within_s` seconds, and so will write what follows."""
        try:
            at = self._whole.stat().st_mtime_ns
        except OSError:
            return False
        return at != self._written and 0 <= time.time() - at / 1e9 < within_s

    def catch_up(self, *, pages: float = math.inf, unless_others_s: float = 0.0) -> int:
        """Write what the ledger has and the files do not; how many events that were. Waits for other writers.

        With `pages` only so much of it: `page` events each. Nothing where `others_wrote` in the last
        `unless_others_s` seconds, be it while this waited for them.

        Raises:
            OSError: the files cannot be written. What is missing then is written the next time.
        """
        self._whole.parent.mkdir(parents=True, exist_ok=True)
        with alone_at(self._whole) as descriptor:  # who writes here writes the files of the runs, too
            if self.others_wrote(unless_others_s):
                return 0
            lines = Lines(descriptor)
            written = 0
            while events := events_after(self._ledger, lines.position, count=self.page):
                # The runs' own files come first: what stands in the whole one is in them for certain.
                texts = [line_of(event_json(event)) for event in events]
                self._write_runs(events, texts, lines.position)
                lines.append(texts)
                written += len(events)
                if len(events) < self.page or written == pages * self.page:
                    break
            if written:
                self._written = os.fstat(descriptor).st_mtime_ns
            return written

    def _write_runs(
        self, events: Sequence[TrailEvent], texts: Sequence[tuple[int, str]], before: int
    ) -> None:
        of_runs: dict[str, list[tuple[int, str]]] = {}
        for event, text in zip(events, texts, strict=True):
            of_runs.setdefault(event.run, []).append(text)
        known = self._ledger.look(partial(_positions, runs=list(of_runs), position=before))
        states = run_states(self._ledger, list(of_runs))
        for run, mine in of_runs.items():
            folder = self.folder_of(run)
            if not os.path.isdir(folder):
                folder.mkdir(parents=True, exist_ok=True)
            with alone_at(folder / "events.jsonl") as descriptor:
                lines = Lines(descriptor)
                if lines.position < known.get(run, 0):  # somebody took it away, or a disk lost its end
                    self._write_again(run, lines, before)
                lines.append(mine)
            state = states[run]
            if state["finished_at"] is not None:  # what killed tasks left; nobody writes there any more
                sweep_drafts(folder)
            write_whole_alone(folder / "state.json", page_of(state).encode())  # under the lock of the trail

    def _write_again(self, run: str, lines: Lines, until: int) -> None:
        while events := events_after(self._ledger, lines.position, run=run, count=self.page):
            lines.append(line_of(event_json(event)) for event in events if event.position <= until)
            if events[-1].position >= until or len(events) < self.page:
                return


def _positions(transaction: Transaction, *, runs: Sequence[str], position: int) -> dict[str, int]:
    rows = transaction.all("positions_before", runs=list(runs), position=position)
    return {row["run"]: row["position"] for row in rows}
