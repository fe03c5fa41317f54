"""From a playlist to one file and what lies beside it: looked at, measured, levelled and written in blocks.

The audio is read twice, so that it never has to be held: once for its length and loudness, which chapters
and level depend on, and once to be written; and once more for its peaks where the limiter has to work.
"""

from __future__ import annotations

import contextlib
import hashlib
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from lib.errors import BadConfiguration, BadInput
from lib.files import draft_beside, sweep_drafts, sync_file, sync_folder, write_in_place, written_over
from lib.jobspec.episode_names import CHAPTERS_SUFFIX, files_beside
from synth.audio.encode import EncodingFailed
from synth.audio.level_stream import LevelStream
from synth.audio.levels import Levels, Samples
from synth.audio.loudness_meter import amplitude, decibels, integrated_loudness
from synth.join.chapters import MOST_COMMENTED, Chapter, podcast_chapters
from synth.join.cover import Cover
from synth.join.episode_captions import whole_captions
from synth.join.loudness import LevelPlan, levelled, plan_for
from synth.join.mp4 import BRANDS, mp4_seconds, need_pyav, written_mp4
from synth.join.playlist import Playlist
from synth.join.sources import NotJoinable, Source, opened, rate_for
from synth.join.writers import Contents, written

_MOST_MISSED_LU: Final = 0.5
_TOLERANCE_S: Final = 0.060  # lossy codecs pad
#: Of the chapters beside an episode.
_CLOCK_FORMATS: Final = ("flac", "opus")

#: Told what is done, of how much, and a word for it; seconds of audio.
Progress = Callable[[str, float, float], None]


@dataclass(frozen=True, slots=True)
class Joined:
    """What was made. `beside` are the other files, by suffix."""

    file: Path
    bytes: int
    sha256: str
    audio_format: str
    sample_rate: int
    samples: int
    loudness_lufs: float | None
    true_peak_dbtp: float | None  # before encoding; None where it is not known
    gain_db: float
    chapters: tuple[Chapter, ...]
    beside: dict[str, Path]
    warnings: tuple[str, ...]

    @property
    def audio_seconds(self) -> float:
        """How long it is."""
        return self.samples / self.sample_rate

    def to_json(self) -> dict[str, Any]:
        """The value of `voice-synth join --json` (docs/reference/json/voice-synth-join.json)."""
        return {
            "file": self.file,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "audio_format": self.audio_format,
            "sample_rate": self.sample_rate,
            "audio_seconds": round(self.audio_seconds, 3),
            "loudness_lufs": None if self.loudness_lufs is None else round(self.loudness_lufs, 2),
            "true_peak_dbtp": None if self.true_peak_dbtp is None else round(self.true_peak_dbtp, 2),
            "gain_db": round(self.gain_db, 2),
            "chapters": [
                {
                    "title": chapter.title,
                    "start": round(chapter.start / self.sample_rate, 3),
                    "end": round(chapter.end / self.sample_rate, 3),
                }
                for chapter in self.chapters
            ],
            "chapters_file": self.beside[CHAPTERS_SUFFIX],
            "srt": self.beside.get("srt"),
            "vtt": self.beside.get("vtt"),
            "captions_file": self.beside.get("captions.json"),
            "warnings": list(self.warnings),
        }


def join_playlist(
    playlist: Playlist, target: Path, target_lufs: float | None, cover: Cover | None, progress: Progress
) -> Joined:
    """Join the beats into `target`, whose suffix says its format; whole under its name, or not at all.

    Raises:
        MissingExtra: the format needs packages that are not there.
        BadInput: a beat cannot be joined, the format cannot hold so much, or what is written would replace
            what is read.
        EncodingFailed: the encoder failed, or the file does not read back with the right length.
        BadConfiguration: the folder cannot be written, or the disk is full.
    """
    check_join(playlist, target)
    file_format = target.suffix[1:]
    sources = []
    for number, beat in enumerate(playlist.beats):
        progress("looked at", number, 0)
        sources.append(opened(beat))
    whole = _Whole(sources, rate_for(sources), progress)
    levels, chapters = whole.measured()
    plan = plan_for(levels, target_lufs, whole.highest_peak(), lambda: whole.blocks("peaks"))
    contents = Contents(whole.sample_rate, levels.samples, playlist.tags, chapters, cover)
    beside = _texts_beside(playlist, target, contents)
    made = _make(target, file_format, contents, beside, whole, plan)
    return Joined(
        file=target,
        bytes=made.bytes,
        sha256=made.sha256,
        audio_format=file_format,
        sample_rate=contents.sample_rate,
        samples=contents.samples,
        loudness_lufs=made.loudness_lufs,
        true_peak_dbtp=made.true_peak_dbtp,
        gain_db=plan.gain_db,
        chapters=tuple(chapters),
        beside={kind: path for kind, path in files_beside(target).items() if path in beside},
        warnings=(
            *_warnings(playlist, whole, target, file_format, cover),
            *_missed(made.loudness_lufs, target_lufs),
        ),
    )


def check_join(playlist: Playlist, target: Path) -> None:
    """See what can be seen without the audio, which may have to be fetched first.

    Raises:
        MissingExtra: the format needs packages that are not there.
        BadInput: what is written would replace what is read.
        BadConfiguration: the folder cannot be written, or a folder stands where the file goes.
    """
    if target.suffix[1:] in BRANDS:
        need_pyav()
    read = [beat.file for beat in playlist.beats]
    read += [] if playlist.file is None else [playlist.file]
    lost = written_over(read, (target, *files_beside(target).values()))
    if lost is not None:
        raise BadInput(f"{lost} would be written over, and it is read here; choose another --out.")
    captions = any(beat.captions for beat in playlist.beats)
    made = [path for suffix, path in files_beside(target).items() if captions or suffix == CHAPTERS_SUFFIX]
    sweep_drafts(target.parent)  # what a killed join left: hours of audio
    try:
        with draft_beside(target):
            pass
    except OSError as error:
        raise _not_written(target, error) from None
    for path in (target, *made):
        _check_place(path)


def _check_place(path: Path) -> None:
    """See that a file can get that name: hours later would be late."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _not_written(path, error) from None
    if stat.S_ISDIR(mode):
        raise BadConfiguration(f"{path} cannot be written: there is a folder of that name.")
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise BadConfiguration(f"{path} cannot be written: what has that name is no file.")


def _not_written(path: Path, error: OSError) -> BadConfiguration:
    return BadConfiguration(f"{path} cannot be written: {error.strerror or error}.")


@dataclass(frozen=True, slots=True)
class _Made:
    """What was found of the file, once it was there."""

    bytes: int
    sha256: str
    loudness_lufs: float | None
    true_peak_dbtp: float | None


def _make(
    target: Path,
    file_format: str,
    contents: Contents,
    beside: Mapping[Path, bytes],
    whole: _Whole,
    plan: LevelPlan,
) -> _Made:
    """Write all files aside, then give all of them their names."""
    try:
        with contextlib.ExitStack() as stack:
            drafts = {path: stack.enter_context(draft_beside(path)) for path in (*beside, target)}
            loudness, peak = _write(drafts[target], file_format, contents, whole, plan)
            _check(drafts[target], target, file_format, contents)
            for path, data in beside.items():
                write_in_place(drafts[path], data)
            sha256, size = _digest(drafts[target])
            for draft in drafts.values():
                sync_file(draft)
            for path, draft in drafts.items():
                draft.replace(path)
            sync_folder(target.parent)
    except OSError as error:
        raise _not_written(target, error) from None
    return _Made(size, sha256, loudness, peak)


class _Whole:
    """All beats with their gaps, as one signal at one rate."""

    def __init__(self, sources: Sequence[Source], sample_rate: int, progress: Progress) -> None:
        self.sources, self.sample_rate, self._progress = sources, sample_rate, progress
        self._total = 0.0  # seconds, once known

    def measured(self) -> tuple[Levels, list[Chapter]]:
        """Read all of it once."""
        stream, starts = LevelStream(self.sample_rate, peaks=False), list[int]()
        at = 0
        for number, block in self._numbered():
            if number == len(starts):
                starts.append(at)
            stream.feed(block)
            at += len(block)
            self._progress("measured", at / self.sample_rate, self._total)
        self._total = at / self.sample_rate
        ends = [*starts[1:], at]
        titles = (source.beat.title for source in self.sources)
        return stream.levels(), [Chapter(*each) for each in zip(titles, starts, ends, strict=True)]

    def blocks(self, word: str) -> Iterator[Samples]:
        """Read it again; `word` is what is done with it."""
        at = 0
        for _, block in self._numbered():
            yield block
            at += len(block)
            self._progress(word, at / self.sample_rate, self._total)

    def highest_peak(self) -> float | None:
        """The highest true peak that the playlist knows, as an amplitude; None where one is not known.

        A beat at another rate was resampled since, which moves peaks.
        """
        known = [
            source.beat.true_peak_dbtp for source in self.sources if source.sample_rate == self.sample_rate
        ]
        peaks = [peak for peak in known if peak is not None]
        return amplitude(max(peaks)) if len(peaks) == len(self.sources) else None

    def _numbered(self) -> Iterator[tuple[int, Samples]]:
        """The blocks, each with the number of its beat; a gap belongs to the beat before it."""
        last = len(self.sources) - 1
        for number, source in enumerate(self.sources):
            empty = True
            for block in source.blocks(self.sample_rate):
                empty = empty and not len(block)
                yield number, block
            if empty:
                raise NotJoinable(
                    f"The audio of {source.beat.title}, {source.beat.file}, has no sound in it."
                )
            gap = 0 if number == last else round(source.beat.gap_after * self.sample_rate)
            if gap:
                yield number, np.zeros(gap, np.float32)


def _write(
    draft: Path, file_format: str, contents: Contents, whole: _Whole, plan: LevelPlan
) -> tuple[float | None, float | None]:
    """Write the sound; returns its loudness and true peak. Where the limiter worked, both are measured."""
    make = written_mp4 if file_format in BRANDS else written
    meter = LevelStream(contents.sample_rate, coarse=True) if plan.limits else None
    frame = contents.sample_rate // 1000
    with make(draft, file_format, contents) as writer:
        for block in levelled(whole.blocks("written"), plan, frame):
            writer.write(block)
            if meter is not None:
                meter.feed(block)
    if meter is not None:
        found = meter.levels()
        return integrated_loudness(found), decibels(float(found.peaks.max(initial=0.0)))
    highest = whole.highest_peak()
    loudness = None if plan.lufs is None else plan.lufs + plan.gain_db
    return loudness, None if highest is None else decibels(highest * plan.gain)


def _check(draft: Path, target: Path, file_format: str, contents: Contents) -> None:
    expected = contents.samples / contents.sample_rate
    if file_format in BRANDS:
        actual = mp4_seconds(draft)
    else:
        try:
            found = soundfile.info(str(draft))
        except soundfile.LibsndfileError as error:
            raise EncodingFailed(f"What was written for {target} does not read back: {error}.") from None
        actual = found.frames / found.samplerate
    if abs(actual - expected) > _TOLERANCE_S:
        raise EncodingFailed(f"What was written for {target} lasts {actual:.3f} s, not {expected:.3f} s.")


def _texts_beside(playlist: Playlist, target: Path, contents: Contents) -> dict[Path, bytes]:
    places = files_beside(target)
    title = playlist.tags.title
    found = {places[CHAPTERS_SUFFIX]: podcast_chapters(contents.chapters, contents.sample_rate, title)}
    texts = whole_captions(playlist.beats, contents.chapters, contents.sample_rate)
    return {**found, **{places[suffix]: data for suffix, data in texts.items()}}


def _warnings(
    playlist: Playlist,
    whole: _Whole,
    target: Path,
    file_format: str,
    cover: Cover | None,
) -> Iterator[str]:
    beats = len(playlist.beats)
    silent = sum(not beat.captions for beat in playlist.beats)
    if silent == beats:
        stale = [
            path for kind, path in files_beside(target).items() if kind != CHAPTERS_SUFFIX and path.exists()
        ]
        if stale:
            yield f"{stale[0]} is of other audio: no beat has captions now."
    elif silent:
        have = "has" if silent == 1 else "have"
        yield f"{silent} of {beats} beats {have} no captions; there the captions are silent, too."
    rates = {source.sample_rate for source in whole.sources}
    if rates != {whole.sample_rate}:
        listed = " and ".join(f"{rate} Hz" for rate in sorted(rates))
        yield f"The beats have {listed}; what is not at {whole.sample_rate} Hz was resampled."
    if file_format in _CLOCK_FORMATS and beats > MOST_COMMENTED:
        yield f"{file_format} holds {MOST_COMMENTED} chapters; the others stand in the chapters file only."
    if cover is not None and file_format == "wav":
        yield "Few players show a picture in a WAV."


def _missed(loudness: float | None, target_lufs: float | None) -> Iterator[str]:
    if target_lufs is not None and loudness is not None and abs(loudness - target_lufs) > _MOST_MISSED_LU:
        yield f"It is at {loudness:.1f} LUFS, not {target_lufs:g}: its peaks would be squeezed too much."


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
