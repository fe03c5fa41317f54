"""`voice-synth doctor`: what keeps an engine from speaking on this machine?"""

from __future__ import annotations

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import emit_json, show_fields
from lib.clock import SystemClock
from synth import wiring
from synth.commands.options import EngineOption

EXAMPLES = ("voice-synth doctor", "voice-synth doctor --engine qwen3")


def command(engine: EngineOption = None, voices_dir: VoicesDirOption = None, json: JsonOption = False) -> int:
    """Look at all that an engine needs of this machine, and have it say a word; say what to mend.

    Of one that runs on a GPU: its packages, the driver, the GPU, each checkpoint by every byte, and memory.
    Nothing is downloaded. Exit status 0 when nothing is wrong or there are only warnings, 69 when nothing is
    wrong but that others do not answer, 78 when something must be mended.
    """
    from lib.cli.findings import show_findings
    from lib.findings import exit_status_of
    from synth.checkup import diagnose, examine

    voices = wiring.voices(voices_dir, engine)
    seen = examine(voices.engine, voices.engine_settings, voices.registry(), SystemClock())
    findings = diagnose(seen)
    if json:
        emit_json({**seen.to_json(), "findings": [item.to_json() for item in findings]})
    else:
        shown = {"engine": seen.title}
        for what, told in seen.seen():
            shown[what] = f"{shown[what]}; {told}" if what in shown else told
        show_fields(shown)
        show_findings(findings, nothing="Everything is in order: it can speak here.")
    return exit_status_of(findings)
