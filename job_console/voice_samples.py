"""Voices to hear: a line is spoken by a process of `synth`, one at a time, and kept for a while."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lib.errors import BadInput, JobFailed, TryAgain
from lib.files import sweep_drafts, write_whole
from lib.foreign import parse_json
from lib.jobs.synth_process import run_synth

LONGEST_LINE: Final = 300  # characters: some twenty seconds
SAMPLE_PATTERN: Final = r"^[0-9a-f]{32}$"
_TAKES_S: Final = 300.0  # at most: a large model is loaded first
_MOST_KEPT: Final = 60  # of at most a megabyte each

#: Speaks: the words of a command of `voice-synth`; its exit status and its JSON.
Speak = Callable[[list[str]], tuple[int, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class VoiceSample:
    """A line that a voice said. `id` names it; `audio_seconds` is how long it is."""

    id: str
    name: str
    text: str
    engine: str
    audio_seconds: float
    loudness_lufs: float | None
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """As REST tells it."""
        return asdict(self)


def _by_synth(words: list[str]) -> tuple[int, dict[str, Any]]:
    return run_synth(words, doing="Speaking a sample", within_s=_TAKES_S)


class VoiceSamples:
    """A folder of samples, bounded in number. One is spoken at a time: this computer may have other work.

    Threads: any.
    """

    def __init__(
        self,
        folder: Path,
        voices: Path,
        engine: str,
        speak: Speak = _by_synth,
        *,
        most_kept: int = _MOST_KEPT,
    ) -> None:
        self._folder, self._voices, self._engine, self._speak = folder, voices, engine, speak
        self._most_kept = most_kept
        self._speaking = threading.Lock()

    def spoken(self, row: Mapping[str, Any], text: str) -> VoiceSample:
        """The line said by the voice or speaker of a row of the catalogue; the same line is spoken once.

        Raises:
            BadInput: it cannot be said by that voice.
            TryAgain: another sample is being spoken.
            JobFailed: the engine failed.
        """
        made_of = json.dumps([self._engine, {**row}, text], sort_keys=True)
        id = hashlib.sha256(made_of.encode()).hexdigest()[:32]
        if (kept := self.find(id)) is not None:
            return kept
        if not self._speaking.acquire(blocking=False):
            raise TryAgain("another sample is being spoken; try again when it was heard")
        try:
            return self.find(id) or self._made(id, row["name"], text)
        finally:
            self._speaking.release()

    def find(self, id: str) -> VoiceSample | None:
        """The sample of that id, if it is still kept."""
        try:
            told = parse_json(self._place(id, "json").read_bytes())
            return VoiceSample(**told) if self.audio(id).is_file() else None
        except (OSError, ValueError, TypeError):
            return None

    def audio(self, id: str) -> Path:
        """Where its audio lies."""
        return self._place(id, "wav")

    def _place(self, id: str, suffix: str) -> Path:
        return self._folder / f"{id}.{suffix}"

    def _made(self, id: str, name: str, text: str) -> VoiceSample:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        sweep_drafts(self._folder)
        words = ["voices", "preview", name, f"--text={text}", "--out-exact", str(self._folder / id)]
        status, told = self._speak([*words, "--voices-dir", str(self._voices), "--engine", self._engine])
        if status:
            error = told.get("error", {})
            said = str(error.get("message", "no reason was given"))
            raise (JobFailed if error.get("exit_status") == 1 else BadInput)(f"{name} was not heard: {said}")
        made = VoiceSample(
            id=id,
            name=name,
            text=text,
            engine=told["engine"],
            audio_seconds=told["audio_seconds"],
            loudness_lufs=told["loudness_lufs"],
            sha256=told["sha256"],
        )
        write_whole(self._place(id, "json"), json.dumps(made.to_json()).encode(), sync=False)
        self._forget_oldest()
        return made

    def _forget_oldest(self) -> None:
        kept = sorted(self._folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for each in kept[: -self._most_kept]:
            each.unlink(missing_ok=True)
            each.with_suffix(".wav").unlink(missing_ok=True)
