"""From settings to a bucket: in a folder, in S3, or in Supabase Storage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lib.errors import BadConfiguration
from lib.storage.bucket import Bucket
from lib.storage.folder_bucket import FolderBucket
from lib.storage.s3 import S3Access, S3Bucket, address_of
from lib.urls import ENCODE, is_torn


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """What a bucket is opened with beside its name. `supabase_url` beats `storage_url`."""

    storage_url: str
    s3: S3Access = field(default_factory=S3Access)
    supabase_url: str | None = None
    supabase_key: str | None = field(default=None, repr=False)


def open_bucket(name: str, access: BucketAccess) -> Bucket:
    """The bucket of that name: in Supabase, at the endpoint of an s3:// URL, or as a folder in a file:// one.

    Nothing is asked.

    Raises:
        BadConfiguration: the URL is wrong, or Supabase's key is missing.
        MissingExtra: the packages for it are not installed.
    """
    if access.supabase_url is not None:
        if not access.supabase_key:
            raise BadConfiguration(
                "SUPABASE_URL is set without a key; set SUPABASE_SERVICE_KEY to that project's service key"
            )
        from lib.storage.supabase import SupabaseBucket

        return SupabaseBucket(name, access.supabase_url, access.supabase_key)
    return _of_url(name, access)


def _of_url(name: str, access: BucketAccess) -> Bucket:
    url = access.storage_url
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket without its other half
        parts = None
    if parts is None or (is_torn(url) and parts.scheme != "s3"):
        raise BadConfiguration(f"STORAGE_URL cannot be read; {ENCODE}")
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return FolderBucket(name, Path(unquote(parts.path)))
    if parts.scheme == "s3":
        there = parts._replace(netloc=name, path="", fragment="").geturl()
        return S3Bucket(address_of(there, access.s3.region), access.s3)
    raise BadConfiguration(
        f"STORAGE_URL has the scheme {parts.scheme!r}; pictures are kept in folders, file:///absolute/path, "
        "in S3, s3://bucket?endpoint=..., or in Supabase by SUPABASE_URL"
    )
