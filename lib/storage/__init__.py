"""Where finished audio is kept. One port, an adapter beside it for each kind of store."""

from __future__ import annotations

from lib.storage.file_storage import FileStorage
from lib.storage.incoming import MemoryIncoming
from lib.storage.locations import shared_folder
from lib.storage.memory import MemoryStorage
from lib.storage.open_storage import open_storage
from lib.storage.port import (
    ArtifactMismatch,
    Claim,
    Incoming,
    IncomingFile,
    NotStored,
    Published,
    SignedUpload,
    Storage,
    StorageExam,
    StorageMisconfigured,
    StorageUnavailable,
    StoredArtifact,
)
from lib.storage.published_files import (
    PublishedTakes,
    files_by_path,
    files_of,
    links_of,
    output_name_of,
    publish_again,
    publish_takes,
)
from lib.storage.s3 import S3Access, S3Storage, s3_access_of

__all__ = [
    "ArtifactMismatch",
    "Claim",
    "FileStorage",
    "Incoming",
    "IncomingFile",
    "MemoryIncoming",
    "MemoryStorage",
    "NotStored",
    "Published",
    "PublishedTakes",
    "S3Access",
    "S3Storage",
    "SignedUpload",
    "Storage",
    "StorageExam",
    "StorageMisconfigured",
    "StorageUnavailable",
    "StoredArtifact",
    "files_by_path",
    "files_of",
    "links_of",
    "open_storage",
    "output_name_of",
    "publish_again",
    "publish_takes",
    "s3_access_of",
    "shared_folder",
]
