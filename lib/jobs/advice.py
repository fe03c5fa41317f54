"""Says what a person should do, in the same words in every command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lib.jobqueue import ErrorClass

#: The commands that start a watcher: one for good, one beside this terminal.
A_WATCHER: Final = "job-watcher run, or job-runner up"


@dataclass(frozen=True, slots=True)
class AskingAgain:
    """The commands that ask for jobs of a file again, which differ by who would speak them."""

    replaced: str  # with what was changed since
    published: str  # so that a done job's audio gets its name back


#: Where `up` may start a watcher of its own, and where PROVIDER names machines that `job-watcher run` drives.
HERE: Final = AskingAgain("up --replace", "job-runner up FILE")
ELSEWHERE: Final = AskingAgain("enqueue --replace --wait", "job-runner enqueue FILE")

#: For a done job whose audio is not in the store.
AUDIO_GONE: Final = (
    "job-runner reconcile --apply puts it back if the published copy is still whole, "
    "else job-runner reconcile --apply --forget-gone forgets the job, then enqueue it again"
)

#: For a finished job that has neither result nor error.
RECORD_GONE: Final = "job-runner reconcile --apply forgets the job, then enqueue it again"


def trying_again(request_id: str, error_class: str | None) -> str:
    """Say what puts a job that failed or was canceled back, or what comes before that, as half a sentence."""
    if error_class == ErrorClass.CANCELED:
        return f"job-runner retry {request_id} puts it back"
    if error_class == ErrorClass.BAD_INPUT:
        return "trying again would end the same way, so mend the job and enqueue it with --replace"
    if error_class == ErrorClass.POISON:
        return f"it took its workers down, so look at its log first, then job-runner retry {request_id}"
    return f"job-runner retry {request_id} tries it again"


def reclaiming(*, paused: bool, watched: bool) -> str:
    """Say who takes leases back that ran out, or what has to be done first, as half a sentence.

    A paused queue gives out nothing, so also leases that ran out stay where they are.
    """
    match paused, watched:
        case False, True:
            return "the running watcher will reclaim the work by itself"
        case False, False:
            return f"start a watcher ({A_WATCHER}); it reclaims the work"
        case True, True:
            return "job-runner resume lets the running watcher reclaim the work"
        case _:
            return f"job-runner resume, and start a watcher ({A_WATCHER}); it reclaims the work"
