"""From a request to finished files and their record: the one path of `speak` and `work`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib.captions import Cue, rendered
from lib.clock import Clock
from lib.errors import BadConfiguration
from lib.jobspec import PEAKS_SUFFIX, take_name
from lib.records import SpokenRecord
from synth.audio.encode import Written, write_audio, write_beside
from synth.audio.loudness_normalizer import Leveled, level
from synth.audio.peaks import peaks_json
from synth.audio.sample_files import MemorySink, blocks_of
from synth.audio.sample_rates import at_rate
from synth.audio.tags import Tags
from synth.engines.port import Engine
from synth.speech.disk_level import level_on_disk
from synth.speech.kept_pieces import KeptPieces
from synth.speech.performance import OnPiece, perform
from synth.speech.record import FinishedTake, make_record, seconds_of
from synth.speech.rejected_audio import NotVerified, keep_rejected
from synth.speech.request import SpeakRequest
from synth.speech.take_captions import captions_of
from synth.speech.takes import Performance, RawTake, rank
from synth.verify import Verifier


def speak(
    request: SpeakRequest,
    engine: Engine,
    clock: Clock,
    out: Path,
    on_piece: OnPiece,
    verifier: Verifier | None = None,
    kept: KeptPieces | None = None,
) -> SpokenRecord:
    """Speak `request` into `out` plus the format's suffix. `kept`: as for `perform`; it is not discarded.

    Raises:
        lib.errors.BadInput: the text cannot be spoken.
        lib.errors.JobFailed: the engine or the encoder failed.
        BadConfiguration: the folder cannot be written.
        whatever `on_piece` raises.
    """
    try:
        performance = perform(request, engine, clock, on_piece, verifier, kept)
    except NotVerified as error:
        rejected = keep_rejected(error.performance, out)
        message = f"{error.message} The best of them is kept in {rejected.path}."
        raise NotVerified(message, error.performance) from None
    return finish(performance, clock, out)


def finish(performance: Performance, clock: Clock, out: Path, *, sync: bool = True) -> SpokenRecord:
    """Choose, level, encode and record the takes. May run in another thread than `perform`.

    The chosen take goes to `out` plus the format's suffix, the others to `out`.take-02 and so on. Every file
    is whole or absent; without `sync` it is the caller who has them on the disk.
    """
    request = performance.request
    started = clock.monotonic()
    ranked = rank(performance.takes, select_best=request.select_best)
    finished: list[FinishedTake] = []
    for number, made in enumerate(ranked, start=1):
        raw = _at_asked_rate(performance, performance.takes[made])
        leveled = _leveled(performance, raw)
        cues = _cues(performance, raw, leveled)
        finished.append(_write(out, number, made + 1, raw, leveled, cues, request, sync=sync))
    work_s = performance.work_s + clock.monotonic() - started
    return make_record(performance, finished, work_s, clock.now())


def take_path(out: Path, number: int, suffix: str) -> Path:
    """Where take `number` goes: `out`.wav, `out`.take-02.wav. The name of `out` may hold dots."""
    return out.with_name(take_name(out.name, number, suffix))


def tags_of(request: SpeakRequest) -> Tags:
    """Title and album as asked, who speaks, and that a machine does: listeners have a right to know."""
    voice = request.voice
    return Tags(
        title=request.title,
        album=request.album,
        artist=voice.voice or voice.speaker or "",
        comment=f"Synthetic speech, made with the engine {voice.engine}.",
    )


def _at_asked_rate(performance: Performance, raw: RawTake) -> RawTake:
    """The take at the rate that was asked for, before it is levelled: resampling moves peaks."""
    wanted = performance.request.sample_rate
    if wanted is None or wanted == raw.sample_rate:
        return raw
    sink = MemorySink() if performance.kept is None else performance.kept.sink()
    for block in at_rate(blocks_of(raw.samples), raw.sample_rate, wanted):
        sink.add(block)
    return replace(raw, samples=sink.whole(), sample_rate=wanted)


def _leveled(performance: Performance, raw: RawTake) -> Leveled:
    target = performance.request.loudness_lufs
    if performance.kept is None:
        return level(raw.samples, raw.sample_rate, target)
    return level_on_disk(raw.samples, raw.sample_rate, target, performance.kept.sink)


def _cues(performance: Performance, raw: RawTake, leveled: Leveled) -> tuple[Cue, ...]:
    if performance.shown is None:
        return ()
    return captions_of(performance.shown(), raw, seconds_of(leveled.samples, raw.sample_rate))


def _write(
    out: Path,
    number: int,
    made: int,
    raw: RawTake,
    leveled: Leveled,
    cues: tuple[Cue, ...],
    request: SpeakRequest,
    *,
    sync: bool,
) -> FinishedTake:
    path, rate = take_path(out, number, request.file_format), raw.sample_rate
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(f"The folder {path.parent} cannot be made: {error.strerror}.") from None
    peaks = None
    if request.peaks:  # before the audio, for whoever waits for that
        peaks = write_beside(
            take_path(out, number, PEAKS_SUFFIX), peaks_json(leveled.samples, rate), sync=sync
        )
    captions: list[Written] = []
    if request.captions:
        made_of = rendered(cues, seconds_of(leveled.samples, rate))
        captions = [
            write_beside(take_path(out, number, suffix), data, sync=sync) for suffix, data in made_of.items()
        ]
    written = write_audio(path, leveled.samples, rate, request.file_format, tags_of(request), sync=sync)
    return FinishedTake(number, made, raw, leveled, written, peaks, cues, tuple(captions))
