"""What the process that downloads does, by the hub's own client: fetch, hold against the hashes, name."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from synth.engines.qwen3.checkpoints import HASHES

#: What the authors publish under the name of our list of hashes; ours has the files that came.
THEIR_HASHES: Final = f"{HASHES}.hub"


class WrongHash(Exception):
    """A file is not what the hub says, nor was it when it was fetched again."""


def download(repository: str, commit: str, folder: Path) -> None:
    """Make `folder`, whole, with `SHA256SUMS` in it.

    Raises:
        WrongHash: what came is not what the hub names; nothing of it is kept.
        Exception: whatever the hub's client raises; what came is kept for the next time.
    """
    from huggingface_hub import HfApi, snapshot_download

    part = folder.with_name(f"{folder.name}.part")
    siblings = HfApi().model_info(repository, revision=commit, files_metadata=True).siblings or ()
    snapshot_download(repository, revision=commit, local_dir=part)
    hashes = {sibling.rfilename: _hash_of(part, sibling) for sibling in siblings}
    wrong = [sibling for sibling in siblings if hashes[sibling.rfilename] is None]
    if wrong:
        for sibling in wrong:
            (part / sibling.rfilename).unlink()  # the client takes what lies there for downloaded
        snapshot_download(repository, revision=commit, local_dir=part)
        hashes.update({sibling.rfilename: _hash_of(part, sibling) for sibling in wrong})
    for name, sha256 in hashes.items():
        if sha256 is None:
            shutil.rmtree(part)
            raise WrongHash(f"{name} is not of the hash that the hub names")
    _name(part, folder, [f"{sha256}  {name}\n" for name, sha256 in hashes.items() if name != HASHES])


def _name(part: Path, folder: Path, lines: Sequence[str]) -> None:
    shutil.rmtree(part / ".cache", ignore_errors=True)
    if (part / HASHES).is_file():
        (part / HASHES).rename(part / THEIR_HASHES)
    (part / HASHES).write_text("".join(lines), encoding="utf-8")
    part.rename(folder)


def _hash_of(folder: Path, sibling: Any) -> str | None:
    """The sha256 of a file; None where it is not of the hash that the hub names.

    The hub names large files by their sha256, and the others as git does: the sha1 of a header and the data.
    """
    path = folder / sibling.rfilename
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sibling.lfs is not None:
        return sha256 if sha256 == sibling.lfs.sha256 else None
    data = path.read_bytes()
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return sha256 if git == sibling.blob_id else None
