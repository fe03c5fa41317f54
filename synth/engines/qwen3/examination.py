"""Looks at all that qwen3 needs of a machine; loads no model and downloads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from lib.errors import BadConfiguration, JobRunnerError
from lib.units import bytes_text
from lib.voices import EngineFacts, VoiceKind
from synth.engines.port import Aspect, LookedAt
from synth.engines.qwen3.checkpoints import Checkpoint, kind_of_model
from synth.engines.qwen3.device import Device, check_computes, check_memory, find_device
from synth.engines.qwen3.driver import ask_driver
from synth.engines.qwen3.package import check_installed, import_package
from synth.engines.qwen3.source import ModelSource
from synth.machine import free_bytes

_PACKAGES: Final = ("qwen-tts", "transformers", "torch")
_GB: Final = 10**9
_USES: Final = {
    VoiceKind.BUILT_IN: "speakers",
    VoiceKind.CLONED: "cloned voices",
    VoiceKind.DESIGNED: "designed voices",
}


class Examination:
    """One look at everything, in the order in which things depend on each other."""

    def __init__(
        self, facts: EngineFacts, source: ModelSource, wanted_device: str, names: Sequence[str]
    ) -> None:
        self._facts, self._source, self._wanted = facts, source, wanted_device
        self._names = list(dict.fromkeys(names))
        self._torch: Any = None
        self._device: Device | None = None
        self._whole: list[Checkpoint] = []

    def looks(self) -> Iterator[LookedAt]:
        """Each thing, with what was seen of it or what is wrong with it."""
        packages = _look(Aspect.PACKAGES, self._packages)
        yield packages
        if self._wanted != "cpu":
            yield _look(Aspect.DRIVER, _driver)
        if packages.trouble is None:
            yield _look(Aspect.DEVICE, self._found_device)
        yield from self._models()
        if self._device is not None and self._device.is_gpu and self._whole:
            yield _look(Aspect.MEMORY, self._memory)

    def _packages(self) -> str:
        check_installed(self._facts.name)
        found = {name: _version(name) for name in _PACKAGES}
        if found[self._facts.package] != self._facts.version:
            raise BadConfiguration(
                f"{self._facts.package} is {found[self._facts.package]}, and {self._facts.version} is needed."
            )
        return ", ".join(f"{name} {told}" for name, told in found.items())

    def _found_device(self) -> str:
        import_package(self._facts.name)
        import torch

        device = find_device(torch, self._wanted)
        check_computes(torch, device)
        self._torch, self._device = torch, device
        kernels = f"{str(device.dtype).removeprefix('torch.')}, attention by {device.attention}"
        return f"{device.title}, {f'CUDA {torch.version.cuda}, ' if device.is_gpu else ''}{kernels}"

    def _models(self) -> Iterator[LookedAt]:
        try:
            there = self._source.present(self._names)
        except JobRunnerError as error:
            yield LookedAt(Aspect.MODEL, trouble=error)
            return
        pending = [name for name in there if self._source.is_pending(name)]
        for name in there or self._names[:1]:  # where there is none, the first says so
            if name not in pending:
                yield _look(Aspect.MODEL, partial(self._model, name))
        if pending:
            yield _look(Aspect.DOWNLOAD, partial(self._download, pending))
        absent = [name for name in self._names if name not in there]
        if there and absent:
            yield LookedAt(Aspect.OTHER_MODELS, f"not there: {', '.join(map(self._use_of, absent))}")

    def _model(self, name: str) -> str:
        checkpoint = self._source.checkpoint(name)
        revision = checkpoint.revision()
        self._whole.append(checkpoint)
        return f"{name}, whole, {bytes_text(checkpoint.weights_bytes)}, revision {revision[:16]}"

    def _download(self, names: Sequence[str]) -> str:
        for name in names:
            self._source.check_not_refused(name)
        folder = self._source.kept_in
        needed, free = round(self._facts.download_gb * _GB) * len(names), free_bytes(folder)
        what = f"{', '.join(names)} at the first start, at most {bytes_text(needed)}"
        if free < needed:
            raise BadConfiguration(f"{folder} is to hold {what}, and has {bytes_text(free)} free.")
        return f"{what}, into {folder}"

    def _memory(self) -> str:
        assert self._device is not None
        for checkpoint in self._whole:
            check_memory(self._torch, self._device, checkpoint)
        free, total = self._torch.cuda.mem_get_info(self._device.name)
        return f"{bytes_text(free)} free of {bytes_text(total)}"

    def _use_of(self, name: str) -> str:
        """A checkpoint, with who needs it."""
        kind = kind_of_model(name)
        profiles = [each for each in self._facts.models if self._facts.model_of(each, kind) == name]
        return f"{name} ({_USES[kind]} in {' and '.join(profiles)})"


def _driver() -> str:
    found = ask_driver()
    gpus = ", ".join(f"{name} with {memory / 1024:.0f} GiB" for name, memory in found.gpus)
    return f"{found.version}, {gpus}"


def _look(aspect: Aspect, look: Callable[[], str]) -> LookedAt:
    try:
        return LookedAt(aspect, look())
    except JobRunnerError as error:
        return LookedAt(aspect, trouble=error)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of an unknown version"
