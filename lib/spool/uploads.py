"""What a client asks a worker to upload by itself: files of a result, by URLs signed for their bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.spool.checked_json import Checked, parse_object
from lib.spool.layout import MAX_FILE_BYTES, MAX_FILES, is_file_name
from lib.spool.model import FORMAT

MAX_ORDER_BYTES: Final = 1024 * 1024
_LONGEST_URL: Final = 8 * 1024
_MOST_HEADERS: Final = 32


@dataclass(frozen=True, slots=True)
class UploadOrder:
    """One file of a result, and the PUT that takes it: a right to put just these bytes, for a while."""

    file: str
    bytes: int
    url: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"UploadOrder({self.file!r}, {self.bytes} bytes)"  # the URL is a right


def orders_to_bytes(entry: str, orders: Sequence[UploadOrder]) -> bytes:
    """The file `upload/<entry>.json`."""
    uploads = [
        {"file": each.file, "bytes": each.bytes, "url": each.url, "headers": dict(each.headers)}
        for each in orders
    ]
    return json.dumps({"format": FORMAT, "entry": entry, "uploads": uploads}).encode()


def orders_from_bytes(data: bytes) -> tuple[UploadOrder, ...]:
    """Read that file.

    Raises:
        InvalidSpoolData: it breaks the format.
    """
    checked = Checked(parse_object(data, "The upload order"), "The upload order")
    if checked.whole("format") != FORMAT:
        checked.refuse("format", f"is not {FORMAT}; the two sides have different versions")
    return tuple(_order(checked, item) for item in checked.items("uploads", most=2 * MAX_FILES))


def _order(checked: Checked, item: Any) -> UploadOrder:
    if not isinstance(item, dict):
        checked.refuse("uploads", "must hold objects")
    one = Checked(item, "The upload order")
    file, url = one.text("file", longest=128), one.text("url", longest=_LONGEST_URL)
    if not is_file_name(file):
        one.refuse("file", "is no plain file name")
    if not url.startswith(("https://", "http://")):
        one.refuse("url", "must begin with https:// or http://")
    headers = one.mapping("headers")
    plain = all(isinstance(value, str) and (name + value).isprintable() for name, value in headers.items())
    if len(headers) > _MOST_HEADERS or not plain:
        one.refuse("headers", "must be plain texts by name")
    return UploadOrder(file, one.whole("bytes", most=MAX_FILE_BYTES), url, headers)
