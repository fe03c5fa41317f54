"""The jobs that a command line names: by ids, by topics, by the file they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import BadInput
from lib.jobqueue import JobQueue
from lib.jobs.follow import Followed
from lib.jobspec import load_request_ids, printable

_MOST_NAMED: Final = 5  # unknown ids in one error


class UnknownTopic(BadInput):
    """No known job's id begins as the topic says."""

    def __init__(self, topic: str, prefix: str, nearest: Sequence[str]) -> None:
        near = ", ".join(f"{name.removesuffix(':').replace(':', '/')}/" for name in nearest)
        super().__init__(
            f"no job of {topic} is known: no request id begins with {prefix}"
            + (f"; did you mean {near}?" if near else "")
        )
        self.nearest = tuple(nearest)


@dataclass(frozen=True, slots=True)
class Selection:
    """Jobs that the queue knows, each once, in the order asked for.

    `named` are those that were asked for one by one: whoever names a job wants that one, while a topic or a
    file means what there is of it. `absent` are jobs of the file that the queue does not know.
    """

    ids: tuple[str, ...]
    named: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()

    @property
    def absent_sentence(self) -> str | None:
        """Which jobs of the file the queue does not know; None when it knows all."""
        if not self.absent:
            return None
        some = ", ".join(self.absent[:_MOST_NAMED]) + (" and more" if len(self.absent) > _MOST_NAMED else "")
        jobs = "1 job of the file is" if len(self.absent) == 1 else f"{len(self.absent)} jobs of the file are"
        return f"{jobs} not in the queue: {some}"

    def require_all(self) -> None:
        """See that the queue knows every job of the file. Raises BadInput."""
        if self.absent:
            raise BadInput(f"{self.absent_sentence}; enqueue the file first")


def select(queue: JobQueue, words: Sequence[str], file: Path | None) -> Selection:
    """Find the jobs that are meant. A word that ends with a slash is a topic: all ids that begin with it.

    Raises:
        UnknownJob, BadInput: the queue does not know one that is named, or several; with the nearest ids.
        UnknownTopic: it knows no job of a topic; with the nearest topics.
        TooMany: a topic has more jobs than are done at once.
        InvalidJobFile: the file cannot be read, or something in it is wrong.
    """
    named = [word for word in words if not word.endswith("/")]
    Followed(queue, named).require_known()
    found = [name for word in words for name in ((word,) if word in named else _topic(queue, word))]
    of_file = load_request_ids(file) if file else ()
    records = dict(zip(of_file, queue.jobs(of_file), strict=True))
    there = [name for name, record in records.items() if record is not None]
    if file and not there:
        jobs = f"none of the {len(of_file)} jobs of {printable(str(file))}"
        raise BadInput(f"{jobs} is in the queue; enqueue the file first")
    absent = tuple(name for name, record in records.items() if record is None)
    return Selection(tuple(dict.fromkeys([*found, *there])), frozenset(named), absent)


def _topic(queue: JobQueue, word: str) -> tuple[str, ...]:
    """The known ids of a topic such as course/tides/, which begin with course:tides:."""
    prefix = word.rstrip("/").replace("/", ":") + ":"
    found = queue.ids_under(prefix)
    if not found:
        raise UnknownTopic(word, prefix, queue.nearest(prefix))
    return found
