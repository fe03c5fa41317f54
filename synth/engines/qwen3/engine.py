"""qwen3: Qwen3-TTS, a large model on a GPU, through its own package.

Built-in speakers, cloned and designed voices are spoken by different checkpoints, and a profile has its size
where there are two. One is in memory at a time: `speak` takes the one that its utterances need, so whoever
calls it keeps those together.

A call of the model speaks a batch. What can go wrong with one text of it (it does not end, it is not sound)
is said in that text's place. A batch that does not fit into memory, or fails as a whole, is halved until it
passes or is one text. An error of the GPU that stays is no text's failure: it ends the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from lib.voices import VoiceKind, engine_facts
from synth.audio.levels import Samples
from synth.engines.port import EngineFailed, EngineLimits, LookedAt, Model, Speech, Utterance
from synth.engines.qwen3.budget import FRAMES_PER_SECOND, batches, frame_budget, missed_its_end
from synth.engines.qwen3.device import Device, check_computes, check_memory, find_device
from synth.engines.qwen3.examination import Examination
from synth.engines.qwen3.loading import LoadedCheckpoint
from synth.engines.qwen3.package import check_installed, import_package
from synth.engines.qwen3.source import ModelSource

_PIECE_CHARACTERS: Final = 300  # longer texts drift in pace and wander off (reported from 360 s of audio on)
_SHOWN: Final = 60

#: What is known of one text: its speech, or why there is none.
Answer = Speech | EngineFailed


class Qwen3Engine:
    """Ten languages, nine speakers, cloned and designed voices; needs a GPU and the extra `qwen`."""

    name = "qwen3"

    def __init__(self) -> None:
        self._facts = engine_facts(self.name)
        self._source = ModelSource("")
        self._wanted_device, self._room = "auto", self._facts.batch
        self._torch: Any = None
        self._package: Any = None
        self._device: Device | None = None
        self._loaded: LoadedCheckpoint | None = None
        self._stopped: Callable[[], bool] = lambda: False

    def configure(self, settings: Mapping[str, str]) -> None:
        """Take the settings QWEN_MODEL, QWEN_DEVICE, QWEN_BATCH and where downloads are kept."""
        self._source = ModelSource(settings.get("QWEN_MODEL", ""), settings.get("MODELS_DIR", ""))
        self._wanted_device = settings.get("QWEN_DEVICE") or self._wanted_device
        self._room = int(settings.get("QWEN_BATCH") or self._room)

    def heed(self, stopped: Callable[[], bool]) -> None:
        """Let a download end soon after `stopped` says so."""
        self._stopped = stopped

    def load(self) -> Model:
        """Import the package, find the device and load the first checkpoint there is.

        Raises:
            lib.errors.MissingExtra: the extra `qwen` is not installed.
            lib.errors.BadConfiguration: there is no GPU, no model folder, or it is incomplete.
            lib.errors.Unavailable: the weights are named by a hub id and cannot be had.
            LoadStopped: a download was stopped.
            EngineLost: the GPU computes nothing any more in this process.
        """
        if self._loaded is not None:
            return self._loaded.model
        check_installed(self.name)  # before the setting that only matters where it is
        return self.load_model(self._source.first_of(self._names()))

    def load_model(self, name: str) -> Model:
        """Load the checkpoint `name` in place of the one in memory. Raises as `load`."""
        if self._loaded is not None and self._loaded.checkpoint.name == name:
            return self._loaded.model
        if self._device is None:
            self._package = import_package(self.name)
            import torch

            self._torch, self._device = torch, find_device(torch, self._wanted_device)
        checkpoint = self._source.checkpoint(name, self._stopped)
        before, self._loaded = self._loaded, None
        try:
            if before is not None:
                before.forget()
            check_memory(self._torch, self._device, checkpoint)
            self._loaded = LoadedCheckpoint(
                self._torch, self._package, checkpoint, self._device, self._facts.version
            )
        except Exception:
            check_computes(self._torch, self._device)
            raise
        return self._loaded.model

    def speak(self, utterances: Sequence[Utterance]) -> list[Answer]:
        """Speech of each, or why there is none, in order; texts of a length share a call of the model.

        Raises: as `load`.
        """
        answers: list[Answer | None] = [None] * len(utterances)
        for name in dict.fromkeys(map(self._model_of, utterances)):
            mine = [index for index, each in enumerate(utterances) if self._model_of(each) == name]
            self.load_model(name)
            for batch in batches([utterances[index].text for index in mine], self._room):
                chosen = [mine[place] for place in batch]
                spoken = self._speak([utterances[index] for index in chosen])
                for index, answer in zip(chosen, spoken, strict=True):
                    answers[index] = answer
        return [answer for answer in answers if answer is not None]

    def speakers(self) -> Mapping[str, str]:
        """The speakers of the static table."""
        return self._facts.speakers

    def languages(self) -> frozenset[str]:
        """Ten; `Auto` lets the model find out."""
        return self._facts.languages

    def limits(self) -> EngineLimits:
        """A sentence or two a piece; a batch is what was set, or less once memory ran out."""
        return EngineLimits(_PIECE_CHARACTERS, batch=self._room, seed_varies=True, usual_rate=None)

    def examine(self) -> Iterator[LookedAt]:
        """Packages, driver, GPU, each checkpoint by every byte, and memory."""
        names = list(self._names())
        return Examination(self._facts, self._source, self._wanted_device, names).looks()

    def gpu(self) -> str | None:
        """The GPU that was found, by its driver's name; None where it speaks on the CPU."""
        return self._device.title if self._device is not None and self._device.is_gpu else None

    def _names(self) -> Iterator[str]:
        """In the order in which one is looked for: first those that need no recording."""
        for kind in (VoiceKind.BUILT_IN, VoiceKind.DESIGNED, VoiceKind.CLONED):
            for profile in ("balanced", "fast", "quality"):
                yield self._facts.model_of(profile, kind)

    def _model_of(self, utterance: Utterance) -> str:
        return self._facts.model_of(utterance.profile, utterance.kind)

    def _speak(self, batch: Sequence[Utterance]) -> list[Answer]:
        """One call of the model, or two for halves of the batch where that fails."""
        assert self._loaded is not None
        most_frames = max(frame_budget(each.text) for each in batch)
        sampling = dict(self._facts.models[batch[0].profile].sampling)
        try:
            made = self._loaded.generate(batch, most_frames, sampling)
        except EngineFailed as error:  # a recording that cannot be used
            return self._halves(batch, error)
        except self._torch.OutOfMemoryError as error:
            self._room = max(1, len(batch) // 2)
            return self._halves(
                batch, EngineFailed(f"The GPU's memory ran out over {_shown(batch[0])}: {error}.")
            )
        except Exception as error:  # whatever the package raises, the job fails with the text that did it
            # What it says of an argument it says with every seed.
            lasting = isinstance(error, ValueError | TypeError | LookupError | NotImplementedError)
            told = f"qwen3 failed on {_shown(batch[0])}: {_sentence(error)}."
            return self._halves(batch, EngineFailed(told, lasting=lasting))
        rate = self._loaded.model.sample_rate
        return [_judged(each, samples, rate, most_frames) for each, samples in zip(batch, made, strict=True)]

    def _halves(self, batch: Sequence[Utterance], error: EngineFailed) -> list[Answer]:
        assert self._loaded is not None
        assert self._device is not None
        check_computes(self._torch, self._device)
        self._loaded.empty_cache()
        if len(batch) == 1:
            return [error]
        middle = len(batch) // 2
        return [*self._speak(batch[:middle]), *self._speak(batch[middle:])]


def _judged(utterance: Utterance, samples: Samples, rate: int, most_frames: int) -> Answer:
    if not np.isfinite(samples).all():
        return EngineFailed(f"qwen3 made no sound but broken numbers of {_shown(utterance)}.")
    if missed_its_end(len(samples), utterance.text, most_frames):
        return EngineFailed(
            f"runaway: {_shown(utterance)} did not end within {len(samples) / rate:.0f} s of audio "
            f"({frame_budget(utterance.text) / FRAMES_PER_SECOND:.0f} s is three times what it takes)."
        )
    return Speech(np.ascontiguousarray(samples, dtype=np.float32), rate)


def _shown(utterance: Utterance) -> str:
    return f"the text {utterance.text[:_SHOWN]!r}"


def _sentence(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0][:200].rstrip(".")
    return f"{type(error).__name__}: {first}"
