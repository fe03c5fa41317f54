"""Reads the fields of a record with their types, or refuses with a sentence that names the field."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NoReturn

from lib.errors import JobFailed

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LARGEST: Final = 1e15  # of any number


class InvalidRecord(JobFailed):
    """What should be a record breaks its format; nothing of it was used."""


class Fields:
    """The fields of one JSON object. `where` is its place in the record: "takes[0].peaks"."""

    def __init__(self, value: object, where: str = "") -> None:
        self._where = where
        if not isinstance(value, Mapping):
            self._refuse("must be an object")
        self._values: Mapping[str, Any] = value

    def refuse(self, field: str, problem: str) -> NoReturn:
        """Raise InvalidRecord for `field`."""
        raise InvalidRecord(f"The record's {self._path(field)} {problem}.")

    def only(self, known: Collection[str]) -> Fields:
        """These, none of which has another name: that may be a known one, mistyped."""
        for name in self._values:
            if name not in known:
                self.refuse(str(name)[:60], f"is no key of it; known are {', '.join(known)}")
        return self

    def has(self, field: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(field) is not None

    def text(self, field: str, default: str | None = None) -> str:
        """A string; `default`, if given, where it is missing or null."""
        value = self._values.get(field)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            self.refuse(field, "must be a text")
        return value

    def optional_text(self, field: str) -> str | None:
        """A string, or None where it is missing or null."""
        return self.text(field) if self.has(field) else None

    def whole(self, field: str, *, least: int = 0) -> int:
        """A whole number of at least `least`; `true` is none."""
        value = self._values.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _LARGEST:
            self.refuse(field, f"must be a whole number, at least {least}")
        return value

    def optional_whole(self, field: str) -> int | None:
        """A whole number, or None where it is missing or null."""
        return self.whole(field, least=-(2**63)) if self.has(field) else None

    def number(self, field: str, default: float | None = None, *, least: float = -_LARGEST) -> float:
        """A finite number of at least `least`; `default`, if given, where it is missing or null."""
        value = self._values.get(field)
        if value is None and default is not None:
            return default
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.refuse(field, "must be a number")
        if not least <= value < _LARGEST:  # compared before it is converted: a whole number has no upper end
            self.refuse(field, "is out of range")
        return float(value)

    def optional_number(self, field: str) -> float | None:
        """A finite number, or None where it is missing or null."""
        return self.number(field) if self.has(field) else None

    def optional_flag(self, field: str) -> bool | None:
        """True or false, or None where it is missing or null."""
        value = self._values.get(field)
        if value is not None and not isinstance(value, bool):
            self.refuse(field, "must be true or false")
        return value

    def sha256(self, field: str) -> str:
        """64 hexadecimal digits."""
        value = self.text(field)
        if not _SHA256.fullmatch(value):
            self.refuse(field, "must be 64 hexadecimal digits")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of strings; missing is empty."""
        items = self.items(field)
        if not all(isinstance(item, str) for item in items):
            self.refuse(field, "must be a list of texts")
        return tuple(items)

    def items(self, field: str) -> Sequence[Any]:
        """A list; missing or null is empty."""
        value = self._values.get(field)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.refuse(field, "must be a list")
        return value

    def objects(self, field: str) -> list[Fields]:
        """A list of objects; missing is empty."""
        return [Fields(item, f"{self._path(field)}[{at}]") for at, item in enumerate(self.items(field))]

    def object(self, field: str) -> Fields:
        """An object."""
        return Fields(self._values.get(field), self._path(field))

    def mapping(self, field: str) -> Mapping[str, Any]:
        """An object as it is; missing or null is empty."""
        value = self._values.get(field)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.refuse(field, "must be an object")
        return value

    def _path(self, field: str) -> str:
        return f"{self._where}.{field}" if self._where else field

    def _refuse(self, problem: str) -> NoReturn:
        raise InvalidRecord(f"The record's {self._where or 'value'} {problem}.")
