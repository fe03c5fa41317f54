"""Pieces of a long text on the disk: a crash goes on from the last one, and no chapter is held in memory.

A piece lies under a key that is the hash of everything that decides how it sounds. Another text, voice, seed,
speed or model has another key, so a stale piece is never found; one that is damaged is spoken again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from lib.errors import BadConfiguration, JobFailed
from lib.files import NotPlain, draft_beside, read_plain, sweep_drafts, take_folder_lock, write_whole
from lib.spool.errors import InvalidSpoolData
from lib.spool.pieces import MAX_PIECE_BYTES, PieceFile, piece_name
from synth.audio.levels import Samples
from synth.audio.sample_files import FileSink
from synth.audio.trim import sounding_frames, without_offset
from synth.engines.port import Model, Speech, Utterance

#: Pieces of a job that nobody went on with for so long are removed.
KEEP_S: Final = 7 * 24 * 3600.0
#: What folders of pieces that lie beside the audio are called, before a hash.
BESIDE: Final = ".pieces-"
_LOUDEST: Final = 64.0  # full scale is 1; more is no sound of an engine
_SOUND: Final = 1  # counted up when the same utterance would be made into something else


class PiecesUnkept(BadConfiguration):
    """The folder of the pieces cannot be made, read or written; its cause says why, and may pass."""


class PieceLost(JobFailed):
    """A piece that was kept cannot be read any more; another try speaks it again."""


def piece_key(engine: str, model: Model, utterance: Utterance) -> str:
    """The hash of what decides how a piece sounds. 64 hexadecimal digits."""
    reference = utterance.reference
    decides = [
        _SOUND,
        *(engine, model.name, model.revision, model.sample_rate),
        *(utterance.text, utterance.language, utterance.preset, utterance.seed, utterance.speed),
        *(utterance.intonation, utterance.profile, utterance.design),
        None if reference is None else [reference.sha256, reference.text],
    ]
    return hashlib.sha256(json.dumps(decides, allow_nan=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptPiece:
    """One piece on the disk, seen to be whole."""

    key: str
    again: tuple[str, ...]


class KeptPieces:
    """The pieces of one job, in a folder that nobody else uses meanwhile. A context manager.

    `say` takes a line for people: of a piece that is damaged, and how many are there already. A piece of
    more than `most_bytes` is not kept.

    Raises, on entering and from every method: PiecesUnkept: the folder cannot be used. `discard` and
    `sweep` never raise.
    """

    def __init__(
        self, folder: Path, say: Callable[[str], None], *, most_bytes: int = MAX_PIECE_BYTES
    ) -> None:
        self.folder, self.say, self._most_bytes = folder, say, most_bytes
        self._lock: int | None = None
        self._drafts = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with _as_sentence(self.folder):
            self._lock = _made_and_locked(self.folder)
            if self._lock is None:  # the same job a second time: it has pieces of its own, for now
                self.folder = self.folder.with_name(f"{self.folder.name}.{os.urandom(4).hex()}")
                self._lock = _made_and_locked(self.folder)
        sweep_drafts(self.folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder; pieces stay, joined takes do not. A second call does nothing."""
        self._drafts.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def discard(self) -> None:
        """Remove all of it: nobody needs it any more."""
        self._drafts.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def find(self, key: str, model: Model) -> KeptPiece | None:
        """The piece, if it lies there whole."""
        try:
            found = self._read(key)
            if found is None:
                return None
            _check(found, model)
        except InvalidSpoolData as error:
            self.say(f"{error.message[:-1]}; it is spoken again.")
            with _as_sentence(self.folder):
                (self.folder / piece_name(key)).unlink(missing_ok=True)
            return None
        return KeptPiece(key, found.again)

    def keep(self, key: str, speech: Speech, again: tuple[str, ...]) -> KeptPiece | None:
        """Have the piece on the disk; None for one that is too long to be kept."""
        samples = np.ascontiguousarray(speech.samples, "<f4").tobytes()
        data = PieceFile(key, speech.sample_rate, samples, speech.phonemes, speech.words, again).to_bytes()
        if len(data) > self._most_bytes:
            return None
        with _as_sentence(self.folder):
            write_whole(self.folder / piece_name(key), data, sync=True)
        return KeptPiece(key, again)

    def speech(self, kept: KeptPiece) -> Speech:
        """What the engine made of it.

        Raises:
            PieceLost: it cannot be read any more.
        """
        try:
            found = self._read(kept.key)
        except InvalidSpoolData as error:
            raise PieceLost(f"{error.message[:-1]}, though it was whole before.") from None
        if found is None:
            raise PieceLost(f"A piece of the job is gone from {self.folder}.")
        samples = np.frombuffer(found.samples, "<f4").astype(np.float32, copy=False)
        return Speech(samples, found.sample_rate, found.phonemes, found.words)

    def sink(self) -> FileSink:
        """A file for samples that is there until the folder is let go of."""
        with _as_sentence(self.folder):
            sink = _TakeFile(self._drafts.enter_context(draft_beside(self.folder / "take")))
        self._drafts.callback(sink.close)
        return sink

    def _read(self, key: str) -> PieceFile | None:
        try:
            data = read_plain(self.folder / piece_name(key), MAX_PIECE_BYTES)
        except FileNotFoundError:
            return None
        except NotPlain:
            raise InvalidSpoolData("The kept piece is no plain file.") from None
        except OSError as error:
            with _as_sentence(self.folder):
                raise error
        return PieceFile.from_bytes(data, key)


class _TakeFile(FileSink):
    """Samples in the folder. Raises PiecesUnkept."""

    def add(self, samples: Samples) -> None:
        with _as_sentence(self.path.parent):
            super().add(samples)

    def whole(self) -> Samples:
        with _as_sentence(self.path.parent):
            return super().whole()


def _made_and_locked(folder: Path) -> int | None:
    """Make the folder where it is missing, and lock it; None: another holds it. Raises OSError."""
    while True:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # removed, by whoever was done with it
            lock = take_folder_lock(folder)
            if lock is None or os.fstat(lock).st_nlink:
                return lock
            os.close(lock)


def folder_beside(out: Path) -> Path:
    """Where the pieces of what is spoken to `out` are kept; the name of `out` may be as long as names are."""
    digest = hashlib.sha256(os.fsencode(out.name)).hexdigest()[:16]
    return out.parent / f"{BESIDE}{digest}"


def sweep(folder: Path, now: float, keep_s: float = KEEP_S, prefix: str = "") -> None:
    """Remove folders of pieces below `folder` that nobody uses or used for `keep_s` seconds."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(prefix):
                with contextlib.suppress(OSError):
                    _sweep_one(folder / name, now - keep_s)


def _sweep_one(folder: Path, before: float) -> None:
    if folder.is_symlink() or folder.stat().st_mtime >= before:
        return
    lock = take_folder_lock(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _check(found: PieceFile, model: Model) -> None:
    """See that an engine may have made it. Raises InvalidSpoolData."""
    samples = np.frombuffer(found.samples, "<f4")
    if found.sample_rate != model.sample_rate:
        raise InvalidSpoolData(f"The kept piece has {found.sample_rate} Hz, not {model.sample_rate} Hz.")
    if not np.isfinite(samples).all() or np.abs(samples).max(initial=0.0) > _LOUDEST:
        raise InvalidSpoolData("The kept piece holds values that are no sound.")
    if not sounding_frames(without_offset(samples.astype(np.float32, copy=False)), model.sample_rate).any():
        # Of the engine it would end the job for good, as a text of which it makes no sound.
        raise InvalidSpoolData("The kept piece holds no sound.")


@contextlib.contextmanager
def _as_sentence(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise PiecesUnkept(f"Spoken pieces cannot be kept in {folder}: {reason}.") from error
