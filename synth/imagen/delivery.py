"""From a row to a stored picture, so that a crash between any two steps leaves no half and no second one.

Drawn, it goes to this machine's disk; then the row learns what was drawn and where it is to lie; then the
object is put there; then, in one transaction of the caller's, its row is written and the job's is ended.
Whoever takes up a row finds the last of these that happened, and goes on from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from lib.errors import BadInput
from lib.picture_tables.model import DrawnPicture, ImageJob, StoredObject
from lib.storage.bucket import Bucket
from synth.imagen.drawn_files import DrawnFiles
from synth.imagen.object_names import mark_of, object_name
from synth.imagen.studio import order_hash, seed_of
from synth.pictures.backend import BadOrder, Picture

NoteDrawn = Callable[[ImageJob, DrawnPicture], None]


class RowLost(Exception):
    """The row is somebody else's by now, or gone: nothing more is done for it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A picture that lies in the bucket."""

    picture: DrawnPicture
    stored: StoredObject


class PictureDelivery:
    """Draws and stores. `draw` makes the picture; `note` writes into the row, and raises RowLost."""

    def __init__(
        self, draw: Callable[[ImageJob], Picture], files: DrawnFiles, bucket: Bucket, note: NoteDrawn
    ) -> None:
        self._draw, self._files, self._bucket, self._note = draw, files, bucket, note

    def deliver(self, job: ImageJob) -> Delivered:
        """The picture of a row, stored. May be repeated at any point.

        Raises:
            RowLost: the row is not ours any more.
            lib.storage.StorageUnavailable: the store refuses; the picture waits on the disk.
            lib.errors.JobRunnerError: as `Studio.draw`.
        """
        order = order_hash(job)
        earlier = job.drawn if job.drawn is not None and job.drawn.order == order else None
        if earlier is not None and self._bucket.sha256(earlier.path) == earlier.sha256:
            return self._delivered(earlier)
        picture = self._files.find(job.id, order)
        if picture is None:
            picture = self._draw(job)
            self._files.keep(job.id, order, picture)
        return self._stored(job, picture, order, earlier)

    def forget(self, job: ImageJob) -> None:
        """Drop what the disk holds for a row that has ended."""
        self._files.drop(job.id)

    def _stored(self, job: ImageJob, picture: Picture, order: str, earlier: DrawnPicture | None) -> Delivered:
        facts = {name: value for name, value in asdict(picture).items() if name != "png"}
        sha256 = hashlib.sha256(picture.png).hexdigest()
        drawn = DrawnPicture(path="", sha256=sha256, order=order, **facts)
        for path in self._names(job):
            drawn = replace(drawn, path=path)
            self._note(job, drawn)
            if self._bucket.put_new(path, picture.png, sha256):
                return self._delivered(drawn)
            # A worker that was given up for dead may have put its own drawing of this row there meanwhile.
            if earlier is not None and (earlier.path, earlier.sha256) == (path, self._bucket.sha256(path)):
                return self._delivered(earlier)
        raise BadInput(
            f"the bucket {self._bucket.name} has other pictures under both names that this one could have; "
            f"remove {drawn.path}, or ask for another seed"
        )

    def _names(self, job: ImageJob) -> list[str]:
        try:
            plain = object_name(job.day, job.prompt, seed_of(job))
        except ValueError:
            raise BadOrder("the row's created_at is no time that a calendar has") from None
        marked = object_name(job.day, job.prompt, seed_of(job), mark_of(job.id))
        # Where the store lets the last of two writers win, no two rows may want one name.
        return [plain, marked] if self._bucket.keeps_first else [marked]

    def _delivered(self, picture: DrawnPicture) -> Delivered:
        return Delivered(picture, StoredObject(self._bucket.name, picture.path, picture.sha256))
