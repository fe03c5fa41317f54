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
_FRAME: Final = re.compile(r"\[([^\]\n]{0,80})\](?:\s+|$)")
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
    is_frame: bool = False  # of a film or storyboard


def read_prompt(prompt: str) -> CardText:
    """A prompt's parts. Nothing of it is lost; `\\|` is a bar that parts nothing.

    Forms: `Title | subtitle | footer`; `Scene 3: title | body`; `[label] title | body`, where the label or
    all behind it may be left out; a first line and what stands below it; a sentence or more.
    """
    text = plain(prompt)
    label, number = "", ""
    frame, scene = _FRAME.match(text), _SCENE.match(text)
    if frame:
        label, text = frame.group(1).replace("\\|", "|").strip(), text[frame.end() :]
    elif scene:
        name = scene.group(1).strip()
        number = scene.group(2)
        label = f"#{number}" if name == "#" else f"{name} {number}"
        text = text[scene.end() :].lstrip("|\n ")
    parts = [part.replace("\\|", "|").strip() for part in _PARTS.split(text)]
    parts = [part for part in parts if part]
    is_frame = bool(frame or scene)
    if len(parts) > 1:
        title, body, footer = parts[0], parts[1], " · ".join(parts[2:])
        return CardText(label, number, title.replace("\n", " "), body, footer.replace("\n", " "), is_frame)
    whole = parts[0] if parts else ""
    first, _, rest = whole.partition("\n")
    if rest and width(first) <= _LONGEST_TITLE:
        return CardText(label, number, first, rest, "", is_frame)
    if scene and not whole:
        return CardText("", "", label, "", "")
    if not rest and width(whole) <= _LONGEST_TITLE:
        return CardText(label, number, whole, "", "", is_frame)
    return CardText(label, number, "", whole, "", is_frame)
