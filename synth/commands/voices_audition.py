"""`voice-synth voices audition`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import emit_json, say, warn
from lib.cli.progress import ProgressBar
from lib.clock import SystemClock
from lib.errors import BadConfiguration, ExitStatus
from lib.units import seconds_text
from lib.voices import AUTO, catalogue
from synth import wiring
from synth.commands import options as o
from synth.commands.voices_preview import SENTENCES, LanguageOption, TextOption, preview_speaker

if TYPE_CHECKING:
    from synth.page.page_list import ShownBeat

EXAMPLES = (
    "voice-synth voices audition",
    "voice-synth voices audition Ryan Serena newsroom --text 'It is ten past nine.'",
)

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME",
        help="Voices and speakers; else every voice, and of the engine's speakers each sound once.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="Where the page and its audio go.")
]


def command(
    names: NamesArgument = None,
    text: TextOption = None,
    out: FolderOption = Path("audition"),
    language: LanguageOption = AUTO,
    profile: o.ProfileOption = o.Profile.balanced,
    engine: o.EngineOption = None,
    voices_dir: VoicesDirOption = None,
    json: JsonOption = False,
) -> int:
    """Hear all voices say the same sentence, and compare them on a page.

    Exit status 1 when one of them could not be heard; the page says why.
    """
    from synth.audition import PAGE, Audition, candidates
    from synth.page.document import write_page
    from synth.page.page_list import ListenPage

    voices = wiring.voices(voices_dir, engine)
    registry = voices.registry()
    found = candidates(
        names or [],
        catalogue.voice_rows(registry),
        catalogue.speaker_rows(voices.engine),
        lambda name: preview_speaker(registry, name, language, voices.engine),
        lambda spoken: SENTENCES.get(spoken, SENTENCES["English"]) if text is None else text,
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(f"{out} cannot be written: {error.strerror or error}.") from None
    audition = Audition(out.absolute(), profile.value, voices.engine_settings, SystemClock())
    beats: list[ShownBeat] = []
    with ProgressBar(len(found), "voices heard") as bar:
        for candidate in found:
            bar.reach(len(beats), note=candidate.name)
            beats.append(audition.heard(candidate))
        bar.reach(len(beats))
    page = ListenPage(
        out.absolute() / PAGE, "Audition", tuple(beats), catalogue.kind_of_speakers(voices.engine)
    )
    write_page(page)
    return _tell(page.file, beats, as_json=json)


def _tell(page: Path, beats: list[ShownBeat], *, as_json: bool) -> int:
    silent = [beat for beat in beats if beat.record is None]
    if as_json:
        emit_json({"page": str(page), "voices": [_row(beat) for beat in beats]})
    else:
        for beat in beats:
            if beat.spoken is not None:
                say(f"{beat.files[0]}  {seconds_text(beat.spoken.audio_seconds)}")
        say(f"Listen: {page}")
    for beat in silent:
        warn(f"{beat.title} was not heard: {beat.note}")
    return ExitStatus.JOB_FAILED if silent else ExitStatus.OK


def _row(beat: ShownBeat) -> dict[str, object]:
    record = beat.spoken
    return {
        "name": beat.title,
        "engine": None if record is None else record.engine,
        "preset": None if record is None else record.preset,
        "file": None if record is None else str(beat.files[0]),
        "audio_seconds": None if record is None else record.audio_seconds,
        "problem": beat.note or None,
    }
