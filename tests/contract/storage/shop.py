"""Jobs that publish in a store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lib.storage import Claim, Published, Storage, StoredArtifact

if TYPE_CHECKING:
    from tests.contract.storage.conftest import Store

X = "topic/x"


class Shop:
    """Jobs that publish. `ask` gives files by path as text; each is stored first."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def put(self, text: str) -> StoredArtifact:
        path = self.folder / hashlib.sha256(text.encode()).hexdigest()
        path.write_bytes(text.encode())
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        return self.store.storage.put(path, sha256=sha256, bytes=len(text.encode()))

    def files(self, files: Mapping[str, str]) -> dict[str, StoredArtifact]:
        return {path: self.put(text) for path, text in files.items()}

    def ask(
        self,
        order: int,
        request_id: str,
        files: Mapping[str, str],
        *,
        name: str = X,
        revision: int = 1,
        former: Mapping[str, Mapping[str, str]] | None = None,
        keep: bool = False,
        storage: Storage | None = None,
    ) -> Published:
        return (storage or self.store.storage).publish(
            Claim(request_id, revision, order),
            name,
            self.files(files),
            extras=[path for path in files if path.endswith((".json", ".srt", ".vtt"))],
            former={other: self.files(texts) for other, texts in (former or {}).items()},
            keep=keep,
        )

    def outputs(self) -> dict[str, str]:
        """What lies under which name."""
        names = [key for key in self.store.held() if key.startswith("outputs/")]
        return {key.removeprefix("outputs/"): (self.store.look(key) or b"").decode() for key in names}
