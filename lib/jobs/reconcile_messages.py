"""Words for what `reconcile` finds: every way in which keys, store and folders can disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lib.findings import Finding, FindingKind, Severity

_E, _W = Severity.ERROR, Severity.WARNING

#: What `reconcile` says before the fix of a finding.
APPLY: Final = "--apply"
FORGET: Final = "--apply --forget-gone"
DONE: Final = "done"
LEFT: Final = "left"

#: By the words of lib.jobqueue.redis.upkeep.MISFITS and the four about files: kind, sentence, what mends it.
_TABLE: Final[Mapping[str, tuple[FindingKind, str, str]]] = {
    "unreachable": (
        FindingKind("R001", _E, "A waiting job that no worker would be given"),
        "waits, but its stream entry is gone or was given out without a lease",
        "it gets a new entry at the end of its stream",
    ),
    "unleased": (
        FindingKind("R002", _E, "A running job without a lease"),
        "is said to run, but holds no lease that could run out",
        "it gets one that has run out, so the next worker takes it back",
    ),
    "undelivered": (
        FindingKind("R003", _E, "A running job whose stream entry is not given out"),
        "is running, but its stream entry is gone or not given out to anybody",
        "its entry is made anew and given out to the worker that holds the lease",
    ),
    "undue": (
        FindingKind("R004", _E, "A delayed job that would never be due"),
        "is delayed, but has no due time",
        "it is due at its not_before, or at once",
    ),
    "unspecified": (
        FindingKind("R005", _E, "An unfinished job without its specification"),
        "is not finished, and what should be spoken is gone",
        "it fails as bad_input, which is what a worker would find",
    ),
    "unrecorded": (
        FindingKind("R006", _E, "A finished job without its record"),
        "is finished, but has neither result nor error",
        "it is forgotten, so that it can be enqueued anew",
    ),
    "unlisted": (
        FindingKind("R007", _W, "A finished job that is missing from the history"),
        "is finished, but not in the history, so its record would never be removed",
        "it is entered with the time it finished",
    ),
    "unbatched": (
        FindingKind("R008", _W, "A job that was being enqueued with a file that is gone"),
        "was being enqueued, and the rest of its file was given up",
        "it is removed; enqueue the file again",
    ),
    "stray_entry": (
        FindingKind("R009", _W, "A stream entry that no job points to"),
        "belongs to no job",
        "it is removed",
    ),
    "lost_entry": (
        FindingKind("R010", _W, "A given-out entry that is not in its stream any more"),
        "is given out, but not in the stream any more",
        "it is acknowledged",
    ),
    "stray_lease": (
        FindingKind("R011", _W, "A lease of a job that neither runs nor was handed back"),
        "has a lease, but does not run",
        "the lease is removed",
    ),
    "stray_delay": (
        FindingKind("R012", _W, "A due time of a job that is not delayed"),
        "has a due time, but is not delayed",
        "the due time is removed",
    ),
    "stray_record": (
        FindingKind("R013", _W, "A record of a job that is not finished, or not known"),
        "has a result or error, but is not finished that way, or not known",
        "the record is removed",
    ),
    "stray_listing": (
        FindingKind("R014", _W, "A job in the history that is not finished, or not known"),
        "is in the history, but not finished, or not known",
        "it is taken out",
    ),
    "stray_spec": (
        FindingKind("R015", _W, "A specification that no job needs"),
        "has a specification that nothing will read",
        "it is removed",
    ),
    "stray_note": (
        FindingKind("R016", _W, "Progress or a last error of a job that is past it"),
        "has progress or a last error, but is not at work",
        "it is removed",
    ),
    "wrong_counter": (
        FindingKind("R017", _W, "A counter that does not count what there is"),
        "is not what there is",
        "it is set right",
    ),
    "stray_batch": (
        FindingKind("R018", _W, "A list of jobs being enqueued whose file is gone"),
        "lists jobs of a file that is enqueued or given up",
        "it is removed",
    ),
    "artifact_gone": (
        FindingKind("R019", _E, "A done job whose audio is not in the store"),
        "is done, but its audio is not in the store, or not whole",
        "it is copied back from the published file, which is whole",
    ),
    "unpublished": (
        FindingKind("R020", _W, "A done job without its published file"),
        "is done, but its published file is missing",
        "it is published again from the store",
    ),
    "waveform_gone": (
        FindingKind("R021", _W, "A done job whose waveform or captions are not in the store"),
        "is done, but its waveform or captions are not in the store, or not whole; the audio is",
        "it is copied back from the published file, which is whole",
    ),
    "damaged": (
        FindingKind("R022", _E, "A row that cannot be read"),
        "has a row in the hash of states that cannot be read, so nothing else of the job can be judged",
        "it is removed with all that is kept of the job; enqueue it again",
    ),
    "another_ones": (
        FindingKind("R023", _E, "A published path that holds another job's audio"),
        "was asked for last under its name, and another job's audio lies there",
        "its own audio is published again from the store",
    ),
}

KINDS: Final = tuple(kind for kind, _, _ in _TABLE.values())
WORDS: Final = tuple(_TABLE)


def finding(
    word: str, subject: str, *, mended: bool = False, remedy: str | None = None, fix: str | None = None
) -> Finding:
    """The finding of that word about that job, entry or key; `remedy` and `fix` where it is not the usual."""
    kind, sentence, usual = _TABLE[word]
    word_before = remedy or (DONE if mended else APPLY)
    return Finding(kind, subject, f"{subject} {sentence}", fix or usual, mended, word_before)


def closing(findings: Sequence[Finding], *, applied: bool, all_gone: bool = False) -> str | None:
    """The last line: how to go on with what is left; None when nothing is.

    `all_gone`: of several done jobs none has its audio in this store, so that it may be another one's.
    """
    left = [item.remedy for item in findings if not item.mended]
    if not left:
        return None
    forget = f"job-runner reconcile {FORGET}, then enqueue again"
    lost = left.count(FORGET)
    one = f"{lost} done job{' has' if lost == 1 else 's have'} no whole copy of the audio"
    if all_gone and lost:
        return (
            f"none of the {lost} done jobs has its audio here: is STORAGE_URL the store they were made for? "
            f"Only if that audio is lost for good: {forget}"
        )
    if applied:
        if lost:
            return f"{one}; only this mends it: {forget}"
        return f"{len(left)} could not be mended; each says why"
    if APPLY in left:
        more = f"; {one} and need{'s' if lost == 1 else ''}: {forget}" if lost else ""
        return f"nothing was changed; mend it with: job-runner reconcile --apply{more}"
    if lost:
        return f"nothing was changed; {one}, and only this mends it: {forget}"
    return "nothing was changed; nothing mends what is left"
