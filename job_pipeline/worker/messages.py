"""What a worker and the process that carries out its tasks say to each other: JSON behind its length.

The worker says `{"task": {...}}`; the process says `{"ready": {...}}` once, and for each task how it ended.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any, Final

from lib.foreign import DEEPEST, parse_json
from lib.pipeline.context import ExternalJob
from lib.pipeline.model import Artifact
from lib.pipeline.work import ClaimedTask, Done, Failed, Parked

_FIELDS: Final = tuple(field.name for field in fields(ClaimedTask))
_VALUES: Final = attrgetter(*_FIELDS)
_LENGTH: Final = struct.Struct(">I")
#: Made once: `json.dumps` with options makes one for each call.
_COMPACT: Final = json.JSONEncoder(separators=(",", ":"))
#: Above what a task may return and order; whoever says more is broken.
LONGEST_MESSAGE: Final = 64 << 20

#: A result at its deepest, and what a message puts around it.
_DEEPEST: Final = DEEPEST + 6

Outcome = Done | Failed | Parked


class BrokenMessage(ValueError):
    """What came is no message of ours."""


class Inbox:
    """Bytes as they come, cut into messages.

    Threads: one.
    Raises: BrokenMessage where a message is too long or is no JSON object.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take what came; the messages that are whole now."""
        self._bytes += data
        found = []
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            if length > LONGEST_MESSAGE:
                raise BrokenMessage(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                break
            found.append(_read(bytes(self._bytes[_LENGTH.size : end])))
            del self._bytes[:end]
        return found


def _read(data: bytes) -> dict[str, Any]:
    try:
        message = parse_json(data.decode(), deepest=_DEEPEST)
    except ValueError as error:
        raise BrokenMessage(str(error)) from None
    if not isinstance(message, dict):
        raise BrokenMessage("a message that is no object")
    return message


def message_bytes(message: Mapping[str, Any]) -> bytes:
    """A message as it goes over the line."""
    data = _COMPACT.encode(message).encode()
    return _LENGTH.pack(len(data)) + data


def task_message(task: ClaimedTask, folder: str, *, allow_placeholders: bool) -> dict[str, Any]:
    """Ask for a task to be carried out; its files go into `folder`."""
    values = dict(zip(_FIELDS, _VALUES(task), strict=True))
    values["jobs"] = [asdict(job) for job in task.jobs]
    return {"task": values, "folder": folder, "allow_placeholders": allow_placeholders}


def task_from(message: Mapping[str, Any]) -> ClaimedTask:
    """The task that a message is about."""
    values = dict(message["task"])
    jobs = tuple(ExternalJob(**job) for job in values.pop("jobs"))
    return ClaimedTask(**values, jobs=jobs)


def outcome_message(outcome: Outcome) -> dict[str, Any]:
    """Say how a task ended."""
    match outcome:
        case Done():
            return {"done": outcome.result, "artifacts": [asdict(a) for a in outcome.artifacts]}
        case Parked():
            return {"parked": [[request_id, dict(spec)] for request_id, spec in outcome.specs.items()]}
        case Failed():
            made = [asdict(artifact) for artifact in outcome.artifacts]
            return {"failed": outcome.error, "for_good": outcome.for_good, "artifacts": made}


def outcome_from(message: Mapping[str, Any]) -> Outcome:
    """How a task ended.

    Raises:
        BrokenMessage: the message says something else.
    """
    try:
        made = [Artifact(**artifact) for artifact in message.get("artifacts", ())]
        if "done" in message:
            return Done(result=message["done"], artifacts=made)
        if "parked" in message:
            return Parked(specs=dict(message["parked"]))
        return Failed(error=str(message["failed"]), for_good=bool(message["for_good"]), artifacts=tuple(made))
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenMessage(f"an answer that is none: {error}") from None
