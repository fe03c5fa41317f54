"""A file in which another program says what is to be made: JSON of a format of ours, read with suspicion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.foreign import parse_json
from lib.records import InvalidRecord
from lib.records.reading import Fields

T = TypeVar("T")


def read_order(
    path: Path,
    build: Callable[[Fields], T],
    *,
    called: str,
    page: str,
    form: int,
    most: int,
    parse: Callable[[bytes], Any] = parse_json,
) -> T:
    """What `build` makes of the fields of a file of at most `most` bytes.

    `called` is what people call it ("playlist"), `page` the file under docs/reference that explains it,
    `form` the number of its format. `build` raises InvalidRecord or ValueError where something is wrong, and
    `parse`, where the file may be more than JSON, ValueError.

    Raises:
        BadInput: it cannot be read, or something in it is wrong; the sentence says what.
    """
    try:
        data = read_plain(path, most, follow=True)
    except NotPlain:
        raise BadInput(f"{path} is no file; name a {called}, see docs/reference/{page}.") from None
    except OSError as error:
        raise BadInput(f"The {called} {path} cannot be read: {error.strerror}.") from None
    try:
        if len(data) > most:
            raise ValueError("it is too long")
        fields = Fields(parse(data))
        if fields.whole("format") != form:
            fields.refuse("format", f"is not {form}")
        return build(fields)
    except (InvalidRecord, ValueError, RecursionError) as error:
        said = str(error).rstrip(".").replace("The record's", "its")
        raise BadInput(f"{path} is no {called}: {said}.") from None
