"""`voice-synth voices add`: a voice of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import emit_json, say
from lib.errors import UsageError
from synth import wiring
from synth.commands.textfile import given_text

if TYPE_CHECKING:
    from lib.voices.voice_store import NewVoice

EXAMPLES = (
    "voice-synth voices add evening --builtin deep --licence Apache-2.0 --consent 'Synthetic, nobody.'",
    "voice-synth voices add jo --engine qwen3 --reference jo.wav --text-file jo.txt --licence 'ours alone' "
    "--consent 'Jo Doe agreed in writing on 2026-11-02 to narration by us.'",
    "voice-synth voices add granny --engine qwen3 --design 'A warm, low voice of an old woman, in no hurry.' "
    "--licence Apache-2.0",
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="What job files will call it.", show_default=False)
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="FILE",
        help="A recording of 3 to 15 seconds to clone; it is copied.",
        show_default=False,
    ),
]
SaidOption = Annotated[
    str | None,
    typer.Option("--text", metavar="TEXT", help="What is said in the recording.", show_default=False),
]
SaidFileOption = Annotated[
    Path | None,
    typer.Option("--text-file", metavar="FILE", help="Or a file that holds it.", show_default=False),
]
BuiltinOption = Annotated[
    str | None,
    typer.Option("--builtin", metavar="PRESET", help="Or a preset of the engine.", show_default=False),
]
DesignOption = Annotated[
    str | None,
    typer.Option(
        "--design",
        metavar="TEXT",
        help="Or a description that the engine makes the voice from.",
        show_default=False,
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="NAME", help="Engine that speaks it; else VOICE_ENGINE.", show_default=False
    ),
]
LanguageOption = Annotated[
    str, typer.Option("--language", metavar="NAME", help="Of the voice; Auto: may speak any.")
]
LicenceOption = Annotated[
    str, typer.Option("--licence", metavar="TEXT", help="What may be done with it.", show_default=False)
]
ConsentOption = Annotated[
    str,
    typer.Option(
        "--consent",
        metavar="TEXT",
        help="Whose voice it is; who agreed, when, to what. A design needs none.",
        show_default=False,
    ),
]
DescriptionOption = Annotated[
    str, typer.Option("--description", metavar="TEXT", help="How it sounds, for people.", show_default=False)
]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Take the place of the voice of that name.")]


def command(
    name: NameArgument,
    licence: LicenceOption,
    consent: ConsentOption = "",
    reference: ReferenceOption = None,
    text: SaidOption = None,
    text_file: SaidFileOption = None,
    builtin: BuiltinOption = None,
    design: DesignOption = None,
    engine: EngineOption = None,
    language: LanguageOption = "English",
    description: DescriptionOption = "",
    replace: ReplaceOption = False,
    voices_dir: VoicesDirOption = None,
    json: JsonOption = False,
) -> None:
    """Add a voice to the registry: a recording to clone, a description, or a preset under another name.

    The recording is measured, hashed and copied; where anything is wrong, nothing is written.
    """
    from lib.voices.voice_store import NewVoice, add_voice

    if sum(way is not None for way in (reference, builtin, design)) != 1:
        raise UsageError("Give a --reference to clone, a --design or a --builtin preset: one of the three.")
    if design is None and not consent:
        raise UsageError("Give --consent: whose voice it is, and who agreed, when and to what.")
    found = wiring.voices(voices_dir, engine)
    new = NewVoice(name, found.engine, language, licence, consent, description, builtin, design=design)
    if reference is not None:
        new = _with_recording(new, reference, text, text_file)
    elif text is not None or text_file is not None:
        raise UsageError("--text and --text-file say what a recording holds; without one there is none.")
    added = add_voice(found.folder, new, replace=replace)
    if json:
        emit_json({**added.to_json(), "kind": "voice", "problem": None})
        return
    say(f"Added the voice {added.name}: {added.path}")
    say(f"Hear it: voice-synth voices preview {added.name}")


def _with_recording(new: NewVoice, reference: Path, text: str | None, text_file: Path | None) -> NewVoice:
    from dataclasses import replace

    from lib.voices import engine_facts
    from synth.registered_voices import read_recording

    if text is None and text_file is None:
        raise UsageError("Give --text or --text-file: what is said in the recording, word for word.")
    if not engine_facts(new.engine).clones:
        raise UsageError(f"The engine {new.engine} cannot clone a voice; give --engine qwen3, say.")
    said = " ".join(given_text(text, text_file, "voice-synth voices add").split())
    return replace(new, recording=read_recording(reference, said))
