"""From values to a page: the templates, what they may call, and what every page shows."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from job_console.access.caller import ConsoleCaller
from job_console.pages.web_files import address_of
from lib.clock import rfc3339
from lib.units import bytes_text, seconds_text

_RFC3339: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_TEMPLATES: Final = Path(__file__).parent.parent / "web" / "templates"
#: What the navigation shows: the address, the word, and the name by which a page says that it is this one.
_ROOMS: Final = (
    ("/", "Overview", "overview"),
    ("/queue", "Queue", "queue"),
    ("/history", "History", "history"),
    ("/upload", "Upload", "upload"),
    ("/runs", "Runs", "runs"),
    ("/gates", "Gates", "gates"),
    ("/machines", "Machines", "machines"),
    ("/voices", "Voices", "voices"),
)


class HtmlPage(Response):
    """A page, in UTF-8."""

    media_type = "text/html"


@cache
def templates() -> Environment:
    """The templates. All that is put into one is escaped; a name that is missing is an error."""
    found = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        bytes=bytes_text,
        seconds=seconds_text,
        duration=_duration,
        rfc3339=_when,
        usd=_usd,
        path=_path_part,
        clock=_clock,
        moments=_moments,
        pretty=_pretty,
    )
    found.globals.update(static=address_of, rooms=_ROOMS)
    return found


def page(request: Request, template: str, room: str = "", *, status: int = 200, **values: Any) -> HtmlPage:
    """A page from a template. `room` is the entry of the navigation that it belongs to.

    What happens from now on comes to it by events: its values are to be read after this place was taken, so
    a route takes `place_of` first and passes it on as `place`.
    """
    caller: ConsoleCaller = request.scope["state"]["caller"]
    shown = {
        "room": room,
        "operator": caller.operator if caller.by == "session" else None,
        "session": ""
        if caller.expires_at is None
        else f"{caller.expires_at:.3f}",  # another one: a new login
        "place": "",
        "now": request.app.state.parts.clock.now(),
        **values,
    }
    return HtmlPage(templates().get_template(template).render(shown), status)


def place_of(request: Request) -> str:
    """The id of the last event before now: a page that was made after it misses none that follows."""
    return str(request.app.state.hub.place)


def _when(at: float | None) -> str:
    return "" if at is None else rfc3339(at)


def _clock(at: float | str | None) -> str:
    """A day and its time in UTC, of seconds since the epoch or of RFC 3339."""
    if at is None:
        return "-"
    text = rfc3339(at) if isinstance(at, float | int) else at
    moment = datetime.fromisoformat(text)
    return moment.strftime("%b %d, %H:%M:%S")


def _moments(sentence: str) -> str:
    """A sentence with its times as people read them."""

    def read(found: re.Match[str]) -> str:
        try:
            return f"{_clock(found[0])} UTC"
        except ValueError:  # somebody's words that only look like one
            return found[0]

    return _RFC3339.sub(read, sentence)


def _duration(seconds: float) -> str:
    """As the players write it: minutes, seconds and their tenths."""
    tenths = int(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"


def _usd(amount: Any) -> str:
    """US dollars, to the cent, and below ten cents to the hundredth of one."""
    value = float(amount)
    return f"${value:.4f}" if 0 < value < 0.1 else f"${value:.2f}"


def _pretty(value: Any) -> str:
    """JSON for people to read."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _path_part(text: str) -> str:
    """A name as one part of an address."""
    return quote(text, safe="")
