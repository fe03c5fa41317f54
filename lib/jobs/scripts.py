"""Scripts: files of jobs that were handed in, kept as they were, so that their lines stay in their order.

The queue forgets what was asked for once it is spoken. A kept file says which lines belong together, in which
order and with which gaps; what each line is by now, the queue says.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from lib.clock import rfc3339
from lib.errors import BadInput
from lib.files import NotPlain, read_plain, write_whole
from lib.foreign import parse_json
from lib.jobspec import JobFile, parse_any_file

#: What the id of a script looks like.
SCRIPT_PATTERN: Final = r"^[0-9a-f]{16}$"
_TEXT, _ABOUT, _IDS = "script", "about.json", "ids.json"
_MOST_KEPT: Final = 200
_MOST_BYTES: Final = 32 << 20
_ID_LETTERS: Final = 16
_ID: Final = re.compile(r"[0-9a-f]{16}")


class UnknownScript(BadInput):
    """No script of that id is kept."""


@dataclass(frozen=True, slots=True)
class KeptScript:
    """One file as it was handed in. `voice` or `speaker` speaks beats that name nobody.

    `newer` is the script that was made of this one by editing it, "" where there is none.
    """

    id: str
    name: str
    operator: str
    at: float
    lines: int
    voice: str | None = None
    speaker: str | None = None
    newer: str = ""

    def to_json(self) -> dict[str, Any]:
        """One entry of `GET /scripts`."""
        return {**asdict(self), "at": rfc3339(self.at), "newer": self.newer or None}


class ScriptShelf:
    """A folder of kept scripts, each in a folder of its own; the oldest of more than `most` go.

    Threads: any.
    Raises: OSError, where the folder cannot be read or written.
    """

    def __init__(self, root: Path, most: int = _MOST_KEPT) -> None:
        self._root, self._most = root, most

    def keep(
        self,
        data: bytes,
        file: JobFile,
        *,
        name: str,
        operator: str,
        at: float,
        voice: str | None = None,
        speaker: str | None = None,
        edited: str | None = None,
    ) -> KeptScript:
        """Keep a file, once however often it is handed in. `edited`: the script that it was made of."""
        key = json.dumps([voice, speaker]).encode() + b"\0" + data
        found = hashlib.sha256(key).hexdigest()[:_ID_LETTERS]
        script = KeptScript(found, name, operator, at, len(file.specs), voice, speaker)
        folder = self.folder_of(found)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(folder / _TEXT, data, sync=True)
        write_whole(folder / _IDS, json.dumps([spec.request_id for spec in file.specs]).encode(), sync=False)
        self._write(script)
        if edited and edited != found:
            with contextlib.suppress(UnknownScript):
                self._write(replace(self.script(edited), newer=found))
        self._drop_oldest()
        return script

    def script(self, script_id: str) -> KeptScript:
        """What is known of a script. Raises UnknownScript."""
        try:
            if not _ID.fullmatch(script_id):
                raise ValueError(script_id)
            told = parse_json(read_plain(self.folder_of(script_id) / _ABOUT, _MOST_BYTES))
            return KeptScript(**told)
        except (OSError, NotPlain, ValueError, TypeError):
            raise UnknownScript(
                f"no script {script_id} is kept here; the page of uploads lists them"
            ) from None

    def text(self, script_id: str) -> bytes:
        """The file as it was handed in. Raises UnknownScript."""
        self.script(script_id)
        return read_plain(self.folder_of(script_id) / _TEXT, _MOST_BYTES)

    def file(self, script_id: str) -> JobFile:
        """The file's jobs. Raises UnknownScript, and InvalidJobFile where it is of an older version."""
        script = self.script(script_id)
        return _parsed(self.text(script_id), script.name, script.voice, script.speaker)

    def naming(self, request_id: str) -> tuple[KeptScript, int] | None:
        """The latest script that has a job of that id, and its number there from 1; None where none has."""
        for script in self.latest():
            ids = _ids(self.folder_of(script.id) / _IDS)
            if request_id in ids:
                return script, ids[request_id]
        return None

    def latest(self, limit: int = _MOST_KEPT) -> Sequence[KeptScript]:
        """The kept scripts, the latest first; without those that were edited since."""
        return [each for each in self._all() if not each.newer][:limit]

    def folder_of(self, script_id: str) -> Path:
        """Where it lies, and what is made of it beside it."""
        return self._root / script_id

    def _all(self) -> list[KeptScript]:
        found = list[KeptScript]()
        with contextlib.suppress(FileNotFoundError):
            for place in self._root.iterdir():
                with contextlib.suppress(UnknownScript):
                    found.append(self.script(place.name))
        return sorted(found, key=lambda script: (-script.at, script.id))

    def _write(self, script: KeptScript) -> None:
        told = json.dumps(asdict(script)).encode()
        write_whole(self.folder_of(script.id) / _ABOUT, told, sync=True)

    def _drop_oldest(self) -> None:
        for script in self._all()[self._most :]:
            shutil.rmtree(self.folder_of(script.id), ignore_errors=True)


@lru_cache(maxsize=_MOST_KEPT)
def _ids(place: Path) -> Mapping[str, int]:
    """The numbers of a script's jobs by their ids. Its content names its folder, so they stay as they are."""
    try:
        told: list[str] = parse_json(read_plain(place, _MOST_BYTES))
        return {request_id: number for number, request_id in enumerate(told, 1)}
    except (OSError, NotPlain, ValueError, TypeError):  # kept before ids were, or dropped meanwhile
        return {}


@lru_cache(maxsize=8)
def _parsed(data: bytes, name: str, voice: str | None, speaker: str | None) -> JobFile:
    """Read once for the many looks at it while its lines are spoken."""
    return parse_any_file(data, name=name, voice=voice, speaker=speaker)
