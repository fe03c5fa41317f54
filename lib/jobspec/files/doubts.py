"""What is right in a file of jobs and was probably not meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobspec.files.yamltree import LinedDict
from lib.jobspec.problems import FieldFinding, shown

#: Fields that people write sentences or names into, where a # may belong to what is meant.
_SENTENCES: Final = ("text", "prompt")
_NAMES: Final = ("output_name", "text_file", "lexicon")
_ENDED: Final = re.compile(r"""[.!?\u2026:;)"'\u2019\u201d]$""")
_FIRST_LIKELY: Final = 946_684_800  # 2000-01-01, seconds since 1970
_MISSING: Final = "is missing"


def doubts(raw: object, values: Mapping[str, Any]) -> Iterator[FieldFinding]:
    """What to look at in a job that stands as `raw` in its file and has these checked values."""
    yield from _cut_off(raw)
    name, suffix = values.get("output_name", ""), f".{values.get('format', 'wav')}"
    if name.lower().endswith(suffix):
        yield FieldFinding(
            ("output_name",),
            f"ends in {suffix}, and the audio is called {shown(name + suffix)}",
            "leave it away: the format gives the suffix",
        )
    if name.startswith("~"):
        yield FieldFinding(
            ("output_name",),
            f"begins with {name.partition('/')[0]}, which is a name like any other here",
            "leave it away: names are relative to the output folder",
        )
    moment = values.get("not_before")
    if moment is not None and 0 < moment < _FIRST_LIKELY:
        yield FieldFinding(
            ("not_before",),
            f"is {rfc3339(moment)}: seconds count from 1970, not from now",
            "write the time itself, such as 2026-11-22T09:00:00Z",
        )


def _cut_off(raw: object) -> Iterator[FieldFinding]:
    """Each field of a job whose value may have been cut off by a ` #`.

    A comment that is set off, by two blanks or behind the end of a sentence and with a blank behind its #, is
    one that was meant.
    """
    if not isinstance(raw, LinedDict):
        return
    for name, remark in raw.remarks.items():
        value = raw.get(name)
        if not isinstance(value, str) or not value:
            continue
        said = remark.lstrip()
        glued = not said[1:2].isspace() and said[1:2] not in ("", "#")
        set_off = remark[: len(remark) - len(said)] != " " or _ENDED.search(value) is not None
        if (name in _SENTENCES and (glued or not set_off)) or (name in _NAMES and glued):
            what = "text" if name in _SENTENCES else "name"
            yield FieldFinding(
                (name,),
                f'ends before {shown(said)}: a " #" begins a comment in YAML',
                f"put quotes around the whole {what} if that belongs to it",
            )


def with_remark(finding: FieldFinding, raw: object) -> FieldFinding:
    """The finding; where a field is missing because its value reads as a comment, it says so."""
    remarks: Mapping[Any, str] = raw.remarks if isinstance(raw, LinedDict) else {}
    if len(finding.path) != 1 or finding.path[0] not in remarks or not finding.message.startswith(_MISSING):
        return finding
    said = shown(remarks[finding.path[0]].lstrip())
    message = f"is empty: a # begins a comment in YAML, so {said} is none of it"
    return FieldFinding(finding.path, message, "put quotes around a value that begins with #")
