"""Where finished audio is kept. One port, an adapter beside it for each kind of store."""

from __future__ import annotations

from lib.storage.file import FileStorage
from lib.storage.opening import open_storage
from lib.storage.port import ArtifactMismatch, Storage, StorageUnavailable, StoredArtifact
from lib.storage.takes import Peaks, Take, files_of, publish_takes, takes_of

__all__ = [
    "ArtifactMismatch",
    "FileStorage",
    "Peaks",
    "Storage",
    "StorageUnavailable",
    "StoredArtifact",
    "Take",
    "files_of",
    "open_storage",
    "publish_takes",
    "takes_of",
]
