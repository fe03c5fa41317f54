"""Where finished audio is kept. One port, an adapter beside it for each kind of store."""

from __future__ import annotations

from lib.storage.file import FileStorage
from lib.storage.locations import shared_folder
from lib.storage.memory import MemoryStorage
from lib.storage.open_storage import open_storage
from lib.storage.port import (
    ArtifactMismatch,
    NotStored,
    SignedUpload,
    Storage,
    StorageUnavailable,
    StoredArtifact,
)
from lib.storage.published import files_of, publish_takes

__all__ = [
    "ArtifactMismatch",
    "FileStorage",
    "MemoryStorage",
    "NotStored",
    "SignedUpload",
    "Storage",
    "StorageUnavailable",
    "StoredArtifact",
    "files_of",
    "open_storage",
    "publish_takes",
    "shared_folder",
]
