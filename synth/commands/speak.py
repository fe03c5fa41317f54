"""`voice-synth speak`: one text, one call, finished audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import emit_json, note, say, warn
from lib.cli.progress import ProgressBar
from lib.clock import SystemClock
from lib.errors import BadConfiguration, UsageError
from lib.units import seconds_text
from lib.voices import ResolvedVoice, check_text, engine_facts
from synth import wiring
from synth.commands import options as o
from synth.commands.levels import read_loudness
from synth.commands.sayings import read_sayings
from synth.commands.textfile import given_text, read_text

if TYPE_CHECKING:
    from lib.records import SpokenRecord
    from synth.speech.request import SpeakRequest
    from synth.verify import Verifier


EXAMPLES = (
    'voice-synth speak "Welcome to the show."',
    "voice-synth speak --text-file intro.txt --speaker Ryan --out-exact intro",
)


def command(
    text: o.TextArgument = None,
    text_file: o.TextFileOption = None,
    out_exact: o.OutOption = Path("speech"),
    json_result: o.RecordOption = None,
    voice: o.VoiceOption = None,
    speaker: o.SpeakerOption = None,
    language: o.LanguageOption = "English",
    profile: o.ProfileOption = o.Profile.balanced,
    variants: o.VariantsOption = 1,
    select_best: o.SelectBestOption = False,
    chunk: o.ChunkOption = False,
    seed: o.SeedOption = None,
    audio_format: o.FormatOption = o.AudioFormat.wav,
    loudness: o.LoudnessOption = "-19",
    sample_rate: o.SampleRateOption = None,
    pronounce: o.PronounceOption = None,
    lexicon: o.LexiconOption = None,
    speed: o.SpeedOption = 1.0,
    pauses: o.PausesOption = None,
    title: o.TitleOption = None,
    album: o.AlbumOption = "",
    peaks: o.PeaksOption = False,
    captions: o.CaptionsOption = False,
    engine: o.EngineOption = None,
    voices_dir: VoicesDirOption = None,
    json: JsonOption = False,
) -> None:
    """Speak one text into an audio file, trimmed and at an even loudness."""
    level, written = read_loudness(loudness), given_text(text, text_file, "voice-synth speak")
    said = read_sayings(pronounce or (), lexicon, read_text)
    resolved = _resolve(voice, speaker, language, voices := wiring.voices(voices_dir, engine, pauses))
    # before the audio packages are imported, which takes longer
    check_text(written, resolved.engine, chunk, pronounce=said, language=resolved.language)
    from synth.speech.request import SpeakRequest

    request = SpeakRequest(
        text=written,
        voice=resolved,
        profile=profile.value,
        variants=variants,
        select_best=select_best,
        chunk=chunk,
        seed=seed,
        title=_printable(out_exact.name) if title is None else title,
        pronounce=said,
    )
    request = replace(request, file_format=audio_format.value, loudness_lufs=level, sample_rate=sample_rate)
    request = replace(request, album=album, peaks=peaks, captions=captions, speed=speed, pauses=voices.pauses)
    report(perform(request, voices, out_exact, json_result), out_exact, json)


def perform(
    request: SpeakRequest, voices: wiring.Voices, out_exact: Path, json_result: Path | None
) -> SpokenRecord:
    """Speak the request at `out_exact` and write its record to `json_result`, if any."""
    request.check()
    record = _speak(request, out_exact, voices.engine_settings, voices.verifier())
    if json_result is not None:
        _write_record(json_result, record)
    return record


def _printable(name: str) -> str:
    """A file name may be any bytes, a title may not."""
    return "".join(char if char.isprintable() else "?" for char in name)


def report(record: SpokenRecord, out_exact: Path, json: bool) -> None:
    """Say what was made: the record, or a line for each take."""
    if json:
        emit_json(record.to_json())
    else:
        _tell(record, out_exact)


def _tell(record: SpokenRecord, out: Path) -> None:
    for warning in record.warnings:
        warn(warning)
    for take in record.takes:
        loud = "silent" if take.loudness_lufs is None else f"{take.loudness_lufs:.1f} LUFS"
        say(f"{out.with_name(take.audio.file)}  {seconds_text(take.audio_seconds)}  {loud}")


def _speak(
    request: SpeakRequest, out: Path, engine_settings: Mapping[str, str], verifier: Verifier | None
) -> SpokenRecord:
    from synth.engines import create_engine
    from synth.speech.kept_pieces import BESIDE, KeptPieces, folder_beside, sweep
    from synth.speech.speak import speak

    engine, clock = create_engine(request.voice.engine, engine_settings), SystemClock()
    with ExitStack() as stack:
        if not request.chunk:
            return speak(request, engine, clock, out, _progress(stack), verifier)
        sweep(out.parent, clock.now(), prefix=BESIDE)
        kept = stack.enter_context(KeptPieces(folder_beside(out), lambda line: note(f"{line}.")))
        record = speak(request, engine, clock, out, _progress(stack), verifier, kept)
        kept.discard()
        return record


def _progress(screen: ExitStack) -> Callable[[int, int], None]:
    """A bar on the terminal, from the second piece of a text that has several."""
    bar: ProgressBar | None = None

    def on_piece(done: int, total: int) -> None:
        nonlocal bar
        if bar is None and done < total:
            bar = screen.enter_context(ProgressBar(total, "pieces", quiet=True))
        if bar is not None:
            bar.reach(done, total=total)

    return on_piece


def _resolve(voice: str | None, speaker: str | None, language: str, voices: wiring.Voices) -> ResolvedVoice:
    if voice is not None and speaker is not None:
        raise UsageError("Give a --voice or a --speaker, not both.")
    if voice is None and speaker is None:
        speaker = next(iter(engine_facts(voices.engine).speakers), None)
        if speaker is None:
            raise UsageError(f"The engine {voices.engine} has no speakers of its own; name a --voice.")
        note(f"{speaker} speaks; others are listed by: voice-synth voices list")
    return voices.registry().resolve(voice, speaker, language, voices.engine)


def _write_record(path: Path, record: SpokenRecord) -> None:
    from json import dumps

    from lib.files import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = dumps(record.to_json(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        write_whole(path, data.encode(), sync=True)
    except OSError as error:
        raise BadConfiguration(f"The record {path} cannot be written: {error.strerror}.") from None
