"""What an operator may do to a queue beyond the port: empty it and mend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final

from lib.errors import BadConfiguration
from lib.jobqueue.admin.observed import Flushed as Flushed
from lib.jobqueue.admin.observed import Misfit as Misfit
from lib.jobqueue.errors import JobsHeld
from lib.jobqueue.model import PRIORITIES
from lib.jobqueue.options import QueueOptions
from lib.jobqueue.port import JobQueue
from lib.jobqueue.redis.durability import Durability
from lib.jobqueue.redis.inspection import Inspector
from lib.jobqueue.redis.keys import GROUP, Keys
from lib.jobqueue.redis.rows import DAMAGED, state_in
from lib.jobqueue.redis.scripts import load
from lib.redislink.transport import Transport
from lib.redislink.wire import Argument

_IDS_AT_ONCE: Final = 200

#: Everything that can be wrong between the keys, in the words of the scripts.
MISFITS: Final = (
    *(
        "unreachable",
        "unleased",
        "undelivered",
        "undue",
        "unspecified",
        "unrecorded",
        "unlisted",
        "unbatched",
    ),
    *("stray_entry", "lost_entry", "stray_lease", "stray_delay", "stray_record", "stray_listing"),
    *("stray_spec", "stray_note", "wrong_counter", "stray_batch", "damaged"),
)


class Upkeep:
    """`Admin` of a queue on a server. Every change is made by a script, under the rules of the others.

    Raises, from every method:
        Unavailable: the server does not answer.
    """

    def __init__(self, transport: Transport, keys: Keys, options: QueueOptions) -> None:
        self._transport = transport
        self._keys = keys
        self._options = options
        self.inspector = Inspector(transport, keys)
        self.durability = Durability(transport, keys, self.inspector)

    def _run(self, name: str, *arguments: Argument) -> Any:
        script = load(name)
        return self._transport.evaluate(script, self._keys.named(script.keys), arguments)

    def _unlink(self, keys: Sequence[str]) -> None:
        self._transport.repeat(lambda: self._transport.ask("UNLINK", *keys))

    # --- flush -------------------------------------------------------------------------------------------

    def flush(self, *, hard: bool, force: bool) -> Flushed:
        """Delete what is under way, or with `hard` every key under the prefix.

        Killed in the middle, the same call finishes the rest; jobs enqueued meanwhile stay.

        Raises:
            JobsHeld: live leases exist and `force` is not given; nothing was deleted.
        """
        ours = {self._keys[name] for name in load("flush").keys}
        batches = f"{self._keys.prefix}:batch:"
        others = [
            item.key
            for item in self.inspector.sizes()
            if item.key not in ours and (hard or item.key.startswith(batches))
        ]
        unfinished = sum(1 for _, state in self.inspector.job_states() if state not in _NOT_FLUSHED)
        word, leased = self._run("flush", "", "hard" if hard else "soft", "1" if force else "0")
        if str(word) == "held":
            raise JobsHeld(int(leased))
        for some in _pages(others):
            self._unlink(some)
        if not hard:
            # Materialised first: rows vanish while they are looked through.
            left = [name for name, state in self.inspector.job_states() if state not in _NOT_FLUSHED]
            for page in _pages(left):
                self._run("flush_rows", *page)
        return Flushed(unfinished, int(leased))

    # --- reconcile ---------------------------------------------------------------------------------------

    def misfits(self, *, mend: bool) -> Iterator[Misfit]:
        """What does not fit, each thing judged in one step by the server; with `mend` it is mended so, too.

        Looks at every job, entry and record, 200 a round trip. The queue may be at work meanwhile.
        """
        seen: set[str] = set()
        damaged: dict[str, str] = {}
        for page in _pages(self.inspector.rows()):
            seen.update(request_id for request_id, _ in page)
            damaged |= {request_id: raw for request_id, raw in page if state_in(raw) == DAMAGED}
            sound = [request_id for request_id, raw in page if request_id not in damaged]
            yield from self._check_jobs(sound, mend=mend)
        for request_id, raw in damaged.items():
            yield from self._check_damaged(request_id, raw, mend=mend)
        for names in _pages(_unseen(self.inspector.ids_anywhere(), seen)):
            yield from self._check_jobs(names, mend=mend)
        for priority in PRIORITIES:
            yield from self._check_entries(priority, frozenset(damaged), mend=mend)
        yield from self._check_batches(mend=mend)
        yield from self._check_canceled(mend=mend)
        yield from self._check_publishing(mend=mend)

    def _check_canceled(self, *, mend: bool) -> Iterator[Misfit]:
        newest = self.inspector.newest_event()
        canceled = {name for name, state in self.inspector.job_states() if state == "canceled"}
        if newest == self.inspector.newest_event():  # else it moved while it was counted
            yield from self._check_counter("canceled", len(canceled), mend=mend)

    def _check_jobs(self, ids: Sequence[str], *, mend: bool) -> Iterator[Misfit]:
        head = ("", GROUP, self._options.events_max, "1" if mend else "0")
        for request_id, kind in self._run("repair", *head, *ids):
            yield Misfit(str(kind), str(request_id))

    def _check_damaged(self, request_id: str, raw: str, *, mend: bool) -> Iterator[Misfit]:
        """No script can read that row, so nothing else of the job is judged before it is gone."""
        if not mend:
            yield Misfit(DAMAGED, request_id)
        elif self._run("repair_row", request_id, raw):
            yield Misfit(DAMAGED, request_id)
            yield from self._check_jobs([request_id], mend=True)

    def _check_entries(self, priority: str, damaged: AbstractSet[str], *, mend: bool) -> Iterator[Misfit]:
        for page in _pages(self.inspector.entries(priority, frozenset() if mend else damaged)):
            reply = self._run("repair_entries", GROUP, "1" if mend else "0", priority, *dict.fromkeys(page))
            for entry, kind, request_id in reply:
                named = f" ({request_id})" if request_id else ""
                yield Misfit(str(kind), f"{self._keys[priority]} {entry}{named}")

    def _check_batches(self, *, mend: bool) -> Iterator[Misfit]:
        lists = self.inspector.batch_lists()
        for batch in lists.keys() - self.inspector.batches().keys():
            yield Misfit("stray_batch", batch)
            if mend:
                self._unlink([self._keys.batch(batch)])

    def _check_publishing(self, *, mend: bool) -> Iterator[Misfit]:
        marks, lists = self.inspector.batches(), self.inspector.batch_lists()
        right = sum(lists.get(batch, 0) for batch, state in marks.items() if state == "committed")
        if marks == self.inspector.batches():
            yield from self._check_counter("publishing", right, mend=mend)

    def _check_counter(self, field: str, right: int, *, mend: bool) -> Iterator[Misfit]:
        stored = self.inspector.counter(field)
        if int(stored or 0) != right:
            yield Misfit("wrong_counter", f"{field} is {stored or 0}, counted {right}")
            if mend:
                self._run("repair_meta", field, stored, right)

    def forget(self, jobs: Sequence[tuple[str, int]]) -> list[str]:
        """Forget done jobs (request id and lease number) so that they can be enqueued anew; which were."""
        flat: list[Argument] = []
        for request_id, lease_no in jobs:
            flat += (request_id, lease_no)
        return [str(name) for name in self._run("repair_forget", *flat)] if flat else []


_NOT_FLUSHED: Final = ("done", "failed", "canceled", DAMAGED)  # a damaged row is for `reconcile` to tell of


def upkeep_of(queue: JobQueue) -> Upkeep:
    """The operator's hands on an opened queue, as `JobQueue.admin` gives them.

    Raises:
        BadConfiguration: the queue lies on no server.
    """
    admin = queue.admin()
    if not isinstance(admin, Upkeep):
        raise BadConfiguration("this queue lies in memory; there is nothing to keep up")
    return admin


def _pages(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while page := list(islice(iterator, _IDS_AT_ONCE)):
        yield page


def _unseen(names: Iterable[str], seen: set[str]) -> Iterator[str]:
    for name in names:
        if name not in seen:
            seen.add(name)
            yield name
