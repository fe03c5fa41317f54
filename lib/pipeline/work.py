"""What passes between the ledger and those who carry tasks out: values, without a database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lib.foreign import DEEPEST, TooDeep, parse_json
from lib.pipeline.context import ExternalJob
from lib.pipeline.model import Artifact

#: Made once: `json.dumps` with options makes one for each call.
_CANONICAL: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
#: A result in the ledger: beyond that it is a file, and belongs among the artifacts.
LONGEST_RESULT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTask:
    """A task that this worker holds until its lease runs out, with what it takes to carry it out.

    `jobs` are what the queue did for it: what is left to do is to collect them.

    `inputs` are the run's at the roots, else the results of what it requires, by name. `instruction` is what
    a person wants otherwise than the last time. `failures` are those since a person last intervened.
    """

    run: str
    name: str
    dag: str
    attempt: int
    lease_no: int
    timeout_s: float
    executor: str
    inputs: Mapping[str, Any]
    run_inputs: Mapping[str, Any]
    config: Mapping[str, Any]
    input_hash: str
    instruction: str | None = None
    slug: str | None = None
    failures: int = 0
    jobs_attempt: int = 0
    jobs: Sequence[ExternalJob] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The task returned `result` (JSON) and made these files."""

    result: Any
    artifacts: Sequence[Artifact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The attempt failed; it is tried again after `retry_in_s`, unless `for_good`.

    `artifacts` are what it made all the same, like the report of what was found wanting.
    """

    error: str
    retry_in_s: float = 0.0
    for_good: bool = False
    artifacts: Sequence[Artifact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The worker gives the task back; the attempt does not count."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """The queue is to do these job specifications (JSON objects), each under its request id."""

    specs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """How one claimed task ended."""

    task: ClaimedTask
    outcome: Done | Failed | Released | Parked = field(repr=False)


def to_json(value: object) -> str:
    """Write JSON in its one canonical form. NaN and infinity are not JSON.

    Raises:
        TypeError, ValueError: `value` is not JSON.
    """
    return _CANONICAL.encode(value)


def checked_json(value: object) -> str:
    """As `to_json`, for what others made: what nests too deep to be read again is refused as well.

    Raises:
        TypeError, ValueError: `value` is not JSON, or (TooDeep) nested deeper than `lib.foreign.DEEPEST`.
    """
    try:
        text = to_json(value)
    except RecursionError:
        raise TooDeep(DEEPEST) from None
    parse_json(text)
    return text
