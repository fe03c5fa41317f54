"""Tells the receiver of notifications what waits for a person, once for each gate, with links that decide.

What was told is kept beside the outbox, and written behind it: whoever is killed in between tells it again,
under the same id. What nobody was told yet follows from the ledger alone, so that nothing is lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from job_pipeline.log_tags import tell
from lib.clock import Clock, SystemClock, rfc3339
from lib.errors import JobRunnerError
from lib.files import read_plain, take_lock, write_whole
from lib.foreign import parse_json
from lib.pipeline.decision_links import LinkMaker
from lib.pipeline.gates import open_gates
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import GateRow
from lib.pipeline.overview import WaitingGate, gates_inbox
from lib.pipeline.views import artifact_json, gate_json
from lib.webhooks import Outbox, WebhookSender

log = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
_LAST_POST_S: Final = 5.0  # what was told last is waited for so long, when the program ends
_LOOK_S: Final = 0.02
_TOLD: Final = "gates.told"
_MOST_BYTES: Final = 16 << 20
#: More are counted alone: a notification is read by people.
_MOST_FILES: Final = 50


class GateNotices:
    """Puts a notification `gate` into an outbox for each gate that waits, and for each reminder.

    Of several processes on one outbox one at a time does. `about` stands in each; `links` None: no link does.

    Threads: one.
    Raises: OSError where the outbox refuses, and what the ledger says; the next look makes up for it.
    """

    def __init__(
        self,
        ledger: PipelineLedger,
        outbox: Outbox,
        clock: Clock,
        *,
        about: dict[str, str],
        links: LinkMaker | None,
        hide: Callable[[str], str] = str,
    ) -> None:
        self._ledger, self._outbox, self._clock = ledger, outbox, clock
        self._about, self._links, self._hide = about, links, hide
        self._lock: int | None = None
        self._told: frozenset[str] = frozenset()

    def look(self) -> list[str]:
        """Tell of what waits and was not told; the ids that are in the outbox now."""
        if not self._has_turn():
            return []
        waiting = {self._id_of(gate): gate for gate in open_gates(self._ledger)}
        fresh = waiting.keys() - self._told
        if fresh:
            inbox = {found.gate.number: found for found in gates_inbox(self._ledger)}
            for id in sorted(fresh, key=lambda id: waiting[id].number):
                found = inbox.get(waiting[id].number)
                if found is not None:  # else it was decided since
                    self._tell(id, found)
        if fresh or self._told - waiting.keys():
            self._keep(frozenset(waiting))
        return sorted(fresh)

    def close(self) -> None:
        """Leave it to others."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _has_turn(self) -> bool:
        """Whether this process tells: the kernel gives the turn on with the process that has it."""
        if self._lock is None:
            self._lock = take_lock(self._outbox.folder / "gates.lock")
            if self._lock is not None:
                self._told = self._kept()
        return self._lock is not None

    def _tell(self, id: str, found: WaitingGate) -> None:
        now = self._clock.now()
        files = [
            {**artifact_json(file), "path": self._hide(file.path)} for file in found.artifacts[:_MOST_FILES]
        ]
        told: dict[str, Any] = {
            "id": id,
            "at": rfc3339(now),
            **self._about,
            "event": "gate",
            "reminder": found.gate.reminded_at is not None,
            "dag": found.dag,
            **{name: value for name, value in gate_json(found.gate).items() if name in _SAID},
            "files": files,
            "more_files": len(found.artifacts) - len(files),
            "links": [] if self._links is None else self._links.links_to(found.gate, now),
        }
        self._outbox.add(id, told, now)
        gate = found.gate
        tell(
            log, "gate", "gate_told", "told the receiver", run=gate.run, task=gate.task, attempt=gate.attempt
        )

    def _id_of(self, gate: GateRow) -> str:
        """The same for the same question, whoever asks and however often; another one for its reminder."""
        parts = ("gate", self._about["deployment"], gate.run, gate.task, str(gate.number))
        told = (*parts, repr(gate.opened_at), repr(gate.reminded_at))
        return hashlib.sha256("\0".join(told).encode()).hexdigest()[:32]

    def _kept(self) -> frozenset[str]:
        try:
            return frozenset(parse_json(read_plain(self._outbox.folder / _TOLD, _MOST_BYTES)))
        except (OSError, ValueError, TypeError):  # none yet, or torn: ids are told again, which are the same
            return frozenset()

    def _keep(self, told: frozenset[str]) -> None:
        write_whole(self._outbox.folder / _TOLD, json.dumps(sorted(told)).encode(), sync=True)
        self._told = told


_SAID: Final = frozenset({"run", "stage", "attempt", "seen", "opened_at", "due_at"})


@contextlib.contextmanager
def kept_notices(
    open_ledger: Callable[[], PipelineLedger],
    outbox: Outbox,
    sender: WebhookSender,
    *,
    about: dict[str, str],
    links: LinkMaker | None,
    hide: Callable[[str], str] = str,
    every_s: float = _EVERY_S,
    last_s: float = _LAST_POST_S,
) -> Iterator[None]:
    """Within the block, tell of each gate that waits, and send it; at its end once more, for `last_s`.

    It has a connection of its own. While the database is away or the disk refuses, it tries again.

    Threads: its own, and the sender's. Raises: what opening the ledger says.
    """
    ledger = open_ledger()
    notices = GateNotices(ledger, outbox, SystemClock(), about=about, links=links, hide=hide)
    keeper = _NoticeKeeper(notices, outbox, sender, every_s)
    try:
        yield
    finally:
        keeper.close(last_s)
        notices.close()
        ledger.database.close()


class _NoticeKeeper:
    def __init__(self, notices: GateNotices, outbox: Outbox, sender: WebhookSender, every_s: float) -> None:
        self._notices, self._outbox, self._sender, self._every_s = notices, outbox, sender, every_s
        self._stop, self._trouble = threading.Event(), ""
        self._open: set[str] = set()  # told and not taken yet, as far as we know
        sender.start()
        self._thread = threading.Thread(target=self._run, name="gate notices", daemon=True)
        self._thread.start()

    def close(self, within_s: float) -> None:
        """Look a last time, and wait a little until it is taken: what is not stays for who comes next."""
        self._stop.set()
        self._thread.join()
        until = time.monotonic() + within_s
        while any(self._outbox.holds(id) for id in self._open) and time.monotonic() < until:
            time.sleep(_LOOK_S)
        self._sender.stop()

    def _run(self) -> None:
        while True:
            last = self._stop.wait(self._every_s)
            self._look()
            if last:
                return

    def _look(self) -> None:
        try:
            fresh = self._notices.look()
        except (OSError, JobRunnerError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if reason != self._trouble:  # once, while it lasts
                log.warning("nobody is told of gates for now: %s", reason)
            self._trouble = reason
            return
        except Exception:  # without this thread nobody would ever hear of a gate
            log.exception("nobody was told of gates")
            return
        self._trouble = ""
        self._open = {id for id in (*self._open, *fresh) if self._outbox.holds(id)}
        if fresh:
            self._sender.wake()
