"""Knows whose money a machine is rented with: the batches in line, and which of them have none left."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from job_watcher.provisioning.accounts import accounts_of
from job_watcher.provisioning.ports import Config, ProvisioningParts
from lib.fleet import Offer
from lib.fleet.limits import obstacles
from lib.jobqueue.admin.observed import BatchInLine
from lib.machines.model import Books

_LOOKS = 20  # along the line before one search; what is further back is seen before the next ones
_JUDGED = 16  # batches before one search: each is a question to the ledger
_SETTING = "SPEND_CAP_BATCH"


class Payers:
    """The batches that wait, first in line first.

    A machine speaks whatever waits, and is paid for by the batch that it was rented for. With no cap on
    batches the first in line pays; with one, a batch that has reached it pays for no machine any more.

    Threads: the loop's only.

    Raises, from `look`:
        Unavailable: the queue does not answer.
    """

    def __init__(self, parts: ProvisioningParts, config: Config) -> None:
        self._parts, self._config = parts, config
        self._behind = ""
        self._tour: dict[str, BatchInLine] = {}  # since the front of the line
        self._before: dict[str, BatchInLine] = {}  # the whole tour before
        # batches without money and why, "" while a machine of theirs runs; the longest judged first
        self._broke: dict[str, str] = {}
        self._told: set[str] = set()
        self._is_any_ours = False
        self._judged: tuple[str, ...] = ()

    def look(self, held: int) -> None:
        """Look along the line, to its end if that is near. `held` is how many jobs are at hand here.

        Without a cap the first that waits is all that matters; many that are leased may stand before it.
        """
        self._is_any_ours = held > 0
        is_capped = self._config.caps.batch is not None
        if not is_capped:
            self._behind, self._tour = "", {}
        for _ in range(_LOOKS):
            if not self._behind:
                self._before, self._tour = self._tour, {}
            found = self._parts.queue.look_along(self._behind)
            for item in found.batches:
                known = self._tour.get(item.batch, BatchInLine(item.batch, 0, 0))
                self._tour[item.batch] = BatchInLine(
                    item.batch, known.waiting + item.waiting, known.running + item.running
                )
            self._behind = found.behind
            if not self._behind or (not is_capped and self._is_any_waiting()):
                break

    def _is_any_waiting(self) -> bool:
        return any(item.waiting for item in self._tour.values())

    def judge(self, books: Books, offers: Collection[Offer], now: float) -> list[str]:
        """Find out who has money for the least that is rented on this market.

        Returns the news, once for each that has none: a sentence with setting, batch, cap and what is spent.
        A batch whose machine runs is no news: its money is promised to that, and some may come back.
        """
        self._judged = self.to_judge()
        if self._config.caps.batch is None:
            return []
        news = []
        served = {row.intent.batch for row in books.open}
        for batch in self._judged:
            why = self._why_broke(batch, books, offers, now)
            self._broke.pop(batch, None)
            if why is None:
                self._told.discard(batch)
                continue
            self._broke[batch] = "" if batch in served else why
            if batch not in self._told | served:
                self._told.add(batch)
                news.append(why)
        return news

    def to_judge(self) -> tuple[str, ...]:
        """The batches whose books `judge` needs; those that were found without money come last."""
        line = [item.batch for item in self._in_line()]
        fresh = [batch for batch in line if batch not in self._broke]
        return tuple([*fresh, *(batch for batch in self._broke if batch in line)][:_JUDGED])

    def paying(self) -> tuple[str, ...]:
        """Those that wait and were judged to have money, first in line first."""
        return tuple(batch for batch in self._judged if batch not in self._broke)

    def unpaid_jobs(self) -> int:
        """Jobs that wait for which nobody pays a machine."""
        return sum(item.waiting for item in self._all() if item.batch in self._broke)

    def why_none(self) -> str | None:
        """Why none of those that wait pays, "" while a machine of the first runs; None where one may."""
        line = self._in_line()
        if not line or any(item.batch not in self._broke for item in line):
            return None
        return self._broke[line[0].batch]

    def _all(self) -> Iterator[BatchInLine]:
        yield from self._tour.values()
        if self._behind:
            yield from (item for batch, item in self._before.items() if batch not in self._tour)

    def _in_line(self) -> list[BatchInLine]:
        """Those with jobs that wait.

        Where all that were seen are leased, it is by a watcher that is gone if none is at hand here; and else
        those that wait are farther along than was looked, which must not keep anybody from renting for them.
        """
        found = list(self._all())
        waiting = [item for item in found if item.waiting]
        return waiting if waiting or (self._is_any_ours and not self._behind) else found

    def _why_broke(self, batch: str, books: Books, offers: Collection[Offer], now: float) -> str | None:
        config = self._config
        accounts = accounts_of(books, now, batch)
        found = obstacles(offers, config.policy, config.caps, accounts, batch=batch)
        why = next((item.sentence for item in found if item.setting == _SETTING), None)
        if why is None:
            return None
        waiting = next((item.waiting for item in self._all() if item.batch == batch), 0)
        whose = "of this batch" if batch else "without a batch, all of them one together,"
        wait = "1 job {} waits" if waiting == 1 else f"{waiting} jobs {{}} wait"
        return f"{why}; {wait.format(whose)} until it is raised"
