"""What a worker says and sends of a picture, looked at before it is believed."""

from __future__ import annotations

from pathlib import Path

from lib.png import NotPng, check_png
from lib.records import DrawnRecord, JobPicture, MadeRecord
from lib.spool.errors import InvalidSpoolData


def asked_picture(
    record: MadeRecord | None, size: tuple[int, int], seed: int | None, backend: str
) -> DrawnRecord:
    """The record, where it is of a picture as it was asked for; `seed` None: any.

    Raises:
        InvalidSpoolData: it is not.
    """
    if not isinstance(record, DrawnRecord):
        raise InvalidSpoolData("The worker's result has no picture, which the job asks for.")
    picture = record.picture
    if (picture.width, picture.height) != size:
        raise InvalidSpoolData(
            f"The worker's picture has {picture.width} x {picture.height} pixels where the job asks for "
            f"{size[0]} x {size[1]}."
        )
    if record.backend != backend:
        raise InvalidSpoolData(f"The worker's picture is not by {backend}, which the job asks for.")
    if seed is not None and picture.seed != seed:
        raise InvalidSpoolData(
            f"The worker's picture has the seed {picture.seed} where the job asks for {seed}."
        )
    return record


def check_picture(local: Path, picture: JobPicture) -> None:
    """See that a file that was fetched and verified is a whole PNG of the size that was told.

    Raises:
        InvalidSpoolData: it is not.
        OSError: it cannot be read.
    """
    try:
        size = check_png(local.read_bytes())
    except NotPng as error:
        raise InvalidSpoolData(f"The worker's picture {error}.") from None
    if size != (picture.width, picture.height):
        raise InvalidSpoolData(
            f"The worker's picture has {size[0]} x {size[1]} pixels, and its record says "
            f"{picture.width} x {picture.height}."
        )
