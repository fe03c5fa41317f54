"""What the page of a job shows: read from the queue, the store and the ledger of rented machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from job_console.notes import ListenerNote
from job_console.pages.players import HeardTake, matched, measures_of, take_address
from job_console.route_services import ConsoleParts
from lib.errors import BadInput, JobRunnerError
from lib.jobqueue import FinishedJob, JobRecord
from lib.jobs.cost_shares import HOUR_S
from lib.jobs.costs import CostsBy, costs_of, hours_of
from lib.jobs.explain import Explanation, explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.job_log import JobLog, log_of
from lib.jobs.scripts import KeptScript
from lib.jobs.spec_again import KnownSpec, spec_again
from lib.jobspec import CAPTION_SUFFIXES
from lib.records import DoneRecord, FailedRecord, SpokenRecord, Take
from lib.units import seconds_text, usd


@dataclass(frozen=True, slots=True)
class JobFacts:
    """One job. `heard` are the takes of the present revision, then those of the one it is compared with.

    `earlier` are the revisions that a newer one replaced, the latest first; `aside` the notes that are not
    settled about audio that the page does not play; `script` is the one that names it, and its line there.
    """

    record: JobRecord
    explanation: Explanation
    finished: FinishedJob | None
    done: DoneRecord | None
    failure: FailedRecord | None
    spec: KnownSpec | None
    heard: tuple[HeardTake, ...]
    earlier: tuple[FinishedJob, ...]
    compared: int | None
    aside: tuple[ListenerNote, ...]
    log: JobLog
    cost: str
    redo: Mapping[str, Any]
    script: tuple[KeptScript, int] | None = None


def facts_of(
    parts: ConsoleParts, request_id: str, compared: int | None, *, thorough: bool = False
) -> JobFacts:
    """All that is known of a job; `compared` is the earlier revision to hear beside it, None: the latest.

    `thorough` looks through the whole stream of events for it.

    Raises:
        UnknownJob: there is no such job.
        BadInput: there is no such revision.
    """
    evidence = evidence_of(parts.queue, parts.storage, request_id)
    record, finished = evidence.record, evidence.finished
    earlier = tuple(reversed([each for each in parts.queue.revisions(request_id) if each.done()]))
    other = _compared(earlier, compared, request_id)
    done = finished.done() if finished else None
    heard = [*_heard(request_id, record.revision, done, present=True)]
    if other is not None:
        heard += _heard(request_id, other.revision, other.done(), present=False)
    begun = finished.started_at if finished else None
    known = {take.sha256 for take in heard}
    cost = _cost(parts, record, finished)
    return JobFacts(
        record=record,
        explanation=explain(evidence),
        finished=finished,
        done=done,
        failure=finished.failure() if finished else record.last_failure(),
        spec=_spec(parts, request_id),
        heard=matched(heard),
        earlier=earlier,
        compared=other.revision if other else None,
        aside=tuple(
            note
            for note in parts.notes.of(job=request_id)
            if note.settled_at is None and note.sha256 not in known
        ),
        log=log_of(parts.queue, record, started_at=begun, thorough=thorough),
        cost=cost,
        script=parts.scripts.naming(request_id),
        redo=_redo(done.spoken if done else None, done, cost),
    )


def _compared(earlier: Sequence[FinishedJob], wanted: int | None, request_id: str) -> FinishedJob | None:
    if wanted is None:
        return earlier[0] if earlier else None
    found = next((each for each in earlier if each.revision == wanted), None)
    if found is None:
        raise BadInput(f"nothing is kept of revision {wanted} of {request_id} that could be heard")
    return found


def _spec(parts: ConsoleParts, request_id: str) -> KnownSpec | None:
    try:
        return spec_again(parts.queue, request_id)
    except BadInput:
        return None


def _heard(request_id: str, revision: int, done: DoneRecord | None, *, present: bool) -> list[HeardTake]:
    if done is None or done.spoken is None:
        return []
    return [
        _heard_take(request_id, revision, done.spoken, take, present=present) for take in done.spoken.takes
    ]


def _heard_take(
    request_id: str, revision: int, spoken: SpokenRecord, take: Take, *, present: bool
) -> HeardTake:
    word, kind, why = _verdict(spoken, take)
    label = f"Take {take.take}" if present else f"Revision {revision}, take {take.take}"

    # By its revision, also the present one: audio that plays on while a newer one is done stays what it was.
    def address(what: str = "") -> str:
        return take_address(request_id, take.take, revision, what)

    at = {suffix: address(f"/files/{suffix}") for suffix in CAPTION_SUFFIXES}
    beside = [file.file for file in take.caption_files]
    return HeardTake(
        label=f"{label}, chosen" if take.take == 1 and len(spoken.takes) > 1 else label,
        src=address(),
        peaks=address("/peaks") if take.peaks else "",
        captions=address("/captions"),
        seconds=take.audio_seconds,
        lufs=take.loudness_lufs,
        sha256=take.audio.sha256,
        note=(("job", request_id), ("take", take.take), ("revision", revision)),
        facts=measures_of(take),
        verdict=word,
        verdict_kind=kind,
        why=why,
        download=take.audio.file.rpartition("/")[2],
        files=tuple(
            (f".{s}", at[s]) for s in CAPTION_SUFFIXES if any(name.endswith(f".{s}") for name in beside)
        ),
    )


_KINDS: Final = {"PASSED": "good", "FAILED": "bad"}


def _verdict(spoken: SpokenRecord, take: Take) -> tuple[str, str, str]:
    """A take's verdict in a word, its kind, and why: what was found of it, or that nobody judged it."""
    own = next((each for each in spoken.verification if each.take == take.take), None)
    chosen = spoken.chosen_why if take.take == 1 and len(spoken.takes) > 1 else ""
    if take.take == 1:
        word, reasons = spoken.verdict, [spoken.verdict_why]
    else:
        word = "UNVERIFIED" if own is None or own.ok is None else "PASSED" if own.ok else "FAILED"
        reasons = [own.why or ""] if own is not None else []
    if own is not None:
        if own.faults and word != "FAILED":
            word = "FAILED"
        if take.take != 1:
            reasons += [fault.why for fault in own.faults]
        reasons.append("" if own.score is None else f"Score {own.score:.3g} (less is better).")
        reasons.append(f"{len(own.rejected)} made before it and rejected." if own.rejected else "")
    return word, _KINDS.get(word, "warn"), " ".join(each for each in (*reasons, chosen) if each)


def _cost(parts: ConsoleParts, record: JobRecord, finished: FinishedJob | None) -> str:
    """What its work cost, as a sentence. The ledger is read for the hours of its life alone."""
    done = finished.done() if finished else None
    if done is not None and done.provider == "local":
        return "It was spoken on a computer of your own, so nothing was rented for it."
    end = min(parts.clock.now(), (finished.finished_at if finished else parts.clock.now()) + HOUR_S)
    try:
        with parts.open_rented() as ledger:
            if ledger is None:
                return "Nothing was ever rented from here."
            paid = ledger.paid(*hours_of(record.enqueued_at, end))
    except JobRunnerError as error:
        return f"What it cost cannot be told: {error.message}"
    found = costs_of(paid, record.enqueued_at, end, CostsBy.JOB)
    line = next((each for each in found.lines if each.name == record.request_id), None)
    if line is None:
        return "The ledger has no charge for it yet."
    return f"Its share of what its machines cost is ${usd(line.total)}."


def _redo(spoken: SpokenRecord | None, done: DoneRecord | None, cost: str) -> dict[str, Any]:
    """What speaking it once more takes, by what it took: for the script that knows the new text."""
    if spoken is None or done is None:
        return {}
    takes = len(spoken.takes)
    return {
        "work_s": spoken.work_seconds,
        "characters": spoken.characters,
        "takes": takes,
        "audio": seconds_text(spoken.audio_seconds),
        "output": done.output,
        "cost": cost,
    }
