"""Episodes of scripts: their lines joined to one file by a process of ours, one at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import shutil
import tempfile
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lib.errors import JobFailed, JobRunnerError, TryAgain
from lib.files import NotPlain, read_plain, write_whole
from lib.foreign import parse_json
from lib.jobqueue import JobQueue
from lib.jobs.chapter_titles import spoken_titles
from lib.jobs.episode import EpisodeBeat
from lib.jobs.join_process import join
from lib.jobs.playlist import Titles, playlist
from lib.jobs.script_lines import ScriptLine, beats_of_script, script_lines
from lib.jobs.scripts import KeptScript, ScriptShelf
from lib.jobspec import JobSpec
from lib.storage import Storage

log = logging.getLogger(__name__)

_GAP_S: Final = 0.7  # a paragraph's pause, as `job-runner join` has it
_FOLDER, _MADE = "episode", "made.json"
_SCRATCH: Final = ".making-"
_MOST_WAITING: Final = 10
_MOST_BYTES: Final = 16 << 20
_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")
_BESIDE: Final = ("file", "chapters_file", "srt", "vtt", "captions_file")


class EpisodesWait(TryAgain):
    """So many are to be made already that no other one is taken in."""


@dataclass(frozen=True, slots=True)
class EpisodeOrder:
    """What is wanted: the format is a file's suffix, `loudness` a level in LUFS or `off`."""

    format: str = "m4b"
    title: str = ""
    loudness: str = "-19"


@dataclass(frozen=True, slots=True)
class Episode:
    """How the episode of a script stands: `none`, `making`, `made` or `failed` with its sentence.

    `current` is whether what was made has each line as it is by now; `files` are names of what was made.
    """

    state: str
    sentence: str = ""
    current: bool = False
    files: tuple[str, ...] = ()
    audio_seconds: float | None = None
    loudness_lufs: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The value of `GET /scripts/{id}/episode`."""
        told = asdict(self)
        return {**told, "files": list(self.files), "sentence": self.sentence or None}


class EpisodeMaker:
    """Makes episodes in the folders of their scripts, in a thread, one after the other.

    What was made lies there with `made.json`; it replaces what was made before once it is whole, so that a
    process that is killed meanwhile leaves the one before.

    Threads: any.
    """

    def __init__(self, shelf: ScriptShelf, queue: JobQueue, storage: Storage) -> None:
        self._shelf, self._queue, self._storage = shelf, queue, storage
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._making: set[str] = set()
        self._failed: dict[str, str] = {}

    def begin(self, script: KeptScript, order: EpisodeOrder) -> Episode:
        """Make it anew, unless it is being made. Returns at once.

        Raises:
            NotSpokenYet, NotAllDone: a line has no audio.
            EpisodesWait: too many are to be made already.
            UsageError: the title holds what no player shows.
            StorageUnavailable: the store refuses.
        """
        specs = _heard(self._shelf.file(script.id).specs)
        Titles(order.title, "", "").check()
        beats = beats_of_script(self._queue, self._storage, specs)
        with self._lock:
            if script.id in self._making:
                return Episode("making")
            if len(self._making) >= _MOST_WAITING:
                raise EpisodesWait("several episodes are being made; come again when one of them is done")
            self._making.add(script.id)
            self._failed.pop(script.id, None)
        worker = threading.Thread(target=self._work, args=(script, order, beats), name="episode", daemon=True)
        worker.start()
        return Episode("making")

    def look(self, script: KeptScript, lines: Sequence[ScriptLine] | None = None) -> Episode:
        """How it stands. `lines` are all of the script's, where somebody has just looked at them."""
        with self._lock:
            if script.id in self._making:
                return Episode("making")
            failed = self._failed.get(script.id)
        made = self._made(script.id)
        if made is None:
            return Episode("none") if failed is None else Episode("failed", failed)
        if lines is None:
            file = self._shelf.file(script.id)
            lines = script_lines(self._queue, file.specs, file.lines)
        return Episode(
            "made" if failed is None else "failed",  # the one before can be taken away still
            failed or "",
            current=made["content"] == _content([line for line in lines if not line.spec.is_picture]),
            files=tuple(made["files"]),
            audio_seconds=made["audio_seconds"],
            loudness_lufs=made["loudness_lufs"],
        )

    def place_of(self, script: KeptScript, name: str) -> Path | None:
        """Where a file of the episode lies; None where it has none of that name."""
        made = self._made(script.id)
        there = made is not None and name in made["files"]
        return self._shelf.folder_of(script.id) / _FOLDER / name if there else None

    def _made(self, script_id: str) -> dict[str, Any] | None:
        try:
            place = self._shelf.folder_of(script_id) / _FOLDER / _MADE
            found: dict[str, Any] = parse_json(read_plain(place, _MOST_BYTES))
            return found
        except (OSError, NotPlain, ValueError):
            return None

    def _work(self, script: KeptScript, order: EpisodeOrder, beats: Sequence[EpisodeBeat]) -> None:
        failed: str | None = None
        try:
            with self._turn:
                self._make(script, order, beats)
        except JobRunnerError as error:
            failed = error.message
        except OSError as error:
            failed = f"The episode cannot be written: {error.strerror or error}."
        except Exception as error:  # the thread's end is all that would tell of it
            log.exception("an episode could not be made")
            failed = f"It could not be made ({type(error).__name__}); the console's log has what led to it."
        with self._lock:
            self._making.discard(script.id)
            if failed is not None:
                self._failed[script.id] = failed

    def _make(self, script: KeptScript, order: EpisodeOrder, beats: Sequence[EpisodeBeat]) -> None:
        folder = self._shelf.folder_of(script.id)
        for left in folder.glob(f"{_SCRATCH}*"):  # by a console that was killed: one is made at a time
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
            work = Path(scratch)
            places = [self._audio(beat, work / f"{number}") for number, beat in enumerate(beats)]
            titles = Titles(order.title or script.name.rpartition(".")[0] or script.name, "", "")
            chapters = spoken_titles(beats)
            content = playlist(beats, places, chapters, titles, _GAP_S)
            (work / "playlist.json").write_text(json.dumps(content), encoding="utf-8")
            (work / _FOLDER).mkdir()
            target = work / _FOLDER / f"{_stem_of(order, script)}.{order.format}"
            status, told = join(
                work / "playlist.json", ["--out", str(target), f"--loudness={order.loudness}"]
            )
            if status != 0:
                raise JobFailed(_reason(told).replace(f"{work}/", ""))
            content_now = _digest([beat.record.chosen.audio.sha256 for beat in beats])
            files = [Path(told[key]).name for key in _BESIDE if told.get(key)]
            made = {
                "content": content_now,
                "files": files + self._kept(script.id, content_now, order.format, files, work / _FOLDER),
                "audio_seconds": told["audio_seconds"],
                "loudness_lufs": told["loudness_lufs"],
            }
            write_whole(work / _FOLDER / _MADE, json.dumps(made).encode(), sync=False)
            with contextlib.suppress(FileNotFoundError):
                (folder / _FOLDER).rename(work / "before")
            (work / _FOLDER).rename(folder / _FOLDER)

    def _kept(self, script_id: str, content: str, new: str, files: Sequence[str], folder: Path) -> list[str]:
        """What was made before of the same audio in other formats: it stays, and its names are told."""
        before = self._made(script_id)
        if before is None or before["content"] != content:
            return []
        names = [name for name in before["files"] if name not in files and not name.endswith(f".{new}")]
        for name in names:
            shutil.copy2(self._shelf.folder_of(script_id) / _FOLDER / name, folder / name)
        return names

    def _audio(self, beat: EpisodeBeat, place: Path) -> Path:
        """The audio of a beat on this computer."""
        if beat.place is not None:
            return beat.place
        here = place.with_suffix(f".{beat.record.audio_format}")
        self._storage.fetch(beat.artifact, here)
        return here


def _heard(specs: Sequence[JobSpec]) -> list[JobSpec]:
    return [spec for spec in specs if not spec.is_picture]


def _content(lines: Sequence[ScriptLine]) -> str:
    return _digest(["" if line.made is None else line.made.main.sha256 for line in lines])


def _digest(sums: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def safe_stem(name: str, usual: str = "script") -> str:
    """A file's name without its suffix, of letters that every computer takes; `usual` where none is left."""
    letters = unicodedata.normalize("NFKD", name.rpartition(".")[0] or name)
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    plain = _NOT_A_NAME.sub("-", bare).strip("-")
    return plain[:60] or usual


def _stem_of(order: EpisodeOrder, script: KeptScript) -> str:
    """Of an episode: its title, which may hold dots, or what its script is called."""
    return safe_stem(f"{order.title}.", "") or safe_stem(script.name, "episode")


def _reason(told: Mapping[str, Any]) -> str:
    """The sentence of `voice-synth join`."""
    error = told.get("error")
    message = error.get("message") if isinstance(error, Mapping) else None
    return message if isinstance(message, str) and message else "voice-synth join failed; the log says more"
