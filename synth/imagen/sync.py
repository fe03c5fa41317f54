"""`image-synth generate --sync`: a picture that was drawn goes into the bucket and into `imagen.images`."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from lib.clock import Clock
from lib.errors import BadInput
from lib.picture_tables.image_tables import ImageTables
from lib.picture_tables.model import DrawnPicture, NewImage
from lib.storage.bucket import Bucket
from synth.imagen.object_names import mark_of, object_name
from synth.pictures.backend import Picture


@dataclass(frozen=True, slots=True)
class SyncedPicture:
    """Where a picture lies, and the id of its row in `imagen.images`."""

    id: str
    bucket: str
    path: str
    place: str  # for people: a path or a URL
    owner: str


def sync_picture(prompt: str, picture: Picture, owner: str | None = None) -> SyncedPicture:
    """Store a picture and write its row, by the settings of the picture worker.

    `owner` is a UUID; None: IMAGEN_OWNER_USER_ID. The object is stored before its row is written, and none
    that lies there with other bytes is replaced.

    Raises:
        BadConfiguration: a setting is missing or wrong, or the tables are not there.
        MissingExtra: the packages for the database or the store are not installed.
        Unavailable: the database or the store does not answer.
    """
    from synth.imagen import wiring

    with wiring.sync_desk() as desk:
        return write_picture(prompt, picture, desk.owned_by(owner), desk.bucket, desk.tables, desk.clock)


def write_picture(
    prompt: str, picture: Picture, owner: str, bucket: Bucket, tables: ImageTables, clock: Clock
) -> SyncedPicture:
    """As `sync_picture`, with what the settings lead to. `owner` is a UUID."""
    id = str(uuid.uuid4())
    sha256 = hashlib.sha256(picture.png).hexdigest()
    day = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%d")
    names = [object_name(day, prompt, picture.seed), object_name(day, prompt, picture.seed, mark_of(id))]
    for path in names if bucket.keeps_first else names[1:]:
        if bucket.put_new(path, picture.png, sha256):
            facts = {name: value for name, value in asdict(picture).items() if name != "png"}
            drawn = DrawnPicture(path=path, sha256=sha256, **facts)
            tables.add_image(NewImage(owner, prompt, bucket.name, drawn, id))
            return SyncedPicture(id, bucket.name, path, bucket.place(path), owner)
    raise BadInput(f"the bucket {bucket.name} has another picture as {names[1]}; try again")
