"""A script as it is spoken by now: lines that were changed elsewhere, put into its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from lib.errors import BadInput
from lib.jobqueue import JobQueue, JobSpec
from lib.jobs.spec_again import KnownSpec, spec_again
from lib.jobspec import InvalidJobFile, from_payload, parse_any_file
from lib.jobspec.files.replaced_values import with_values

_NEVER_DECIDES: Final = frozenset(
    {"request_id", "priority", "not_before", "max_attempts", "timeout_s", "callback_data", "batch"}
)
_MOST_ONE_BY_ONE: Final = 50  # each takes a look at the whole file


@dataclass(frozen=True, slots=True)
class ScriptNow:
    """The file with what was changed since. `put` are the request ids of the lines that were put in.

    `apart` are those that are known with other content, which could not be put in.
    """

    data: bytes
    put: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Changed:
    number: int
    request_id: str
    fingerprint: str
    values: Mapping[str, Any] | None  # None: nobody knows any more what exactly was asked for


def known_now(queue: JobQueue, specs: Sequence[JobSpec]) -> dict[str, KnownSpec | None]:
    """What each job asks for by now that the queue has with other content; None where nothing is known."""
    records = queue.jobs([spec.request_id for spec in specs])
    return {
        spec.request_id: _known(queue, spec.request_id)
        for spec, record in zip(specs, records, strict=True)
        if record is not None and record.fingerprint != spec.fingerprint
    }


def words_of(known: KnownSpec | None) -> str | None:
    """The text or the prompt that is asked for; None where nobody knows it any more."""
    words = None if known is None else known.job.get("text") or known.job.get("prompt")
    return words if isinstance(words, str) else None


def script_now(
    queue: JobQueue,
    data: bytes,
    specs: Sequence[JobSpec],
    *,
    name: str,
    voice: str | None = None,
    speaker: str | None = None,
) -> ScriptNow:
    """The file of `specs` as it is spoken by now. Comments and all else stay as they were written.

    What is put in is proved: read again, the file asks for just what the queue has of that line, and of every
    other line for what it asked before.
    """
    records = queue.jobs([spec.request_id for spec in specs])
    changed = [
        _Changed(number, spec.request_id, record.fingerprint, _values(queue, spec, record.fingerprint))
        for number, (spec, record) in enumerate(zip(specs, records, strict=True))
        if record is not None and record.fingerprint != spec.fingerprint
    ]
    known = [each for each in changed if each.values is not None]

    def tried(before: bytes, lines: Sequence[_Changed]) -> bytes | None:
        edited = with_values(before, {each.number: each.values or {} for each in lines})
        try:
            read = parse_any_file(edited, name=name, voice=voice, speaker=speaker).specs
        except InvalidJobFile:
            return None
        wanted = [spec.fingerprint for spec in specs]
        for each in (*put, *lines):
            wanted[each.number] = each.fingerprint
        same = [spec.fingerprint for spec in read] == wanted
        return edited if same and [s.request_id for s in read] == [s.request_id for s in specs] else None

    put: list[_Changed] = []
    now = data
    for lines in [known, *([each] for each in known[:_MOST_ONE_BY_ONE])] if known else []:
        edited = tried(now, lines)
        if edited is not None:
            now, put = edited, [*put, *lines]
        if len(put) == len(known):
            break
    done = {each.request_id for each in put}
    apart = tuple(each.request_id for each in changed if each.request_id not in done)
    return ScriptNow(now, tuple(each.request_id for each in put), apart)


def _known(queue: JobQueue, request_id: str) -> KnownSpec | None:
    try:
        return spec_again(queue, request_id)
    except BadInput:  # nothing is known any more, or it was dropped meanwhile
        return None


def _values(queue: JobQueue, spec: JobSpec, fingerprint: str) -> Mapping[str, Any] | None:
    """The fields that differ, as they are by now."""
    known = _known(queue, spec.request_id)
    if known is None or not known.exact or spec.is_picture:
        return None
    now = from_payload(known.job)
    if now.is_picture or now.fingerprint != fingerprint:
        return None
    names = [entry.name for entry in fields(spec) if entry.name not in _NEVER_DECIDES]
    found = {name: getattr(now, name) for name in names if getattr(now, name) != getattr(spec, name)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in found.items()}
