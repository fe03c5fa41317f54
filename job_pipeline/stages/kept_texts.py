"""What a language model wrote before for what has not changed: after an edit it is asked about the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages.origin import LLM
from lib.files import read_plain
from lib.foreign import parse_json

_MOST_BYTES: Final = 64 << 20


def kept_texts(file: Path, rows: str, about: str, text: str, notes: Sequence[str]) -> dict[str, str]:
    """The texts of a file of an earlier attempt, by what they are about; none where there were other notes.

    `rows` is the key of the list, `about` and `text` are keys of each of its objects.
    """
    try:
        value = parse_json(read_plain(file, _MOST_BYTES))
        if value["source"] != LLM or value["notes"] != list(notes):
            return {}
        found = {row[about]: row[text] for row in value[rows]}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
    return {key: said for key, said in found.items() if isinstance(key, str) and isinstance(said, str)}


def with_kept(
    scenes: Sequence[Mapping[str, Any]],
    about: str,
    kept: Mapping[str, str],
    ask: Callable[[list[Mapping[str, Any]]], list[str]],
) -> list[str]:
    """A text for each scene: the kept one of what it is about, else what `ask` answers for all others."""
    asked = [scene for scene in scenes if scene[about] not in kept]
    answers = iter(ask(asked) if asked else [])
    return [kept[scene[about]] if scene[about] in kept else next(answers) for scene in scenes]
