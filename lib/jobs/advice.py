"""What to do, in the same words wherever it is told."""

from __future__ import annotations

from typing import Final

#: The commands that start a watcher: one for good, one beside this terminal.
A_WATCHER: Final = "job-watcher run, or job-runner up"

#: For a done job whose audio is not in the store.
AUDIO_GONE: Final = (
    "job-runner reconcile --apply puts it back if the published copy is still whole, "
    "else job-runner reconcile --apply --forget-gone forgets the job, then enqueue it again"
)

#: For a finished job that has neither result nor error.
RECORD_GONE: Final = "job-runner reconcile --apply forgets the job, then enqueue it again"
