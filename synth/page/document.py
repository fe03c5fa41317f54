"""A page as one file of HTML: nothing is loaded but the audio beside it, and no script but ours runs."""

from __future__ import annotations

import base64
import errno
import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeAlias

from lib.errors import BadConfiguration, BadInput
from lib.files import NotPlain, read_plain, write_whole
from lib.records import DrawnRecord
from lib.units import seconds_text
from synth.page.beats import BeatCard
from synth.page.markup import Markup, escaped, script_json, tag
from synth.page.page_list import ListenPage, ShownBeat
from synth.page.pictures import PictureCard

#: By this a page of ours is known, so that none that a person wrote is written over.
_MADE_BY: Final = '<meta name="generator" content="job-runner page">'
_HEAD_BYTES: Final = 4096
_MOST_BEATS: Final = 10_000
_MOST_NAMED: Final = 4  # voices
_LEAST_SCALE: Final = 0.1  # of full scale; a page of near silence is not blown up

_KEYS: Final = (
    ("Space", "play or pause"),
    ("J", "next beat"),
    ("K", "beat before"),
    ("← →", "five seconds back or on"),
    ("A", "play all from here, or one at a time"),
    ("F", "next beat with something wrong"),
    ("?", "this help"),
    ("Esc", "close it"),
)


Card: TypeAlias = BeatCard | PictureCard


def write_page(page: ListenPage) -> int:
    """Write the page whole or not at all; its length in bytes.

    Raises:
        BadInput: something else stands under its name, or it has too many beats.
        BadConfiguration: its folder is missing or cannot be written, or the disk is full.
    """
    if len(page.beats) > _MOST_BEATS:  # of this page alone: the others of a list are made
        raise BadInput(
            f"{page.title} has {len(page.beats):,} beats, and a page shows at most {_MOST_BEATS:,}; "
            "name fewer of them."
        )
    data = page_html(page).encode("utf-8")
    _check_place(page.file)
    try:
        write_whole(page.file, data, sync=True)
    except OSError as error:
        raise _unwritable(page.file, error) from None
    return len(data)


def page_html(page: ListenPage) -> str:
    """The whole document. Files of beats that are missing are shown as missing."""
    folder = page.file.absolute().parent
    cards = [_card_of(number, beat, folder) for number, beat in enumerate(page.beats, 1)]
    scale = max((card.loudest for card in cards), default=0.0)
    body = [
        _header(page, cards),
        tag("main", tag("ol", *[card.html(max(scale, _LEAST_SCALE)) for card in cards], class_="beats")),
        _bar(),
        _help(),
        tag("script", script_json([card.data() for card in cards]), type="application/json", id="data"),
        tag("script", _part("page.js")),
    ]
    head = _head(page.title, pictures=any(isinstance(card, PictureCard) for card in cards))
    return f'<!doctype html>\n<html lang="en">{head}<body>{"".join(body)}</body></html>\n'


def _card_of(number: int, beat: ShownBeat, folder: Path) -> Card:
    if isinstance(beat.record, DrawnRecord):
        return PictureCard(number, beat, beat.record, folder)
    return BeatCard(number, beat, beat.spoken, folder)


def _head(title: str, *, pictures: bool) -> str:
    """The head; only a page with pictures may load any, and from its own disk alone."""
    images = "'self' file: data:" if pictures else "data:"
    policy = (
        f"default-src 'none'; media-src 'self' file:; img-src {images}; "
        f"style-src {_hash_of('page.css')}; "
        f"script-src {_hash_of('page.js')}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return "".join(
        [
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escaped(policy)}">',
            _MADE_BY,
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
            '<link rel="icon" href="data:,">',
            tag("title", title),
            tag("style", _part("page.css")),
            "</head>",
        ]
    )


def _header(page: ListenPage, cards: Sequence[Card]) -> Markup:
    silent = sum(not card.is_playable for card in cards)
    faulty = sum(card.has_faults for card in cards)
    drawn = sum(isinstance(card, PictureCard) for card in cards)
    beats = len(cards) - drawn
    counted = [f"{beats} beat{'' if beats == 1 else 's'}"] if beats or not drawn else []
    counted += [f"{drawn} picture{'' if drawn == 1 else 's'}"] if drawn else []
    counted += [seconds_text(sum(card.seconds for card in cards))] if beats or not drawn else []
    counted += [voices] if (voices := _voices(page)) else []
    notes = [f"{silent} cannot be {'shown' if drawn else 'played'}"] if silent else []
    notes += [f"{faulty} with something wrong"] if faulty else []
    return tag(
        "header",
        tag("h1", page.title, dir="auto"),
        tag("p", " · ".join(counted), class_="about", dir="auto"),
        tag("p", page.lead, class_="lead", dir="auto") if page.lead else None,
        tag("p", "; ".join(notes), class_="notes") if notes else None,
        tag("p", _verdicts(page), class_="verdicts") if drawn < len(cards) else None,
        tag("noscript", tag("p", "Without scripts, each beat opens by its Download link.")),
        class_="top",
    )


def _voices(page: ListenPage) -> str:
    records = [beat.spoken for beat in page.beats if beat.spoken is not None]
    names = list(dict.fromkeys(record.voice or record.speaker or "" for record in records))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _verdicts(page: ListenPage) -> str:
    """What a recogniser said of the beats; that none did is said, too."""
    counts = Counter(beat.spoken.verdict for beat in page.beats if beat.spoken is not None)
    if set(counts) <= {"UNVERIFIED"}:
        return "UNVERIFIED: no recogniser compared what is said with what is written. Your ears decide."
    return "Compared with the text by a recogniser: " + ", ".join(
        f"{count} {verdict}" for verdict, count in sorted(counts.items())
    )


def _bar() -> Markup:
    """The player at the bottom: what plays, how far, and the buttons for it."""
    button = [
        _button("previous", "Beat before (K)", "M7 6h2.2v12H7zM18 6v12l-8-6z"),
        _button(
            "toggle", "Play or pause (space)", "M8 5.5v13l11-6.5z", "M7 5.5h3.6v13H7zM13.4 5.5H17v13h-3.6z"
        ),
        _button("next", "Next beat (J)", "M14.8 6H17v12h-2.2zM6 6v12l8-6z"),
    ]
    speeds = [tag("option", f"{speed:g}×", value=f"{speed:g}", selected=speed == 1.0) for speed in _SPEEDS]
    return tag(
        "section",
        tag("div", *button, class_="buttons"),
        tag("p", tag("span", "", id="now", dir="auto"), tag("span", "", id="time"), class_="now"),
        tag(
            "div",
            tag(
                "button",
                tag("span", "Play"),
                tag("b", "all"),
                type="button",
                id="all",
                aria_pressed="false",
                aria_label="Play all from here",
                title="Play all from here (A)",
            ),
            tag("select", *speeds, id="speed", aria_label="Speed of playing"),
            tag("button", "?", type="button", id="keys", aria_label="Help: keys", title="Keys (?)"),
            class_="more",
        ),
        tag("p", class_="visually-hidden", id="said", role="status"),
        class_="bar",
        aria_label="Player",
    )


_SPEEDS: Final = (0.75, 1.0, 1.25, 1.5, 2.0)


def _button(name: str, label: str, *shapes: str) -> Markup:
    paths = [
        tag("path", d=shape, class_=("to-play", "to-pause")[at] if len(shapes) > 1 else None)
        for at, shape in enumerate(shapes)
    ]
    drawn = tag("svg", *paths, viewBox="0 0 24 24", aria_hidden="true", focusable="false")
    return tag("button", drawn, type="button", id=name, aria_label=label, title=label)


def _help() -> Markup:
    rows = [tag("div", tag("dt", tag("kbd", key)), tag("dd", what)) for key, what in _KEYS]
    return tag(
        "dialog",
        tag("h2", "Keys", id="help-title"),
        tag("dl", *rows),
        tag("button", "Close", type="button", id="close"),
        id="help",
        aria_labelledby="help-title",
    )


@cache
def _part(name: str) -> Markup:
    """Our style or script, which stands in the page as it is."""
    return Markup(files("synth.page").joinpath(name).read_text(encoding="utf-8"))


@cache
def _hash_of(name: str) -> str:
    digest = hashlib.sha256(_part(name).encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _check_place(path: Path) -> None:
    """See that nothing stands there but an earlier page of ours."""
    try:
        head = read_plain(path, _HEAD_BYTES)
    except FileNotFoundError:
        return
    except NotPlain:
        raise BadInput(f"{path} is no file, so no page was written there; move it away.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    if _MADE_BY.encode() not in head:
        raise BadInput(f"{path} is no page of ours, so it was not written over; move it away.")


def _unwritable(path: Path, error: OSError) -> BadConfiguration:
    why = "there is no such folder" if error.errno == errno.ENOENT else error.strerror or str(error)
    return BadConfiguration(f"The page {path} cannot be written: {why}.")
