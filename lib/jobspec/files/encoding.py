"""Whether the bytes of a file are the UTF-8 that all files of jobs are."""

from __future__ import annotations

from typing import Final

_SAVE: Final = "save it as UTF-8"
_WIDE_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def encoding_fault(data: bytes) -> tuple[int, str, str] | None:
    """Line from 1, what is wrong there and what mends it; None when the bytes are UTF-8."""
    for mark, encoding in _WIDE_MARKS:
        if data.startswith(mark):
            return 1, f"is {encoding}, not UTF-8", _SAVE
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return line, f"is not UTF-8: byte {data[error.start]:#04x}", _SAVE
    return None
