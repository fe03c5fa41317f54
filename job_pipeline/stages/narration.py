"""What is said, beat by beat: the form that a script has in results and in `script.txt`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from job_pipeline.stages.prose import clean, count_words, is_speakable, pieces, seconds_of

#: Of one beat. A longer paragraph is several.
LONGEST_BEAT: Final = 900
_HEADING: Final = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t#]*$")
_FRONT: Final = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_ITEM: Final = re.compile(r"\s{0,3}(?:[-*+]|\d{1,3}[.)])[ \t]+")
# Bounded: a line of thousands of openings must not be read to its end from each.
_LINK: Final = re.compile(r"!?\[([^\]\n]{0,300})\]\([^)\n]{0,2000}\)")
_STRONG: Final = re.compile(r"(\*\*|__)(?=\S)(.{1,300}?)(?<=\S)\1")
_LIGHT: Final = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,300}?)(?<=\S)\*(?![\w*])")
_RULE: Final = re.compile(r"\s*([-*_=])(?:\s*\1){2,}\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrationBeat:
    """One piece of narration. `options` are fields of its job, like voice or speed."""

    id: str
    text: str
    section: str = ""
    title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narration:
    """A whole text to be spoken."""

    title: str
    beats: tuple[NarrationBeat, ...]

    @property
    def words(self) -> int:
        """How many it has."""
        return sum(count_words(beat.text) for beat in self.beats)

    @property
    def seconds(self) -> float:
        """About how long it will be."""
        return round(sum(seconds_of(beat.text) for beat in self.beats), 1)

    @property
    def sections(self) -> list[tuple[str, list[NarrationBeat]]]:
        """Its sections in order, each with its beats."""
        found: list[tuple[str, list[NarrationBeat]]] = []
        for beat in self.beats:
            if not found or found[-1][0] != beat.section:
                found.append((beat.section, []))
            found[-1][1].append(beat)
        return found

    @property
    def text(self) -> str:
        """All that is said, a paragraph for each beat."""
        return "\n\n".join(beat.text for beat in self.beats)

    def to_json(self) -> dict[str, Any]:
        """What results hold."""
        return {"title": self.title, "beats": [_beat_json(beat) for beat in self.beats]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Narration:
        """Read what `to_json` gave."""
        return cls(title=value["title"], beats=tuple(NarrationBeat(**beat) for beat in value["beats"]))


def _beat_json(beat: NarrationBeat) -> dict[str, Any]:
    optional = {"section": beat.section, "title": beat.title, "options": dict(beat.options)}
    return {"id": beat.id, "text": beat.text} | {name: value for name, value in optional.items() if value}


def beat_id(number: int) -> str:
    """The id of a beat by its place from 0: `beat-001`."""
    return f"beat-{number + 1:03d}"


def narration_of(title: str, sections: Sequence[tuple[str, Sequence[str]]]) -> Narration:
    """Beats of paragraphs: each cut where it is too long, numbered through."""
    texts = [
        (section, piece)
        for section, paragraphs in sections
        for paragraph in paragraphs
        if is_speakable(paragraph)
        for piece in pieces(paragraph, LONGEST_BEAT)
        if is_speakable(piece)
    ]
    beats = [
        NarrationBeat(id=beat_id(number), text=text, section=section)
        for number, (section, text) in enumerate(texts)
    ]
    return Narration(title=title, beats=tuple(beats))


def read_prose(text: str, title: str = "") -> Narration:
    """The narration of a script as people write it: paragraphs, and headings as Markdown has them.

    The first heading of the first level is the title where there is no other one; the others begin sections.
    Comments, rules, links' addresses and signs of emphasis are not spoken.
    """
    text = _without_comments(_FRONT.sub("", clean(text).lstrip("\n")))
    sections: list[tuple[str, list[str]]] = [("", [])]
    for block in re.split(r"\n[ \t]*\n", text):
        paragraph = list[str]()
        for line in block.split("\n"):
            heading = _HEADING.match(line.strip())
            if heading is None and not _RULE.match(line):
                _take_line(paragraph, line)
                continue
            sections[-1][1].extend(paragraph)
            paragraph = []
            if heading is not None:
                name = _plain(heading[2])
                if heading[1] == "#" and not title:
                    title = name
                else:
                    sections.append((name, []))
        sections[-1][1].extend(paragraph)
    return narration_of(title, sections)


def _without_comments(text: str) -> str:
    """A text without `<!-- -->`; one that does not end is left."""
    kept, start = list[str](), 0
    while (at := text.find("<!--", start)) >= 0 and (end := text.find("-->", at)) >= 0:
        kept.append(text[start:at])
        start = end + 3
    return "".join([*kept, text[start:]])


def _take_line(paragraph: list[str], line: str) -> None:
    """Add a line to the paragraphs of a block: an item of a list is one of its own."""
    item = _ITEM.match(line)
    said = _plain(line[item.end() :] if item else line)
    if item or not paragraph:
        paragraph.append(said)
    else:
        paragraph[-1] = f"{paragraph[-1]} {said}".strip()


def _plain(line: str) -> str:
    line = _LINK.sub(r"\1", line)
    line = _LIGHT.sub(r"\1", _STRONG.sub(r"\2", line)).replace("`", "")
    return " ".join(line.removeprefix(">").split())
