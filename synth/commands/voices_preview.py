"""`voice-synth voices preview NAME`."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated, Final

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption, VoicesDirOption
from lib.errors import BadInput
from lib.voices import AUTO, ResolvedVoice, UnknownVoice, VoiceRegistry, check_text, engine_facts
from synth import wiring
from synth.commands import options as o
from synth.commands.speak import perform, report

EXAMPLES = ("voice-synth voices preview newsroom", "voice-synth voices preview jo --text 'And now the news.'")

#: Of each language, so that an accent is heard for what it is.
SENTENCES: Final = {
    "Chinese": "大家好,这是我的声音,今天的节目现在开始。",
    "English": "Hello, this is how I sound, and the programme begins now.",
    "French": "Bonjour, voici ma voix, et l'émission commence maintenant.",
    "German": "Guten Tag, so klingt meine Stimme, und die Sendung beginnt jetzt.",
    "Italian": "Buongiorno, questa è la mia voce, e il programma comincia adesso.",
    "Japanese": "こんにちは、これが私の声です。番組を始めます。",
    "Korean": "안녕하세요, 이것이 제 목소리입니다. 이제 방송을 시작합니다.",
    "Portuguese": "Olá, esta é a minha voz, e o programa começa agora.",
    "Russian": "Здравствуйте, так звучит мой голос, и передача начинается.",
    "Spanish": "Hola, esta es mi voz, y el programa empieza ahora.",
}

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A voice or a speaker.", show_default=False)
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out-exact",
        metavar="PATH",
        help="Where the audio goes, without its suffix; else NAME-preview.",
        show_default=False,
    ),
]
TextOption = Annotated[
    str | None,
    typer.Option(
        "--text", metavar="TEXT", help="What to say; else a sentence of its language.", show_default=False
    ),
]
LanguageOption = Annotated[str, typer.Option("--language", metavar="NAME", help="Else its own.")]


def command(
    name: NameArgument,
    text: TextOption = None,
    out_exact: OutOption = None,
    language: LanguageOption = AUTO,
    profile: o.ProfileOption = o.Profile.balanced,
    engine: o.EngineOption = None,
    voices_dir: VoicesDirOption = None,
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> None:
    """Hear a voice: it says a sentence, here, by the engine that its jobs will have."""
    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    voices = wiring.voices(voices_dir, engine)
    resolved = preview_speaker(voices.registry(), name, language, voices.engine)
    said = SENTENCES.get(resolved.language, SENTENCES["English"]) if text is None else text
    check_text(said, resolved.engine, chunk=False, language=resolved.language)
    from synth.speech.request import SpeakRequest

    called = resolved.voice or resolved.speaker or name
    out = Path(f"{called}-preview") if out_exact is None else out_exact
    request = SpeakRequest(said, resolved, profile.value, title=called, pauses=voices.pauses)
    report(perform(request, voices, out, None), out, json)


def preview_speaker(registry: VoiceRegistry, name: str, language: str, engine: str) -> ResolvedVoice:
    """The voice of that name or, failing that, the speaker; in English where it may speak anything."""
    try:
        registry.get(name)
    except UnknownVoice as error:
        if engine_facts(engine).preset_of(name) is None:
            raise BadInput(error.message) from None
        found = registry.resolve(None, name, language, engine)
    else:
        found = registry.resolve(name, None, language, engine)
    if found.language != AUTO:
        return found
    spoken = engine_facts(found.engine).languages
    return registry.resolve(
        found.voice, found.speaker, "English" if "English" in spoken else min(spoken, default=AUTO), engine
    )
