"""Gives log lines the fields that programs read: the transition that the sentence tells people."""

from __future__ import annotations

import logging
from typing import Any, Final

from lib.jobqueue import Lease

#: The attribute of a log record that holds `{"event": ..., ...}`; records without it are only words.
TRANSITION: Final = "transition"


def of_job(event: str, lease: Lease, host: str) -> dict[str, Any]:
    """The `extra` of a log line about a job that went from one state to another, on `host`."""
    told = {"request_id": lease.request_id, "lease_no": lease.lease_no, "attempt": lease.attempt}
    return {TRANSITION: {"event": event, **told, "host": host}}


def of_watcher(event: str) -> dict[str, Any]:
    """The `extra` of a log line about the life of the process."""
    return {TRANSITION: {"event": event}}


def transition_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says to programs; of one that is only words, the event `log`."""
    found = getattr(record, TRANSITION, None)
    return dict(found) if isinstance(found, dict) else {"event": "log"}


def of_machine(event: str, machine: str, **more: Any) -> dict[str, Any]:
    """The `extra` of a log line about a machine."""
    return {TRANSITION: {"event": event, "machine": machine, **more}}
