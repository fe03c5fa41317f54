"""What can go wrong with a spool folder."""

from __future__ import annotations

import errno
from typing import Final

from lib.errors import BadConfiguration, ExitStatus, JobFailed, TryAgain, Unavailable

#: What a machine refuses for a while: no space, no quota, too many open files, no memory.
_PASSING: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ESTALE}
)


class InvalidSpoolData(JobFailed):
    """The other side wrote something that breaks the format; nothing of it was used."""


class SpoolBusy(TryAgain):
    """Another worker serves this spool."""


class HostUnreachable(Unavailable):
    """The machine the spool is on does not answer. What was asked of it may have happened or not."""


class SpoolUnusable(BadConfiguration):
    """The folder cannot be made, read or written."""


class SpoolFull(SpoolUnusable):
    """The folder cannot be used at the moment: no space, no quota, no descriptors. It may pass."""

    exit_status = ExitStatus.TRY_AGAIN


def is_passing(error: BaseException | None) -> bool:
    """Whether the machine refused something for a reason that may pass, however often that was wrapped."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _PASSING:
            return True
        error = error.__cause__ or error.__context__
    return False


def unusable(place: object, error: OSError) -> SpoolUnusable:
    """The error of `place` as a sentence; a SpoolFull when its reason may pass."""
    kind = SpoolFull if is_passing(error) else SpoolUnusable
    return kind(f"The spool's {place} cannot be used: {error.strerror or error}.")
