"""From the setting STORAGE_URL to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from lib.errors import BadConfiguration
from lib.storage.file_storage import FileStorage
from lib.storage.port import Storage
from lib.storage.s3 import S3Access, S3Storage, address_of
from lib.urls import ENCODE, is_torn


def open_storage(url: str, access: S3Access | None = None) -> Storage:
    """The store of that URL: `file:///folder` or `s3://bucket/prefix?endpoint=...&region=...`.

    No store is asked.

    Raises:
        BadConfiguration: no kind of store answers to that scheme, or the URL is wrong.
    """
    parts = parts_of(url)
    if (folder := folder_of(parts)) is not None:
        return FileStorage(folder)
    if parts.scheme == "s3":
        access = access or S3Access()
        return S3Storage(address_of(url, access.region), access)
    raise BadConfiguration(
        f"STORAGE_URL has the scheme {parts.scheme!r}; this version stores in folders, "
        "file:///absolute/path, and in buckets, s3://bucket/prefix"
    )


def parts_of(url: str) -> SplitResult:
    """The parts of a STORAGE_URL. Raises BadConfiguration: it cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket without its other half
        parts = None
    if parts is None or (is_torn(url) and parts.scheme != "s3"):
        raise BadConfiguration(f"STORAGE_URL cannot be read; {ENCODE}")
    return parts


def folder_of(parts: SplitResult) -> Path | None:
    """The folder that a `file:` URL names; None where it names none here."""
    is_here = parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path
    return Path(unquote(parts.path)) if is_here else None
