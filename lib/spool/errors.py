"""What can go wrong with a spool folder."""

from __future__ import annotations

from lib.errors import BadConfiguration, JobFailed, TryAgain


class InvalidSpoolData(JobFailed):
    """The other side wrote something that breaks the format; nothing of it was used."""


class SpoolBusy(TryAgain):
    """Another worker serves this spool."""


class SpoolUnusable(BadConfiguration):
    """The folder cannot be made, read or written."""
