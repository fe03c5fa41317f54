"""Texts that commands are given as files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lib.errors import BadInput

_MAX_TEXT_BYTES: Final = 16 * 1024 * 1024


def read_text(path: Path) -> str:
    """The text of a plain file in UTF-8, its line ends as they are.

    Raises:
        BadInput: there is none, it is too large, or it is no UTF-8.
    """
    try:
        if not path.is_file():
            raise BadInput(
                f"The text file {path} {'is no plain file' if path.exists() else 'does not exist'}."
            )
        if path.stat().st_size > _MAX_TEXT_BYTES:
            raise BadInput(f"The text file {path} is over {_MAX_TEXT_BYTES} bytes.")
        return path.read_bytes().decode("utf-8-sig")  # line ends as they are: the seed comes from the text
    except UnicodeDecodeError as error:
        raise BadInput(f"The text file {path} is not UTF-8 (byte {error.start}).") from None
    except OSError as error:
        raise BadInput(f"The text file {path} cannot be read: {error.strerror}.") from None
