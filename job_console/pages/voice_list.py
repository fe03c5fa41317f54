"""Voices to hear: what each is made from, and a line said by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request

from job_console.api.kinds import Parts
from job_console.pages.players import HeardTake
from job_console.pages.rendering import HtmlPage, page, place_of
from job_console.voice_samples import LONGEST_LINE
from lib.voices.catalogue import kind_of_speakers, speaker_rows, voice_rows

router = APIRouter(include_in_schema=False)

_LINE: Final = "Hello, this is how I sound, and the programme begins now."
#: Where a script puts the sample of a voice: a player of one take that is at no address yet.
_EMPTY: Final = HeardTake(label="sample", src="")


@router.get("/voices")
def voices(request: Request, parts: Parts) -> HtmlPage:
    """Show the voices and speakers there are."""
    place = place_of(request)
    rows = voice_rows(parts.registry())
    return page(
        request,
        "voices.html",
        "voices",
        place=place,
        voices=[(row, _recording(row)) for row in rows],
        speakers=[*_each_sound(speaker_rows(parts.engine))],
        engine=parts.engine,
        about=kind_of_speakers(parts.engine),
        line=_LINE,
        longest=LONGEST_LINE,
        empty=_EMPTY,
    )


def _recording(row: Mapping[str, Any]) -> HeardTake | None:
    """What a cloned voice was made from."""
    if row.get("reference_audio") is None:
        return None
    address = f"/api/v1/voices/{quote(row['name'], safe='')}/recording"
    return HeardTake(label="its recording", src=address, peaks=f"{address}/peaks", sha256=row["sha256"])


def _each_sound(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each sound once, with the other names that it goes by."""
    for row in rows:
        if row["same_as"] is None:
            yield row, ", ".join(other["name"] for other in rows if other["same_as"] == row["name"])
