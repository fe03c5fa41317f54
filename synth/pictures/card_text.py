"""What a card says: a prompt read as a title and a subtitle, a scene of a storyboard, or a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lib.captions.breaks import width
from synth.typeset.letters import plain

_LONGEST_TITLE: Final = (
    64  # letters, those of Chinese and Japanese as two; a prompt without parts that is longer is a text
)
_PARTS: Final = re.compile(r"(?<!\\)\|")
_SCENE: Final = re.compile(
    r"((?:scene|shot|frame|panel|szene|scène|escena|cena|scena|сцена|кадр|シーン|カット|场景|場景|镜头|장면|"
    r"مشهد|दृश्य|ฉาก)\s*|#)(\d{1,4}[a-z]?)\s*(?:[.:)|\n–—-]\s*|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CardText:
    """The parts of a card; empty where it has none."""

    label: str  # "Scene 3"
    number: str  # "3"
    title: str
    body: str
    footer: str


def read_prompt(prompt: str) -> CardText:
    """A prompt's parts. Nothing of it is lost; `\\|` is a bar that parts nothing.

    Forms: `Title | subtitle | footer`; `Scene 3: title | body`; a first line and what stands below it; a
    sentence or more.
    """
    text = plain(prompt)
    label, number = "", ""
    scene = _SCENE.match(text)
    if scene:
        name = scene.group(1).strip()
        number = scene.group(2)
        label = f"#{number}" if name == "#" else f"{name} {number}"
        text = text[scene.end() :].lstrip("|\n ")
    parts = [part.replace("\\|", "|").strip() for part in _PARTS.split(text)]
    parts = [part for part in parts if part]
    if len(parts) > 1:
        title, body, footer = parts[0], parts[1], " · ".join(parts[2:])
        return CardText(label, number, title.replace("\n", " "), body, footer.replace("\n", " "))
    whole = parts[0] if parts else ""
    first, _, rest = whole.partition("\n")
    if rest and width(first) <= _LONGEST_TITLE:
        return CardText(label, number, first, rest, "")
    if not rest and width(whole) <= _LONGEST_TITLE:
        return CardText(label, number, whole, "", "") if whole else CardText("", "", label, "", "")
    return CardText(label, number, "", whole, "")
