"""How long the audio of jobs will be, guessed as `job-runner plan` does, before anything is spoken."""

from __future__ import annotations

from collections.abc import Iterable

from lib.errors import BadInput
from lib.jobspec import JobSpec
from lib.voices import USUAL_LETTERS_PER_SECOND, VoiceRegistry, engine_facts, estimated_audio_s


def audio_by_job(specs: Iterable[JobSpec], voices: VoiceRegistry, engine: str) -> dict[str, float]:
    """Seconds of audio by request id, all takes together, by how fast each job's engine usually speaks."""
    return {
        spec.request_id: estimated_audio_s(
            spec.text,
            _rate(spec, voices, engine),
            pronounce=spec.pronounce,
            speed=spec.speed,
            language=spec.language,
        )
        * spec.variants
        for spec in specs
    }


def _rate(spec: JobSpec, voices: VoiceRegistry, engine: str) -> float:
    """Letters in a second; the usual figure where nothing here can speak the job."""
    try:
        found = voices.resolve(spec.voice, spec.speaker, spec.language, engine)
        return engine_facts(found.engine).letters_per_second
    except BadInput:
        return USUAL_LETTERS_PER_SECOND
