"""A checkpoint in memory, and one call of it."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

from lib.errors import BadConfiguration
from lib.voices import Reference, VoiceKind
from synth.audio.levels import Samples
from synth.engines.port import Model, Utterance
from synth.engines.qwen3.checkpoints import Checkpoint
from synth.engines.qwen3.device import Device
from synth.engines.qwen3.draws import seeded_rows
from synth.engines.qwen3.marks import unmarked
from synth.engines.qwen3.package import words_of_the_package_aside
from synth.engines.qwen3.prompts import PromptCache, reference_audio


class LoadedCheckpoint:
    """A checkpoint in the memory of a device. Loading takes seconds to minutes; it asks no network."""

    def __init__(
        self, torch: Any, package: Any, checkpoint: Checkpoint, device: Device, version: str
    ) -> None:
        self._torch, self._device = torch, device
        self.checkpoint = checkpoint
        revision = f"{version}+{checkpoint.revision()[:16]}"
        try:
            with words_of_the_package_aside():
                self._model = package.Qwen3TTSModel.from_pretrained(
                    str(checkpoint.folder),
                    local_files_only=True,
                    device_map=device.name,
                    dtype=device.dtype,
                    attn_implementation=device.attention,
                )
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise BadConfiguration(
                f"The model folder {checkpoint.folder} cannot be loaded: {type(error).__name__}: "
                f"{(str(error).splitlines() or [''])[0][:300]}."
            ) from error
        self.model = Model(
            checkpoint.name, revision, int(self._model.model.speech_tokenizer.get_output_sample_rate())
        )
        self._prompts = PromptCache(self._prompt)

    def generate(
        self, batch: Sequence[Utterance], most_frames: int, sampling: dict[str, float]
    ) -> list[Samples]:
        """One call for all of `batch`, each with its own seed; samples of each, mono, of the model's rate."""
        texts, languages = [unmarked(each.text) for each in batch], [each.language for each in batch]
        common = {"max_new_tokens": most_frames, **sampling}
        with seeded_rows(self._torch, [each.seed for each in batch], self._device.name):
            match self.checkpoint.kind:
                case VoiceKind.CLONED:
                    prompts = [self._prompts.get(each.reference) for each in batch if each.reference]
                    made, _ = self._model.generate_voice_clone(
                        texts, language=languages, voice_clone_prompt=prompts, **common
                    )
                case VoiceKind.DESIGNED:
                    designs = [each.design for each in batch]
                    made, _ = self._model.generate_voice_design(
                        texts, instruct=designs, language=languages, **common
                    )
                case VoiceKind.BUILT_IN:
                    speakers = [each.preset for each in batch]
                    made, _ = self._model.generate_custom_voice(
                        texts, speaker=speakers, language=languages, **common
                    )
        return list(made)

    def forget(self) -> None:
        """Give the memory back; not usable after that."""
        del self._model, self._prompts
        gc.collect()
        self.empty_cache()

    def empty_cache(self) -> None:
        """Let the device have what a failed call left."""
        if self._device.is_gpu:
            self._torch.cuda.empty_cache()

    def _prompt(self, reference: Reference) -> Any:
        audio = reference_audio(reference)
        with words_of_the_package_aside():
            (prompt,) = self._model.create_voice_clone_prompt(audio, ref_text=unmarked(reference.text))
        return prompt
