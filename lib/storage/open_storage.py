"""From the setting STORAGE_URL to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lib.errors import BadConfiguration
from lib.storage.file import FileStorage
from lib.storage.port import Storage
from lib.urls import ENCODE, is_torn


def open_storage(url: str) -> Storage:
    """The store of that URL: `file:///folder`.

    Raises:
        BadConfiguration: no kind of store answers to that scheme.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket without its other half
        parts = None
    if parts is None or is_torn(url):
        raise BadConfiguration(f"STORAGE_URL cannot be read; {ENCODE}")
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return FileStorage(Path(unquote(parts.path)))
    raise BadConfiguration(
        f"STORAGE_URL has the scheme {parts.scheme!r}; this version stores in folders: file:///absolute/path"
    )
