"""What a cloned voice is made of: its recording as the model hears it, computed once and kept."""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import soundfile

from lib.voices import Reference
from synth.audio.levels import Samples
from synth.engines.port import EngineFailed

#: Else the recording's last sound runs into the first word (faster-qwen3-tts does so too).
_SILENCE_AFTER_S: Final = 0.5
_MOST_KEPT: Final = 64


def reference_audio(reference: Reference) -> tuple[Samples, int]:
    """The recording, mono, with half a second of silence behind it, and its sample rate.

    It is given to the package as samples: a text it would take for an address, and fetch.

    Raises:
        EngineFailed: the file is missing, was changed since the job was checked, or is no audio; lasting.
    """
    try:
        data = reference.audio.read_bytes()
    except OSError as error:
        raise _refused(reference, f"cannot be read: {error.strerror}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != reference.sha256:
        raise _refused(reference, f"has changed: its sha256 is {found}")
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _refused(reference, f"is no audio: {str(error).rstrip('.')}") from None
    mono = samples.mean(axis=1, dtype=np.float32)
    return np.concatenate([mono, np.zeros(round(_SILENCE_AFTER_S * rate), np.float32)]), int(rate)


def _refused(reference: Reference, why: str) -> EngineFailed:
    return EngineFailed(f"The recording {reference.audio} {why}.", lasting=True)


class PromptCache:
    """Prompts by the hash of their recording and what is said in it, for one loaded checkpoint."""

    def __init__(self, make: Callable[[Reference], Any]) -> None:
        self._make = make
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def get(self, reference: Reference) -> Any:
        """The prompt of `reference`; the one used longest ago goes when there are too many."""
        key = (reference.sha256, reference.text)
        if key not in self._kept:
            self._kept[key] = self._make(reference)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]
