"""What `reconcile` finds, in words: every way in which the keys, the store and the folders can disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lib.status.findings import Finding, Kind, Severity

_E, _W = Severity.ERROR, Severity.WARNING

#: By the words of lib.jobqueue.upkeep.MISFITS and the three about files: kind, sentence, what --apply does.
_TABLE: Final[Mapping[str, tuple[Kind, str, str]]] = {
    "unreachable": (
        Kind("R001", _E, "A waiting job that no worker would be given"),
        "waits, but its stream entry is gone or was given out without a lease",
        "it gets a new entry at the end of its stream",
    ),
    "unleased": (
        Kind("R002", _E, "A running job without a lease"),
        "is said to run, but holds no lease that could run out",
        "it gets one that has run out, so the next worker takes it back",
    ),
    "undelivered": (
        Kind("R003", _E, "A running job whose stream entry is not given out"),
        "is running, but its stream entry is gone or not given out to anybody",
        "its entry is made anew and given out to the worker that holds the lease",
    ),
    "undue": (
        Kind("R004", _E, "A delayed job that would never be due"),
        "is delayed, but has no due time",
        "it is due at its not_before, or at once",
    ),
    "unspecified": (
        Kind("R005", _E, "An unfinished job without its specification"),
        "is not finished, and what should be spoken is gone",
        "it fails as bad_input, which is what a worker would find",
    ),
    "unrecorded": (
        Kind("R006", _E, "A finished job without its record"),
        "is finished, but has neither result nor error",
        "it is forgotten, so that it can be enqueued anew",
    ),
    "unlisted": (
        Kind("R007", _W, "A finished job that is missing from the history"),
        "is finished, but not in the history, so its record would never be removed",
        "it is entered with the time it finished",
    ),
    "unbatched": (
        Kind("R008", _W, "A job that was being enqueued with a file that is gone"),
        "was being enqueued, and the rest of its file was given up",
        "it is removed; enqueue the file again",
    ),
    "stray_entry": (
        Kind("R009", _W, "A stream entry that no job points to"),
        "belongs to no job",
        "it is removed",
    ),
    "lost_entry": (
        Kind("R010", _W, "A given-out entry that is not in its stream any more"),
        "is given out, but not in the stream any more",
        "it is acknowledged",
    ),
    "stray_lease": (
        Kind("R011", _W, "A lease of a job that neither runs nor was handed back"),
        "has a lease, but does not run",
        "the lease is removed",
    ),
    "stray_delay": (
        Kind("R012", _W, "A due time of a job that is not delayed"),
        "has a due time, but is not delayed",
        "the due time is removed",
    ),
    "stray_record": (
        Kind("R013", _W, "A record of a job that is not finished, or not known"),
        "has a result or error, but is not finished that way, or not known",
        "the record is removed",
    ),
    "stray_listing": (
        Kind("R014", _W, "A job in the history that is not finished, or not known"),
        "is in the history, but not finished, or not known",
        "it is taken out",
    ),
    "stray_spec": (
        Kind("R015", _W, "A specification that no job needs"),
        "has a specification that nothing will read",
        "it is removed",
    ),
    "stray_note": (
        Kind("R016", _W, "Progress or a last error of a job that is past it"),
        "has progress or a last error, but is not at work",
        "it is removed",
    ),
    "wrong_counter": (
        Kind("R017", _W, "A counter that does not count what there is"),
        "is not what there is",
        "it is set right",
    ),
    "stray_batch": (
        Kind("R018", _W, "A list of jobs being enqueued whose file is gone"),
        "lists jobs of a file that is enqueued or given up",
        "it is removed",
    ),
    "artifact_gone": (
        Kind("R019", _E, "A done job whose audio is not in the store"),
        "is done, but its audio is not in the store, or not whole",
        "it is copied back from the published file if that is whole; else the job is kept, unless "
        "--forget-gone lets it be enqueued anew",
    ),
    "unpublished": (
        Kind("R020", _W, "A done job without its published file"),
        "is done, but its published file is missing",
        "it is published again from the store",
    ),
    "waveform_gone": (
        Kind("R021", _W, "A done job whose waveform is not in the store"),
        "is done, but its waveform is not in the store, or not whole; the audio is",
        "it is copied back from the published file if that is whole; else it is left, for the audio is good",
    ),
}

KINDS: Final = tuple(kind for kind, _, _ in _TABLE.values())
WORDS: Final = tuple(_TABLE)


def finding(word: str, subject: str, *, mended: bool = False) -> Finding:
    """The finding of that word about that job, entry or key."""
    kind, sentence, fix = _TABLE[word]
    return Finding(kind, subject, f"{subject} {sentence}", fix, mended)
