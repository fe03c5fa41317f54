"""`jobs/state.jsonl`, and of each run `events.jsonl` and `state.json`, brought up to date from the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from lib.files import alone_at, sweep_drafts, write_whole
from lib.pipeline.journal.lines import Lines
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import TrailEvent
from lib.pipeline.trail import events_after
from lib.pipeline.views import event_json, run_states

_PAGE: Final = 1000


class TrailFiles:
    """The trail as files below one folder.

    `jobs/state.jsonl` has every event, `runs/<run>/events.jsonl` those of a run, each once and in the order
    of the ledger; `runs/<run>/state.json` is the run as it stands. The files follow the ledger and nothing
    reads them back: any process may bring them up to date, at any time, as many as like. Their own last
    lines say how far they are.
    """

    def __init__(self, ledger: PipelineLedger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder

    def folder_of(self, run: str) -> Path:
        """Where the files of a run lie; the folder may not be there yet."""
        return self._folder / "runs" / run

    def catch_up(self) -> int:
        """Write what the ledger has and the files do not; how many events that were. Waits for other writers.

        Raises:
            OSError: the files cannot be written. What is missing then is written the next time.
        """
        whole = self._folder / "jobs" / "state.jsonl"
        whole.parent.mkdir(parents=True, exist_ok=True)
        with alone_at(whole) as descriptor:  # who writes here writes the files of the runs, too
            lines = Lines(descriptor)
            written = 0
            while events := events_after(self._ledger, lines.position, count=_PAGE):
                # The runs' own files come first: what stands in the whole one is in them for certain.
                self._write_runs(events, lines.position)
                lines.append([event_json(event) for event in events])
                written += len(events)
                if len(events) < _PAGE:
                    break
            return written

    def _write_runs(self, events: Sequence[TrailEvent], before: int) -> None:
        of_runs: dict[str, list[TrailEvent]] = {}
        for event in events:
            of_runs.setdefault(event.run, []).append(event)
        known = self._ledger.look(partial(_positions, runs=list(of_runs), position=before))
        states = run_states(self._ledger, list(of_runs))
        for run, mine in of_runs.items():
            folder = self.folder_of(run)
            folder.mkdir(parents=True, exist_ok=True)
            with alone_at(folder / "events.jsonl") as descriptor:
                lines = Lines(descriptor)
                if lines.position < known.get(run, 0):  # somebody took it away, or a disk lost its end
                    self._write_again(run, lines, before)
                lines.append([event_json(event) for event in mine])
            sweep_drafts(folder)
            text = json.dumps(states[run], indent=2, ensure_ascii=False)
            write_whole(folder / "state.json", f"{text}\n".encode(), sync=False)

    def _write_again(self, run: str, lines: Lines, until: int) -> None:
        while events := events_after(self._ledger, lines.position, run=run, count=_PAGE):
            lines.append([event_json(event) for event in events if event.position <= until])
            if events[-1].position >= until or len(events) < _PAGE:
                return


def _positions(transaction: Transaction, *, runs: Sequence[str], position: int) -> dict[str, int]:
    rows = transaction.all("positions_before", runs=list(runs), position=position)
    return {row["run"]: row["position"] for row in rows}
