"""What the tables of pictures hold: frozen, plain, free of any database type. Sizes are pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture that was drawn for a job, and where it is to lie. It may lie there already, or not yet."""

    path: str  # in the bucket: "<YYYY-MM-DD>/<slug>-<seed>.png"
    sha256: str
    width: int
    height: int
    seed: int
    backend: str
    model: str = ""
    seconds: float = 0.0
    cost_usd: float | None = None
    order: str = ""  # a hash of what was asked for: another order's picture is of no use


@dataclass(frozen=True, slots=True)
class ImageJob:
    """A row of `imagen.jobs` that was claimed, as it was written by whoever asked for the picture.

    `lease_no` rises with every claim: what an earlier one writes later changes nothing. `attempts` counts
    claims, this one included. `drawn` is what an earlier claim had drawn already, whatever became of it.
    """

    id: str  # a UUID
    owner: str | None  # a UUID; None: the row has none
    prompt: str
    backend: str
    width: int
    height: int
    seed: int | None
    day: str  # on which the row was written, in UTC: "2026-11-30"
    lease_no: int
    attempts: int
    error: str | None = None  # why it was given back the last time
    drawn: DrawnPicture | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that lies in a bucket, and the bytes it has."""

    bucket: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NewImage:
    """A row for `imagen.images`: a picture that is stored. `id` is a UUID; "" lets the database make one."""

    owner: str
    prompt: str
    bucket: str
    picture: DrawnPicture
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPicture:
    """A row for `imagen.jobs`. `id` and `owner` are UUIDs; without an id the database makes one."""

    id: str | None = None
    owner: str | None
    prompt: str
    backend: str
    width: int
    height: int
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownImageJob:
    """A row of `imagen.jobs` for whoever asked for it, with the picture that it led to.

    Times are seconds since the epoch; `bucket`, `path`, `sha256` and `image_seed` are of the picture.
    """

    id: str
    owner: str | None
    prompt: str
    backend: str
    width: int
    height: int
    seed: int | None
    status: str
    error: str | None
    attempts: int
    created_at: float
    started_at: float | None
    drawn_at: float | None
    finished_at: float | None
    image_id: str | None
    bucket: str | None
    path: str | None
    sha256: str | None
    image_seed: int | None
