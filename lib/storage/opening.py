"""From the setting STORAGE_URL to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lib.errors import BadConfiguration
from lib.storage.file import FileStorage
from lib.storage.port import Storage


def open_storage(url: str) -> Storage:
    """The store of that URL: `file:///folder`.

    Raises:
        BadConfiguration: no kind of store answers to that scheme.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return FileStorage(Path(unquote(parts.path)))
    raise BadConfiguration(
        f"STORAGE_URL has the scheme {parts.scheme!r}; this version stores in folders: file:///absolute/path"
    )
