"""What a job made, whatever kind it is: takes of speech, or a picture."""

from __future__ import annotations

from typing import TypeAlias

from lib.records.drawn import DrawnRecord, JobPicture, drawn_from, picture_from
from lib.records.reading import Fields
from lib.records.spoken import SpokenRecord, spoken_from
from lib.records.takes import Take, take_from

#: What is stored and published under a job's name.
Made: TypeAlias = Take | JobPicture
#: What a `result.json` tells.
MadeRecord: TypeAlias = SpokenRecord | DrawnRecord


def record_from(value: object) -> MadeRecord:
    """Read a `result.json` of either kind. Raises InvalidRecord."""
    fields = Fields(value)
    return drawn_from(fields) if fields.has("kind") else spoken_from(fields)


def made_from(value: object) -> Made:
    """Read what `to_json` of either gave. Raises InvalidRecord."""
    fields = Fields(value)
    return picture_from(fields) if fields.has("width") else take_from(fields)
