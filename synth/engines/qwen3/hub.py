"""A checkpoint from the hub, into a folder: the only download at run time, and only of a named commit.

It runs in a process of its own (`python -m synth.engines.qwen3.hub REPOSITORY COMMIT FOLDER`), since the one
that speaks is cut off from the hub from its start (`package.OFFLINE`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from lib.errors import Unavailable
from synth.engines.qwen3.checkpoints import HASHES
from synth.engines.qwen3.package import OFFLINE

_REFUSED: Final = 3


class _WrongHash(Exception):
    """A file is not what the hub says."""


def fetch(repository: str, commit: str, folder: Path) -> Path:
    """`folder`, with all files of `repository` at `commit`, each of the hash that the hub says; once.

    Raises:
        Unavailable: the hub does not answer, has no such commit, or sent something else.
    """
    if (folder / HASHES).is_file():  # written last
        return folder
    online = {name: value for name, value in os.environ.items() if name not in OFFLINE and name != "HF_TOKEN"}
    # Public weights need no password of the user's, so none leaves this machine.
    online |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    argv = [sys.executable, "-m", __name__, repository, commit, str(folder)]
    done = subprocess.run(argv, env=online, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        why = done.stdout.strip().splitlines()[-1:] or [f"the download ended with status {done.returncode}"]
        raise Unavailable(f"The checkpoint {repository}@{commit} cannot be had: {why[0].rstrip('.')}.")
    return folder


def main(repository: str, commit: str, place: str) -> int:
    """Download and verify; the exit status. What went wrong is the last line on stdout."""
    from huggingface_hub import HfApi, snapshot_download

    folder = Path(place)
    part = folder.with_name(f"{folder.name}.part")
    try:
        info = HfApi().model_info(repository, revision=commit, files_metadata=True)
        snapshot_download(repository, revision=commit, local_dir=part)
        lines = [_verified(part, sibling) for sibling in info.siblings or ()]
    except _WrongHash as error:
        shutil.rmtree(part)  # the client would take what lies there for downloaded
        sys.stdout.write(f"{error}\n")
        return _REFUSED
    except Exception as error:  # of the hub's client, of the network, of the disk: each is a sentence
        sys.stdout.write(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}\n")
        return _REFUSED
    shutil.rmtree(part / ".cache", ignore_errors=True)
    (part / HASHES).write_text("".join(lines), encoding="utf-8")
    part.rename(folder)
    return 0


def _verified(folder: Path, sibling: Any) -> str:
    """The line of a file in `SHA256SUMS`. Raises _WrongHash.

    The hub names large files by their sha256, and the others as git does: the sha1 of a header and the data.
    """
    path = folder / sibling.rfilename
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sibling.lfs is not None:
        right = sha256 == sibling.lfs.sha256
    else:
        data = path.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        right = git == sibling.blob_id
    if not right:
        raise _WrongHash(f"{sibling.rfilename} is not of the hash that the hub names")
    return f"{sha256}  {sibling.rfilename}\n"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
