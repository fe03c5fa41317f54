"""What is kept of a film for the next one: which of it is whole, and what is removed."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import av

from lib.errors import TryAgain
from lib.files import take_folder_lock, write_whole
from lib.foreign import parse_json
from synth.video.film import piece_file
from synth.video.pieces import PlannedPiece
from synth.video.soundtrack import TrackLevels

#: As we name them. A folder that a person names may hold files of theirs.
_OURS: Final = re.compile(r"[0-9a-f]{32}\.(?:mp4|m4a|json)")


def is_whole_piece(folder: Path, planned: PlannedPiece, tracks: int) -> bool:
    """Whether the piece is there with its frames: a full disk or a power cut may have left half of it."""
    try:
        with av.open(str(piece_file(folder, planned.key))) as container:
            streams = container.streams.video
            return len(streams) == tracks and all(each.frames == planned.piece.frames for each in streams)
    except (OSError, av.error.FFmpegError):
        return False


def levels_file(track: Path) -> Path:
    """Where what was measured of a soundtrack lies."""
    return track.with_suffix(".json")


def is_whole_track(track: Path) -> bool:
    """Whether it and what was measured of it are there; the second is written last."""
    try:
        read_levels(track)
        with av.open(str(track)) as container:
            return bool(container.streams.audio)
    except (OSError, ValueError, TypeError, av.error.FFmpegError):
        return False


def write_levels(track: Path, levels: TrackLevels) -> None:
    """Keep what was measured. Raises OSError."""
    row = {"lufs": levels.lufs, "true_peak_db": levels.true_peak_db, "gain_db": levels.gain_db}
    write_whole(levels_file(track), json.dumps(row).encode(), sync=True)


def read_levels(track: Path) -> TrackLevels:
    """What was measured. Raises OSError, ValueError and TypeError: it is not there, or not whole."""
    return TrackLevels(**parse_json(levels_file(track).read_bytes()))


def remove_others(folder: Path, kept: Collection[str]) -> None:
    """Remove the pieces and soundtracks whose names are not in `kept`; nothing that is not ours."""
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name not in kept:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def made_alone(target: Path, usual: Path, work: Path) -> Iterator[None]:
    """Nobody else makes this video, wherever its pieces are kept, or uses the same ones.

    `usual` is where they lie if nobody says otherwise; it goes away where nothing is in it. Raises TryAgain.
    """
    with contextlib.ExitStack() as held:
        held.callback(_remove_if_empty, usual)
        held.enter_context(_locked(usual, f"Another video-synth makes {target}; wait for its end."))
        if not work.samefile(usual):
            said = f"Another video-synth works in {work}; wait for its end, or name another --work."
            held.enter_context(_locked(work, said))
        yield


@contextlib.contextmanager
def _locked(folder: Path, otherwise: str) -> Iterator[None]:
    lock = take_folder_lock(folder)
    if lock is None:
        raise TryAgain(otherwise)
    try:
        yield
    finally:
        os.close(lock)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
