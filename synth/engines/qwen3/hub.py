"""A checkpoint from the hub, into a folder: the only download at run time, and only of a named commit.

It runs in a process of its own (`python -m synth.engines.qwen3.hub REPOSITORY COMMIT FOLDER`), since the one
that speaks is cut off from the hub from its start (`package.OFFLINE`). That process ends with the one that
wants it. One downloads into a folder at a time; the others of the machine wait for it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lib.child import when_parent_exits
from lib.errors import BadConfiguration, Unavailable
from lib.files import take_lock
from synth.engines.port import LoadStopped
from synth.engines.qwen3.checkpoints import HASHES
from synth.hub_offline import OFFLINE

_UNAVAILABLE: Final = 3
_WRONG_HASH: Final = 4
_LOOK_EVERY_S: Final = 0.2


def fetch(repository: str, commit: str, folder: Path, stopped: Callable[[], bool] = lambda: False) -> Path:
    """`folder`, with all files of `repository` at `commit`, each of the hash that the hub says; once.

    Raises:
        Unavailable: the hub does not answer, or has no such commit.
        BadConfiguration: it sent a file of another hash twice, now or earlier, or the folder cannot be made.
        LoadStopped: `stopped` said so; what came is kept, and gone on with the next time.
    """
    if is_whole(folder):
        return folder
    what = _what(repository, commit)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder, what, stopped) as lock:
            if not is_whole(folder):
                check_not_refused(repository, commit, folder)
                _download(repository, commit, folder, lock, stopped)
    except OSError as error:
        raise BadConfiguration(f"{what} cannot be kept in {folder.parent}: {error.strerror}.") from None
    return folder


def is_whole(folder: Path) -> bool:
    """Whether all of a checkpoint is there: the folder gets its name then."""
    return (folder / HASHES).is_file()


@contextlib.contextmanager
def _alone(folder: Path, what: str, stopped: Callable[[], bool]) -> Iterator[int]:
    """Hold the folder's lock, after waiting for whoever holds it. Raises LoadStopped, OSError."""
    place = folder.with_name(f"{folder.name}.lock")
    lock = take_lock(place)
    while lock is None:
        if stopped():
            raise LoadStopped(f"{what} is downloaded by another process, and the wait for it was stopped.")
        time.sleep(_LOOK_EVERY_S)
        lock = take_lock(place)
    try:
        yield lock
    finally:
        os.close(lock)


def check_not_refused(repository: str, commit: str, folder: Path) -> None:
    """Pass what may be downloaded. Raises BadConfiguration: an earlier download came wrong, twice."""
    refusal = _refusal(folder)
    try:
        why = refusal.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return
    raise BadConfiguration(
        f"{_what(repository, commit)} is refused: {why}, and was not when it was fetched again. Look at what "
        f"lies between this machine and the hub, then remove {refusal} to try once more."
    )


def _what(repository: str, commit: str) -> str:
    return f"The checkpoint {repository}@{commit}"


def _refusal(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.refused")


def _download(repository: str, commit: str, folder: Path, lock: int, stopped: Callable[[], bool]) -> None:
    online = {name: value for name, value in os.environ.items() if name not in OFFLINE and name != "HF_TOKEN"}
    # Public weights need no password of the user's, so none leaves this machine.
    online |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    online["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, repository, commit, str(folder)],
        env=online,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=(lock,),  # so that nobody else begins before this one has ended
        start_new_session=True,
    )
    with process:
        try:
            while process.poll() is None:
                if stopped():
                    what = _what(repository, commit)
                    raise LoadStopped(f"{what}: its download was stopped, and goes on at the next start.")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_EVERY_S)
        finally:
            process.kill()  # nothing of it is lost: what came is on the disk
        said = process.stdout.read() if process.stdout is not None else ""
    status = process.returncode
    why = (said.strip().splitlines() or [f"the download ended with status {status}"])[-1].rstrip(".")
    if status == _WRONG_HASH:
        _refusal(folder).write_text(f"{why}\n", encoding="utf-8")
        check_not_refused(repository, commit, folder)
    if status != 0:
        raise Unavailable(f"{_what(repository, commit)} cannot be had: {why}.")


def main(repository: str, commit: str, place: str) -> int:
    """Download and verify; the exit status. What went wrong is the last line on stdout."""
    from synth.engines.qwen3.hub_client import WrongHash, download

    when_parent_exits(lambda: os._exit(1))
    try:
        download(repository, commit, Path(place))
    except WrongHash as error:
        sys.stdout.write(f"{error}\n")
        return _WRONG_HASH
    except Exception as error:  # of the hub's client, of the network, of the disk: each is a sentence
        sys.stdout.write(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}\n")
        return _UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
