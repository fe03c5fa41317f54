"""What the chapters of an episode are called, and which files it may not write over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lib.errors import BadInput
from lib.jobs.episode import EpisodeBeat
from lib.jobspec import JobSpec, printable, titles
from lib.jobspec.episode_names import files_beside, title_trouble
from lib.jobspec.names import folded

_LONGEST_WORDS: Final = 48


def chapter_titles(specs: Sequence[JobSpec], key: str | None) -> list[str]:
    """The titles of the beats' chapters: what their `callback_data` has under `key`, else their names.

    Names are shortened by the topic where all have the same one.

    Raises:
        BadInput: no job has the key, or one has something else than a text there.
    """
    if key is not None and not any(key in spec.callback_data for spec in specs):
        raise BadInput(f"No beat has the key {printable(key)!r} in its callback_data; see --chapters.")
    several = len({titles(spec.output_name)[1] for spec in specs}) > 1
    names = [spec.output_name if several else titles(spec.output_name)[0] for spec in specs]
    return [_title_of(spec, key, name) for spec, name in zip(specs, names, strict=True)]


def spoken_titles(beats: Sequence[EpisodeBeat]) -> list[str]:
    """The titles of chapters that nobody named: `callback_data.title`, else the first words that are spoken.

    The words are those of the captions, which are of what is spoken by now; without any, of the job.
    """
    return [_spoken_title(beat) for beat in beats]


def _spoken_title(beat: EpisodeBeat) -> str:
    title = beat.spec.callback_data.get("title")
    if isinstance(title, str) and title_trouble(title) is None:
        return title
    words = " ".join(cue.text for cue in beat.cues) or beat.spec.text
    short = _first_words(words)
    return titles(beat.spec.output_name)[0] if title_trouble(short) else short


def _first_words(text: str) -> str:
    """The first sentence if it is short, else as many whole words as a list of chapters shows."""
    taken = list[str]()
    for word in text.split():
        if len(" ".join([*taken, word])) > _LONGEST_WORDS:
            return f"{' '.join(taken).rstrip('.,;:') or word[:_LONGEST_WORDS]}…"
        taken.append(word)
        if len(taken) > 1 and word[-1] in ".!?":
            break
    return " ".join(taken).rstrip(".,;:")


def _title_of(spec: JobSpec, key: str | None, name: str) -> str:
    title = name if key is None else spec.callback_data.get(key, name)
    if not isinstance(title, str) or not title.strip():
        raise BadInput(
            f"{spec.request_id} has no text under callback_data.{printable(key or '')}, so it cannot be the "
            "title of its chapter; write one there, or leave --chapters out."
        )
    trouble = title_trouble(title)
    if trouble is not None:
        raise BadInput(f"{spec.request_id} {trouble}")
    return title


def check_target(target: Path, others: Sequence[Path], specs: Sequence[JobSpec], root: Path | None) -> None:
    """See that what is written replaces no job's file. `others` are files that are read.

    `root` is the folder that output names are relative to, None where they are not on this machine.

    Raises:
        BadInput: it would.
    """
    for path in (target, *files_beside(target).values()):
        there = _real(path)
        if any(there == _real(other) for other in others):
            raise BadInput(f"{path} would be written over, and it is read here; choose another --out.")
        owner = None if root is None else _owner(there, _real(root), specs)
        if owner is not None:
            raise BadInput(
                f"{path} is among the files of {owner}, whose audio it could replace; choose another --out."
            )


def _owner(path: Path, root: Path, specs: Sequence[JobSpec]) -> str | None:
    """The job whose files have such names: `beat-001.wav`, `beat-001.take-02.wav`, `beat-001/text.txt`."""
    if not path.is_relative_to(root):
        return None
    name = folded(path.relative_to(root).as_posix())
    for spec in specs:
        own = folded(spec.output_name)
        if name == own or name.startswith((f"{own}.", f"{own}/")):
            return spec.request_id
    return None


def _real(path: Path) -> Path:
    """Where it is, as far as anything there exists; links followed."""
    return path.parent.resolve() / path.name
