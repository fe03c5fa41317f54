"""The lines of a script as they stand by now, and the beats of its episode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.errors import TryAgain
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobSpec, JobState
from lib.jobs.episode import EpisodeBeat, NotAllDone, stored_beat
from lib.jobs.retry import RETRIABLE
from lib.records import Made
from lib.storage import NotStored, Storage

_OPEN: Final = frozenset({JobState.WAITING, JobState.RUNNING, JobState.DELAYED})


class NotSpokenYet(TryAgain):
    """A line of the script has no audio yet."""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One job of a script, from 1. `record` None: the queue does not know it, or does not any more.

    `finished` is how its latest revision ended.
    """

    number: int
    place: int  # the line of the file, from 1
    spec: JobSpec
    record: JobRecord | None
    finished: FinishedJob | None

    @property
    def state(self) -> str:
        """Its state in the queue, or `unknown`."""
        return self.record.state.value if self.record else "unknown"

    @property
    def is_changed(self) -> bool:
        """Whether the queue has other content under its id: it was changed since the script was handed in."""
        return self.record is not None and self.record.fingerprint != self.spec.fingerprint

    @property
    def made(self) -> Made | None:
        """The chosen take, if it is done."""
        done = self.finished.done() if self.finished else None
        return done.takes[0] if done and done.takes else None

    @property
    def why(self) -> str | None:
        """Why it failed."""
        failure = self.finished.failure() if self.finished else None
        return f"{failure.error_class}: {failure.message}" if failure else None

    def to_json(self) -> dict[str, Any]:
        """One entry of `lines` in `GET /scripts/{id}`."""
        made = self.made
        return {
            "number": self.number,
            "line": self.place,
            "request_id": self.spec.request_id,
            "kind": self.spec.kind,
            "text": self.spec.words,
            "voice": self.spec.voice or self.spec.speaker,
            "state": self.state,
            "changed": self.is_changed,
            "audio_seconds": self.audio_seconds,
            "sha256": None if made is None else made.main.sha256,
            "error": self.why,
        }

    @property
    def audio_seconds(self) -> float | None:
        """How long the chosen take is."""
        done = self.finished.done() if self.finished else None
        return done.audio_seconds if done and not self.spec.is_picture else None


def script_lines(
    queue: JobQueue, specs: Sequence[JobSpec], places: Sequence[int], *, first: int = 1
) -> list[ScriptLine]:
    """How each line stands; reads in bulk. `first` is the number of the first one, `places` their lines."""
    ids = [spec.request_id for spec in specs]
    records = queue.jobs(ids)
    ended = [record.request_id for record in records if record and record.state in TERMINAL]
    finished = dict(zip(ended, queue.results(ended), strict=True))
    return [
        ScriptLine(number, place, spec, record, finished.get(spec.request_id))
        for number, (spec, place, record) in enumerate(zip(specs, places, records, strict=True), first)
    ]


@dataclass(frozen=True, slots=True)
class ScriptProgress:
    """How far all lines of a script are: how many are in each state, `unknown` ones among them.

    `open` are the request ids of those that are not finished, `bad` of those that failed or were canceled.
    """

    counts: Mapping[str, int]
    open: tuple[str, ...]
    bad: tuple[str, ...]


def script_progress(queue: JobQueue, specs: Sequence[JobSpec]) -> ScriptProgress:
    """Look at the states of all lines; reads in bulk."""
    ids = [spec.request_id for spec in specs]
    states = [record.state.value if record else "unknown" for record in queue.jobs(ids)]
    counts = Counter(states)
    known = list(zip(ids, states, strict=True))
    return ScriptProgress(
        {name: counts[name] for name in (*(state.value for state in JobState), "unknown")},
        tuple(name for name, state in known if state in _OPEN),
        tuple(name for name, state in known if state in RETRIABLE),
    )


def beats_of_script(queue: JobQueue, storage: Storage, specs: Sequence[JobSpec]) -> list[EpisodeBeat]:
    """The audio of each line as it is by now, in the order of the script.

    A line that was changed since it was handed in counts with what it was changed to: the script says the
    order and the gaps. Pictures are left out.

    Raises:
        NotSpokenYet: a line waits or runs; the first one is named.
        NotAllDone: a line failed, was canceled or is known no more, or nothing of the script is heard.
        NotStored, StorageUnavailable: the store lacks a line's captions, or refuses.
    """
    heard = [spec for spec in specs if not spec.is_picture]
    if not heard:
        raise NotAllDone("The script has pictures alone, and nothing that could be heard.")
    lines = script_lines(queue, heard, [0] * len(heard))
    missing = [line for line in lines if line.made is None]
    if missing:
        raise _missing(missing)
    beats = []
    for line in lines:
        done = line.finished.done() if line.finished else None
        assert done is not None, "a line with a take is done"
        try:
            beats.append(stored_beat(line.spec, done, storage))
        except NotStored:
            raise NotAllDone(f"The audio of {line.spec.request_id} is gone from the store.") from None
    return beats


def _missing(missing: Sequence[ScriptLine]) -> NotSpokenYet | NotAllDone:
    bad = [line for line in missing if line.record is None or line.record.state in TERMINAL]
    first = (bad or missing)[0]
    others = len(missing) - 1
    more = f", and {others} more {'has' if others == 1 else 'have'} none either" if others else ""
    sentence = f"{first.spec.request_id} is {first.state} and has no audio{more}."
    return NotAllDone(sentence) if bad else NotSpokenYet(sentence)
