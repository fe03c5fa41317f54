"""What a task gets beside its inputs: who it is, what it is told, and a folder for its files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lib.errors import BadInput
from lib.files import open_plain, write_whole
from lib.pipeline.model import Artifact

_PATH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,3}")
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalJob:
    """One job that the queue does for a task. `state`: ordered, enqueued, done, failed or canceled.

    `spec` is the job specification, without the request id. `result`, once it is done, is its result record;
    once it failed, what is known of the failure.
    """

    request_id: str
    spec: Mapping[str, Any]
    state: str
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """The second parameter of a task that wants one.

    `instruction` is what a person wants otherwise than the last time (the note of a rejection). `folder` is
    the run's, where earlier stages' files lie too. `jobs` are what the queue did, for a `collect` function.
    `allow_placeholders`: a stage whose part is missing may write something that says that it is none.
    """

    run: str
    task: str
    attempt: int
    run_inputs: Mapping[str, Any]
    config: Mapping[str, Any]
    folder: Path
    instruction: str | None = None
    slug: str | None = None
    jobs: Sequence[ExternalJob] = ()
    allow_placeholders: bool = False
    artifacts: list[Artifact] = field(default_factory=list)

    def write(
        self,
        path: str,
        data: bytes | str,
        *,
        type: str,
        measures: Mapping[str, float] | None = None,
        placeholder: bool = False,
    ) -> Path:
        """Put a file into the run's folder, whole or not at all, and record it as this task's artifact.

        Raises: as `record`.
        """
        target = self._place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, data.encode() if isinstance(data, str) else data, sync=True)
        self.record(path, type=type, measures=measures, placeholder=placeholder)
        return target

    def record(
        self,
        path: str,
        *,
        type: str,
        measures: Mapping[str, float] | None = None,
        placeholder: bool = False,
    ) -> None:
        """Record a file that lies in the run's folder as this task's artifact: its size and sha256 are taken.

        `type` says what it is, like `text/plain`.

        Raises:
            BadInput: `path` leads out of the folder or has other letters than A-Z, a-z, 0-9, '.', '_', '-'.
            OSError: there is no plain file.
        """
        size, sha256 = measure_file(self._place(path))
        self.artifacts[:] = [artifact for artifact in self.artifacts if artifact.path != path]
        self.artifacts.append(
            Artifact(
                path=path,
                type=type,
                sha256=sha256,
                size=size,
                measures=dict(measures or {}),
                placeholder=placeholder,
            )
        )

    def _place(self, path: str) -> Path:
        if not _PATH.fullmatch(path):
            raise BadInput(
                f"{path!r} cannot be the path of an artifact; use up to four names of letters, digits, "
                "'.', '_' and '-', joined by '/'"
            )
        return self.folder / path


def measure_file(path: Path) -> tuple[int, str]:
    """Size in bytes and sha256 of a plain file.

    Raises:
        OSError: there is none.
    """
    digest, size = hashlib.sha256(), 0
    with open(open_plain(path), "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()
