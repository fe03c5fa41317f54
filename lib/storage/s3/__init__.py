"""A store in a bucket. boto3 is imported at the first request, for most commands make none."""

from __future__ import annotations

from lib.storage.s3.access import S3Access, s3_access_of
from lib.storage.s3.address import S3Address, address_of
from lib.storage.s3.bucket import S3Bucket
from lib.storage.s3.storage import S3Storage

__all__ = ["S3Access", "S3Address", "S3Bucket", "S3Storage", "address_of", "s3_access_of"]
