"""Silent clips of pictures that move, each a file of its own; one that is there and still fits is kept."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any, Final

from lib.errors import BadConfiguration, TryAgain
from lib.files import draft_beside, replace_whole, sweep_drafts, take_folder_lock
from synth.typeset.caption_painter import CaptionStyle
from synth.video.clip_file import Clip, ClipList
from synth.video.film import FilmLook, encode_piece, piece_file
from synth.video.kept_pieces import is_whole_piece, remove_others
from synth.video.pictures import read_picture
from synth.video.pieces import FilmPiece, PlannedPiece, Shot, total_frames

_KEPT: Final = ".clips"
_POLL_S: Final = 0.1

#: Told how many frames are done, of how many, in the thread that asked; may raise what is to end the work.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class MadeClip:
    """A clip that lies in the folder. `made`: now, and not some time before."""

    file: str
    bytes: int
    sha256: str
    frames: int
    seconds: float
    made: bool


class _UnwantedClip(Exception):
    """Another clip failed, or a person asked to stop."""


def make_clips(wanted: ClipList, folder: Path, workers: int | None, progress: Progress) -> list[MadeClip]:
    """Have every clip of the list in `folder`.

    Raises:
        UnusablePicture: a picture cannot be read.
        EncodingFailed: the encoder failed.
        TryAgain: another one makes clips in this folder.
        BadConfiguration: the folder cannot be written.
    """
    kept = folder / _KEPT
    try:
        kept.mkdir(parents=True, exist_ok=True)
        lock = take_folder_lock(kept)
        if lock is None:
            raise TryAgain(f"Another video-synth works in {folder}; wait for its end.")
        try:
            sweep_drafts(folder)
            sweep_drafts(kept)
            return _made(wanted, folder, workers or len(os.sched_getaffinity(0)), progress)
        finally:
            os.close(lock)
    except OSError as error:
        raise BadConfiguration(f"{folder} cannot be written: {error.strerror or error}.") from None


def _made(wanted: ClipList, folder: Path, workers: int, progress: Progress) -> list[MadeClip]:
    kept = folder / _KEPT
    look = FilmLook(wanted.width, wanted.height, wanted.fps, CaptionStyle(), None)
    pictures = dict.fromkeys(clip.picture for clip in wanted.clips)
    sha256s = {path: hashlib.sha256(read_picture(path)).hexdigest() for path in pictures}
    planned = {clip.file: _planned(clip, sha256s, look) for clip in wanted.clips}
    missing = {each.key: each for each in planned.values() if not is_whole_piece(kept, each, 1)}
    _encode(missing, look, kept, workers, progress)
    found = []
    for clip in wanted.clips:
        piece = planned[clip.file]
        _publish(piece_file(kept, piece.key), folder / clip.file)
        data = (folder / clip.file).read_bytes()
        frames = piece.piece.frames
        sha256 = hashlib.sha256(data).hexdigest()
        found.append(
            MadeClip(
                clip.file, len(data), sha256, frames, round(frames / wanted.fps, 3), piece.key in missing
            )
        )
    remove_others(kept, {piece_file(kept, each.key).name for each in planned.values()})
    return found


def _planned(clip: Clip, sha256s: Mapping[Path, str], look: FilmLook) -> PlannedPiece:
    shot = Shot(clip.picture, sha256s[clip.picture], clip.fit, clip.move, clip.seconds)
    frames = total_frames(clip.seconds, look.fps)
    piece = FilmPiece(0, 0, frames, frames, shot)
    return PlannedPiece(piece, piece.key(look.facts(), False), False)


def _encode(
    missing: Mapping[str, PlannedPiece], look: FilmLook, kept: Path, workers: int, progress: Progress
) -> None:
    total, done = sum(each.piece.frames for each in missing.values()), 0
    stopped, counting = Event(), Lock()

    def on_frame() -> None:
        nonlocal done
        if stopped.is_set():
            raise _UnwantedClip
        with counting:
            done += 1

    with ThreadPoolExecutor(workers, thread_name_prefix="clip") as pool:
        open_ones: set[Future[Any]] = {
            pool.submit(encode_piece, each, look, kept, on_frame) for each in missing.values()
        }
        everything = list(open_ones)
        try:
            while open_ones:
                ended, open_ones = wait(open_ones, _POLL_S, FIRST_EXCEPTION)
                for future in ended:
                    future.result()
                progress(done, total)
        except BaseException:
            stopped.set()
            for future in everything:
                future.cancel()
            raise


def _publish(kept: Path, target: Path) -> None:
    """Give the clip its name; a copy, so that who writes into it does not change what is kept."""
    with draft_beside(target) as draft:
        shutil.copyfile(kept, draft)
        replace_whole(draft, target)
