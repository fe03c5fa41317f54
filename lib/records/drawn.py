"""What was drawn and how: the `result.json` of a picture (docs/reference/picture-record.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lib.records.reading import Fields
from lib.records.takes import FileRef, file_from

FORMAT: Final = 1
KIND: Final = "image"
_LARGEST_SIDE: Final = 65_535  # pixels


@dataclass(frozen=True, slots=True)
class JobPicture:
    """One picture with its file. It stands where a take stands of a job that is spoken: each has one."""

    picture: FileRef
    width: int  # pixels
    height: int
    seed: int

    @property
    def take(self) -> int:
        """Its number: a job draws one."""
        return 1

    @property
    def main(self) -> FileRef:
        """The file that goes by the job's name."""
        return self.picture

    @property
    def files(self) -> tuple[FileRef, ...]:
        """All its files."""
        return (self.picture,)

    @property
    def extras(self) -> tuple[FileRef, ...]:
        """Its files beside the picture: none."""
        return ()

    @property
    def audio_seconds(self) -> float:
        """It sounds for no time."""
        return 0.0

    def to_json(self) -> dict[str, Any]:
        """The file's four keys, the size in pixels and the seed."""
        return {**self.picture.to_json(), "width": self.width, "height": self.height, "seed": self.seed}


def picture_from(fields: Fields) -> JobPicture:
    """The picture of an object's fields. Raises InvalidRecord."""
    width, height = fields.whole("width", least=1), fields.whole("height", least=1)
    for name, side in (("width", width), ("height", height)):
        if side > _LARGEST_SIDE:
            fields.refuse(name, f"is more than {_LARGEST_SIDE}")
    return JobPicture(file_from(fields), width, height, fields.whole("seed"))


@dataclass(frozen=True, slots=True)
class DrawnRecord:
    """One job as it was drawn. `work_seconds` is the time for drawing it and for writing its file.

    `cost_usd` is what the backend says it cost, None where it says nothing; a rented machine's hours are
    counted apart. `inputs` is as in `SpokenRecord`.
    """

    backend: str  # the configured name
    model: str  # "" where the backend names none
    characters: int  # of the prompt
    work_seconds: float
    picture: JobPicture
    created_at: str
    cost_usd: float | None = None
    warnings: tuple[str, ...] = ()
    inputs: str | None = None

    @property
    def takes(self) -> tuple[JobPicture, ...]:
        """The one picture, where others have takes."""
        return (self.picture,)

    @property
    def chosen(self) -> JobPicture:
        """What goes by the job's own name."""
        return self.picture

    def placed(self, takes: Sequence[JobPicture]) -> DrawnRecord:
        """The same record with its picture in another place."""
        (picture,) = takes
        return replace(self, picture=picture)

    def of_inputs(self, inputs: str) -> DrawnRecord:
        """The same record with the hash of what decided its picture."""
        return replace(self, inputs=inputs)

    def to_json(self) -> dict[str, Any]:
        """The whole `result.json`."""
        value = {
            "format": FORMAT,
            "kind": KIND,
            "backend": self.backend,
            "model": self.model,
            "characters": self.characters,
            "work_seconds": self.work_seconds,
            "cost_usd": self.cost_usd,
            **self.picture.to_json(),
            "warnings": list(self.warnings),
            "created_at": self.created_at,
        }
        return value if self.inputs is None else {**value, "inputs": self.inputs}

    @classmethod
    def from_json(cls, value: object) -> DrawnRecord:
        """Read a `result.json`. Raises InvalidRecord."""
        return drawn_from(Fields(value))


def drawn_from(fields: Fields) -> DrawnRecord:
    """The drawn record of an object's fields. Raises InvalidRecord."""
    if fields.text("kind") != KIND:
        fields.refuse("kind", f"must be {KIND}")
    return DrawnRecord(
        backend=fields.text("backend"),
        model=fields.text("model"),
        characters=fields.whole("characters"),
        work_seconds=fields.number("work_seconds", least=0.0),
        picture=picture_from(fields),
        created_at=fields.text("created_at"),
        cost_usd=fields.number("cost_usd", least=0.0) if fields.has("cost_usd") else None,
        warnings=fields.texts("warnings"),
        inputs=fields.optional_text("inputs"),
    )
