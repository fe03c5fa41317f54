"""What a person wants otherwise than the last time, and how much of it can be done without a model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages.narration import Narration, NarrationBeat
from job_pipeline.stages.prose import clean, count_words, sentences
from lib.files import read_plain, write_whole
from lib.foreign import parse_json
from lib.pipeline.context import TaskContext

#: What "shorter" leaves, where no number is said.
SHORTER: Final = 0.7
_WORDS_A_MINUTE: Final = 150
_LONGEST: Final = 2_000
_MOST: Final = 20  # notes
_SHORTER: Final = re.compile(r"\b(?:shorter|shorten|too long|cut it|trim|brief(?:er)?|condense)\b", re.I)
_LIMIT: Final = re.compile(
    r"\b(?:at most|max(?:imum)?|under|below|less than|not more than|no more than|within|up to|in|to)\W+"
    r"(\d{1,6}(?:\.\d{1,3})?)\s*(words?|minutes?|mins?|seconds?|secs?|s)\b",
    re.I,
)


def notes_of(context: TaskContext) -> list[str]:
    """Every note that this stage of the run was given so far, the newest last; the same note counts once.

    The ledger tells a stage the newest one alone. What was asked for before still holds, so they are kept in
    the run's folder.
    """
    note = " ".join(clean(context.instruction or "").split())[:_LONGEST]
    file = context.folder / ".notes" / f"{context.task}.json"
    notes = _kept(file)
    if note and note not in notes:
        notes = [*notes, note][-_MOST:]
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(notes, ensure_ascii=False).encode(), sync=True)
    return notes


def _kept(file: Path) -> list[str]:
    try:
        value = parse_json(read_plain(file, 1 << 20))
    except (OSError, ValueError):
        return []
    return [note for note in value if isinstance(note, str)] if isinstance(value, list) else []


def asked(notes: Sequence[str]) -> str:
    """The notes as the part of a question; empty where there are none."""
    if not notes:
        return ""
    return "\n\nThe editor rejected what was made before. Heed every one of these notes:\n" + "\n".join(
        f"- {note}" for note in notes
    )


def told(notes: Sequence[str], applied: str, not_applied: str) -> dict[str, Any]:
    """What a result says of its notes; nothing where there were none.

    `applied` is what was done of them and `not_applied` what could not be, each "" where that is nothing.
    """
    if not notes:
        return {}
    return {"instruction": {"notes": list(notes), "applied": applied, "not_applied": not_applied}}


def word_limit(notes: Sequence[str], words: int) -> int | None:
    """How many words notes ask for at most, of a text that has `words`; None where none asks for that."""
    limits = [limit for note in notes if (limit := _limit_of(note, words)) is not None]
    return min(limits, default=None)


def _limit_of(note: str, words: int) -> int | None:
    found = _LIMIT.search(note)
    if found is not None:
        number, unit = float(found[1]), found[2].lower()
        per_unit = 1.0 if unit.startswith("w") else _WORDS_A_MINUTE / (1 if unit.startswith("m") else 60)
        return max(1, round(number * per_unit))
    return max(1, int(words * SHORTER)) if _SHORTER.search(note) else None


def shortened(narration: Narration, limit: int) -> Narration:
    """The narration with its last sentences left out, beat by beat, until it has `limit` words.

    Whole sentences stay or go; each beat keeps its first one, as long as there is room for that beat at all.
    """
    words = narration.words
    if words <= limit:
        return narration
    share, spent, kept = limit / words, 0, list[NarrationBeat]()
    for beat in narration.beats:
        text = _first_sentences(beat.text, max(1, round(count_words(beat.text) * share)))
        spent += count_words(text)
        if kept and spent > limit:
            break
        kept.append(replace(beat, text=text))
    return Narration(title=narration.title, beats=tuple(kept))


def _first_sentences(text: str, limit: int) -> str:
    kept, words = list[str](), 0
    for sentence in sentences(text):
        words += count_words(sentence)
        if kept and words > limit:
            break
        kept.append(sentence)
    return " ".join(kept)
