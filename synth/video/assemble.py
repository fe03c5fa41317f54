"""From a timeline to an mp4 and what lies beside it; what still fits is not made again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lib.captions import Cue, render
from lib.errors import BadConfiguration, BadInput, TryAgain
from lib.files import (
    draft_beside,
    sweep_drafts,
    sync_file,
    sync_folder,
    write_in_place,
    written_over,
)
from synth.typeset.caption_painter import CaptionPainter
from synth.video.burned_cues import burnable, letters_without_font
from synth.video.cue_files import VideoCue, check_cues
from synth.video.film import FilmLook, encode_piece, piece_file, preview_size, still_of
from synth.video.kept_pieces import (
    is_whole_piece,
    is_whole_track,
    levels_file,
    made_alone,
    read_levels,
    remove_others,
    write_levels,
)
from synth.video.mp4_film import FilmChapter, FilmFacts, write_film
from synth.video.pictures import read_picture
from synth.video.pieces import PlannedPiece, cut_pieces, total_frames
from synth.video.soundtrack import (
    DecodedNarration,
    TrackLevels,
    read_narration,
    track_facts,
    write_soundtrack,
)
from synth.video.timeline import Timeline

_MOST_MISSED_LU: Final = 0.5
_POLL_S: Final = 0.1
_MOST_WORKERS: Final = 16

#: Told how many frames are done, of how many; called often, in the thread that assembles.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class AssemblyOptions:
    """How it is made, not what. `work` is where pieces are kept; None: beside the video, hidden."""

    work: Path | None = None
    preview: bool = True
    poster: Path | None = None  # None: beside the video
    workers: int | None = None  # None: one for each core this process may use


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that was written."""

    file: Path
    bytes: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"file": self.file, "bytes": self.bytes, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class AssembledVideo:
    """What was made: the video, and what lies beside it by name."""

    video: MadeFile
    beside: Mapping[str, MadeFile]
    timeline: Timeline
    seconds: float
    frames: int
    levels: TrackLevels
    scenes_made: int  # of those that the timeline has; the others were there
    pieces_made: int
    pieces: int
    chapters: Sequence[FilmChapter]
    warnings: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """The value of `video-synth assemble --json` (docs/reference/json/video-synth-assemble.json)."""
        lufs = self.levels.lufs
        return {
            **self.video.to_json(),
            "width": self.timeline.width,
            "height": self.timeline.height,
            "fps": self.timeline.fps,
            "frames": self.frames,
            "seconds": round(self.frames / self.timeline.fps, 3),
            "audio_seconds": round(self.seconds, 3),
            "scenes": len(self.timeline.scenes),
            "scenes_made": self.scenes_made,
            "pieces": self.pieces,
            "pieces_made": self.pieces_made,
            "loudness_lufs": None if lufs is None else round(lufs, 2),
            "true_peak_dbtp": round(self.levels.true_peak_db, 2),
            "captions": self.timeline.show if self.timeline.cues else "off",
            "cues": len(self.timeline.cues),
            "chapters": [
                {"title": each.title, "start": round(each.start, 3), "end": round(each.end, 3)}
                for each in self.chapters
            ],
            "poster": _plain(self.beside.get("poster")),
            "preview": _plain(self.beside.get("preview")),
            "srt": _plain(self.beside.get("srt")),
            "vtt": _plain(self.beside.get("vtt")),
            "warnings": list(self.warnings),
        }


def assemble(
    timeline: Timeline, target: Path, options: AssemblyOptions, progress: Progress
) -> AssembledVideo:
    """Make the video at `target`; all files get their names together, or none does.

    Raises:
        BadInput: a file that is read cannot be used, or would be written over.
        EncodingFailed: an encoder failed.
        TryAgain: another one uses the same folder of pieces, or a file changed while it was read.
        BadConfiguration: a folder cannot be written, or the disk is full.
    """
    places = _places(timeline, target, options)
    lost = written_over(timeline.files(), places.values())
    if lost is not None:
        raise BadInput(f"{lost} would be written over, and it is read here; choose another --out.")
    usual = target.with_name(f".{target.name}.pieces")
    work = options.work or usual
    try:
        for folder in {path.parent for path in places.values()} | {work, usual}:
            folder.mkdir(parents=True, exist_ok=True)
            sweep_drafts(folder)
        with made_alone(target, usual, work), draft_beside(work / "narration") as heard:
            sha256s = {path: _sha256_of(read_picture(path)) for path in dict.fromkeys(_pictures(timeline))}
            facts = track_facts(timeline.narration, timeline.music, timeline.loudness)
            narration = read_narration(timeline.narration, heard, lambda: progress(0, 0))
            _check_times(timeline, narration.seconds)
            return _Assembly(timeline, narration, sha256s, work / f"{facts}.m4a", options).made(
                places, progress
            )
    except OSError as error:
        raise BadConfiguration(f"{target} cannot be written: {error.strerror or error}.") from None


def _places(timeline: Timeline, target: Path, options: AssemblyOptions) -> dict[str, Path]:
    """Where each file goes, by what it is."""
    places = {"poster": options.poster or target.with_suffix(".poster.jpg")}
    if options.preview:
        places["preview"] = target.with_suffix(".preview.mp4")
    if timeline.cues and timeline.show != "off":
        places["srt"], places["vtt"] = target.with_suffix(".srt"), target.with_suffix(".vtt")
    return {**places, "video": target}


def _pictures(timeline: Timeline) -> Iterator[Path]:
    return (scene.picture for scene in timeline.scenes)


def _check_times(timeline: Timeline, seconds: float) -> None:
    """See that scenes and captions lie within the narration. Raises BadInput."""
    for number, scene in enumerate(timeline.scenes):
        if scene.start >= seconds:
            raise BadInput(
                f"Scene {number + 1} starts at {scene.start:.2f} s, the narration ends at {seconds:.2f} s; "
                "the timeline is of another narration."
            )
    check_cues(timeline.cues, seconds)
    if timeline.poster is not None and timeline.poster >= seconds:
        raise BadInput(
            f"The poster is at {timeline.poster:.2f} s, and the narration ends at {seconds:.2f} s."
        )


class _Assembly:
    """One timeline on its way to a video."""

    def __init__(
        self,
        timeline: Timeline,
        narration: DecodedNarration,
        sha256s: Mapping[Path, str],
        track: Path,
        options: AssemblyOptions,
    ) -> None:
        """`track` is where its soundtrack lies among the pieces, or will."""
        preview = preview_size(timeline.width, timeline.height) if options.preview else None
        self._timeline, self._narration, self._work = timeline, narration, track.parent
        self._look = FilmLook(timeline.width, timeline.height, timeline.fps, timeline.style, preview)
        burned: Sequence[VideoCue] = ()
        fonts: Mapping[str, Sequence[str]] = {}
        self._lacking: Sequence[str] = ()
        if timeline.burned:
            painter = CaptionPainter(timeline.width, timeline.height, timeline.style)
            burned = burnable(timeline.cues, painter)
            fonts = {cue.text: painter.fonts(cue.text) for cue in burned}
            self._lacking = letters_without_font(burned, painter)
        self._planned = cut_pieces(timeline, narration.seconds, sha256s, burned, self._look.facts(), fonts)
        self._workers = options.workers or min(len(os.sched_getaffinity(0)), _MOST_WORKERS)
        self._track = track
        self._frames_done = 0
        self._stopped = threading.Event()
        self._counting = threading.Lock()

    def made(self, places: Mapping[str, Path], progress: Progress) -> AssembledVideo:
        """Make what is missing, put it together, and give all files their names."""
        tracks = 1 if self._look.preview is None else 2
        missing = {each.key: each for each in self._planned if not is_whole_piece(self._work, each, tracks)}
        self._make(list(missing.values()), progress)
        levels = read_levels(self._track)
        chapters = self._chapters()
        made = self._published(places, chapters)
        self._prune()
        return AssembledVideo(
            video=made.pop("video"),
            beside=made,
            timeline=self._timeline,
            seconds=self._narration.seconds,
            frames=sum(each.piece.used for each in self._planned),
            levels=levels,
            scenes_made=len({each.piece.scene for each in missing.values() if not each.piece.fade}),
            pieces_made=len(missing),
            pieces=len(self._planned),
            chapters=chapters,
            warnings=tuple(self._warnings(levels)),
        )

    def _make(self, missing: Sequence[PlannedPiece], progress: Progress) -> None:
        total = sum(each.piece.frames for each in missing)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="piece") as pool:
            futures: list[Future[None]] = []
            if not is_whole_track(self._track):
                futures.append(pool.submit(self._make_track))
            # The longest first: at the end no core waits long for the other.
            for each in sorted(missing, key=lambda each: -each.piece.frames):
                futures.append(pool.submit(encode_piece, each, self._look, self._work, self._count_frame))
            try:
                open_ones = set(futures)
                while open_ones:
                    done, open_ones = wait(open_ones, _POLL_S, FIRST_EXCEPTION)
                    for future in done:
                        future.result()
                    progress(self._frames_done, total)
            except BaseException:
                self._stopped.set()
                for future in futures:
                    future.cancel()
                raise

    def _make_track(self) -> None:
        timeline = self._timeline
        levels = write_soundtrack(self._narration, timeline.music, timeline.loudness, self._track, self._ask)
        if track_facts(timeline.narration, timeline.music, timeline.loudness) != self._track.stem:
            raise TryAgain("The narration or the music was changed while it was read; try again.")
        write_levels(self._track, levels)

    def _ask(self) -> None:
        if self._stopped.is_set():
            raise _Stopped

    def _count_frame(self) -> None:
        self._ask()
        with self._counting:
            self._frames_done += 1

    def _published(self, places: Mapping[str, Path], chapters: Sequence[FilmChapter]) -> dict[str, MadeFile]:
        """Write all files aside, then give all of them their names."""
        timeline, seconds = self._timeline, self._narration.seconds
        facts = FilmFacts(timeline.title, timeline.fps, seconds, chapters)
        with contextlib.ExitStack() as stack:
            drafts = {name: stack.enter_context(draft_beside(path)) for name, path in places.items()}
            for name, draft in drafts.items():
                match name:
                    case "video":
                        spoken = replace(facts, cues=timeline.cues if timeline.soft else ())
                        write_film(draft, self._planned, self._work, 0, self._track, spoken)
                    case "preview":
                        write_film(draft, self._planned, self._work, 1, self._track, facts)
                    case "poster":
                        write_in_place(draft, self._poster(places[name].suffix))
                    case _:
                        write_in_place(draft, _captions_text(timeline, seconds, name))
            made = {
                name: MadeFile(places[name], draft.stat().st_size, _file_sha256(draft))
                for name, draft in drafts.items()
            }
            for draft in drafts.values():
                sync_file(draft)
            for name, draft in drafts.items():
                draft.replace(places[name])
            for folder in {path.parent for path in places.values()}:
                sync_folder(folder)
        return made

    def _poster(self, suffix: str) -> bytes:
        """The frame at the poster's moment, without captions."""
        timeline = self._timeline
        starts = [scene.start for scene in timeline.scenes] + [self._narration.seconds]
        moment = timeline.poster if timeline.poster is not None else starts[1] / 2
        number = min(int(moment * timeline.fps), total_frames(self._narration.seconds, timeline.fps) - 1)
        for each in self._planned:
            if number < each.piece.used:
                break
            number -= each.piece.used
        shown = replace(each.piece, first=each.piece.first + number, frames=1, captions=())
        return still_of(shown, self._look, "PNG" if suffix.lower() == ".png" else "JPEG")

    def _chapters(self) -> list[FilmChapter]:
        titled = [(scene.chapter, scene.start) for scene in self._timeline.scenes if scene.chapter]
        ends = [*(start for _, start in titled), self._narration.seconds][1:]
        return [FilmChapter(*each, end) for each, end in zip(titled, ends, strict=True)]

    def _prune(self) -> None:
        """Remove what no part of this video is: an edit left it behind."""
        kept = {piece_file(self._work, each.key).name for each in self._planned}
        remove_others(self._work, kept | {self._track.name, levels_file(self._track).name})

    def _warnings(self, levels: TrackLevels) -> Iterator[str]:
        wanted = self._timeline.loudness
        if self._timeline.mended_cues:
            count = self._timeline.mended_cues
            yield (
                f"{count} of the captions lay over another or out of order; each ends where the next begins."
            )
        if self._lacking:
            shown = " ".join(self._lacking[:5])
            yield f"No font here has the symbols {shown}; the captions are drawn without them."
        if levels.lufs is None:
            yield "The narration is silent."
        elif abs(levels.lufs - wanted) > _MOST_MISSED_LU:
            yield f"It is at {levels.lufs:.1f} LUFS, not {wanted:g}: its peaks would be squeezed too much."


class _Stopped(Exception):
    """Another piece failed, or a person asked to stop: what this one would be is not wanted any more."""


def _captions_text(timeline: Timeline, seconds: float, suffix: str) -> bytes:
    cues = [Cue(each.start, min(each.end, seconds), each.text, "estimated") for each in timeline.cues]
    return render(cues, seconds, suffix).encode()


def _plain(made: MadeFile | None) -> dict[str, Any] | None:
    return None if made is None else made.to_json()


def _sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
