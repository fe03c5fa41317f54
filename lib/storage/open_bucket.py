"""From settings to a bucket: in a folder, in S3, or in Supabase Storage."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib.errors import BadConfiguration
from lib.storage.bucket import Bucket
from lib.storage.folder_bucket import FolderBucket
from lib.storage.open_storage import folder_of, parts_of
from lib.storage.s3 import S3Access, S3Bucket, address_of


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
    parts = parts_of(access.storage_url)
    if (folder := folder_of(parts)) is not None:
        return FolderBucket(name, folder)
    if parts.scheme == "s3":
        there = parts._replace(netloc=name, path="", fragment="").geturl()
        return S3Bucket(address_of(there, access.s3.region), access.s3)
    raise BadConfiguration(
        f"STORAGE_URL has the scheme {parts.scheme!r}; pictures are kept in folders, file:///absolute/path, "
        "in S3, s3://bucket?endpoint=..., or in Supabase by SUPABASE_URL"
    )
