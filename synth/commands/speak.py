"""`voice-synth speak`: one text, one call, finished audio."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import emit_json, say, warn
from lib.clock import SystemClock
from lib.errors import BadConfiguration, BadInput, UsageError
from lib.units import seconds_text
from lib.voices import ResolvedVoice
from synth import wiring
from synth.commands.options import EngineOption

if TYPE_CHECKING:
    from synth.request import SpeakRequest

_MAX_TEXT_BYTES = 16 * 1024 * 1024


class Profile(StrEnum):
    """How much care a job is worth; engines map it to model size and sampling."""

    fast = "fast"
    balanced = "balanced"
    quality = "quality"


class Format(StrEnum):
    """Containers that can be written."""

    wav = "wav"
    flac = "flac"
    mp3 = "mp3"
    opus = "opus"


def command(
    text_file: Annotated[Path, typer.Option("--text-file", metavar="FILE", help="The text, UTF-8.")],
    out_exact: Annotated[
        Path, typer.Option("--out-exact", metavar="PATH", help="Where the audio goes, without its suffix.")
    ],
    json_result: Annotated[
        Path | None,
        typer.Option("--json-result", metavar="FILE", help="Write the record here.", show_default=False),
    ] = None,
    voice: Annotated[
        str | None,
        typer.Option("--voice", metavar="NAME", help="A voice of the registry.", show_default=False),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option("--speaker", metavar="NAME", help="A speaker of the engine.", show_default=False),
    ] = None,
    language: Annotated[str, typer.Option("--language", metavar="NAME", help="The language.")] = "English",
    profile: Annotated[Profile, typer.Option("--profile", help="Speed against care.")] = Profile.balanced,
    variants: Annotated[int, typer.Option("--variants", min=1, max=16, help="How many takes.")] = 1,
    select_best: Annotated[
        bool, typer.Option("--select-best", help="Choose the take with the best measures.")
    ] = False,
    chunk: Annotated[bool, typer.Option("--chunk", help="Allow long texts.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Fix the takes.", show_default=False)
    ] = None,
    audio_format: Annotated[Format, typer.Option("--format", help="The file format.")] = Format.wav,
    loudness: Annotated[
        str, typer.Option("--loudness", metavar="LUFS", help="-16, -19, -23 or another level, or off.")
    ] = "-19",
    engine: EngineOption = None,
    voices_dir: VoicesDirOption = None,
    json: JsonOption = False,
) -> None:
    """Speak one text into an audio file, trimmed and at an even loudness."""
    level = _loudness(loudness)
    text = _read_text(text_file)
    resolved = _resolve(voice, speaker, language, engine, voices_dir)
    _check(
        text, resolved, chunk
    )  # before the audio packages are imported, which takes longer than all of this

    from synth.request import SpeakRequest

    request = SpeakRequest(
        text, resolved, profile.value, variants, select_best, chunk, seed, audio_format.value, level
    )
    record = _speak(request, out_exact)
    if json_result is not None:
        _write_record(json_result, record)
    if json:
        emit_json(record)
        return
    for warning in record["warnings"]:
        warn(warning)
    for take in record["takes"]:
        path = out_exact.with_name(take["file"])
        loud = "silent" if take["loudness_lufs"] is None else f"{take['loudness_lufs']:.1f} LUFS"
        say(f"{path}  {seconds_text(take['seconds'])}  {loud}")


def _speak(request: SpeakRequest, out: Path) -> dict[str, Any]:
    from synth.engines import create_engine
    from synth.speaking import speak

    engine = create_engine(request.voice.engine)
    return speak(request, engine, SystemClock(), out, lambda done, total: None).record


def _resolve(
    voice: str | None, speaker: str | None, language: str, engine: str | None, voices_dir: Path | None
) -> ResolvedVoice:
    if (voice is None) == (speaker is None):
        raise UsageError("Give exactly one of --voice and --speaker.")
    voices = wiring.voices(voices_dir, engine)
    return voices.registry().resolve(voice, speaker, language, voices.engine)


def _check(text: str, voice: ResolvedVoice, chunk: bool) -> None:
    from lib.voices import check_text

    check_text(text, voice.engine, chunk)


def _loudness(word: str) -> float | None:
    if word == "off":
        return None
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not -40.0 <= value <= -8.0:
        raise UsageError(f"--loudness must be a level from -40 to -8 LUFS, or off; not {word!r}.")
    return value


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise BadInput(
                f"The text file {path} {'is no plain file' if path.exists() else 'does not exist'}."
            )
        if path.stat().st_size > _MAX_TEXT_BYTES:
            raise BadInput(f"The text file {path} is over {_MAX_TEXT_BYTES} bytes.")
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"The text file {path} is not UTF-8 (byte {error.start}).") from None
    except OSError as error:
        raise BadInput(f"The text file {path} cannot be read: {error.strerror}.") from None


def _write_record(path: Path, record: dict[str, Any]) -> None:
    from json import dumps

    from lib.spool.files import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = dumps(record, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        write_whole(path, data.encode(), sync=True)
    except OSError as error:
        raise BadConfiguration(f"The record {path} cannot be written: {error.strerror}.") from None
