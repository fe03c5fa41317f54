"""Prose, as somebody writes or pastes it, and the job file that is made of it: a line of each paragraph."""

from __future__ import annotations

import re
from typing import Final

from lib.errors import BadInput
from lib.jobspec.files.anyfile import is_beatsheet, is_keyed
from lib.jobspec.files.replaced_values import yaml_text

_KEY: Final = re.compile(r"\s*(?:- *)?([\"']?)\w+\1[ \t]*:(?:\s|$)")
_APART: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9_]+")
_LONGEST_TOPIC: Final = 60


class NoProse(BadInput):
    """What was sent is no prose of which lines could be made."""


def is_prose(data: bytes) -> bool:
    """Whether these bytes are text for people: no JSON, no field of a job, and not most lines a key."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or text.lstrip()[0] in "{[" or is_beatsheet(data) or is_keyed(data):
        return False
    return sum(1 for line in lines if _KEY.match(line)) * 2 <= len(lines) and bool(_paragraphs(text))


def script_of_prose(data: bytes, *, topic: str, voice: str | None, speaker: str | None) -> str:
    """A job file of prose: each paragraph is a line, `topic/line-001` and on, that one of both speaks.

    Raises:
        NoProse: it is none.
    """
    if not is_prose(data):
        raise NoProse("this is no plain text that lines could be made of; correct it as the file it is")
    who = f"voice: {yaml_text(voice)}" if voice is not None else f"speaker: {yaml_text(speaker)}"
    made = ["defaults:", f"  {who}", "jobs:"]
    name = _NOT_A_NAME.sub("-", topic).strip("-_")[:_LONGEST_TOPIC] or "script"
    for number, paragraph in enumerate(_paragraphs(data.decode("utf-8-sig")), 1):
        made += [f"  - output_name: {name}/line-{number:03}", f"    text: {yaml_text(paragraph)}"]
    return "\n".join(made) + "\n"


def _paragraphs(text: str) -> list[str]:
    """What blank lines part, each on one line; without what only draws a line between."""
    parts = (" ".join(part.split()) for part in _APART.split(text.replace("\r\n", "\n").replace("\r", "\n")))
    return [part for part in parts if any(character.isalnum() for character in part)]
