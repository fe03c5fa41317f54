"""Where the model runs, in which precision, and with which attention kernels."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any, Final

from lib.errors import BadConfiguration
from synth.engines.port import EngineLost
from synth.engines.qwen3.checkpoints import Checkpoint

_GIB: Final = 2**30
_BESIDE_WEIGHTS: Final = _GIB  # of memory, for a batch and the kernels
_FLASH_ATTENTION_FROM: Final = (8, 0)  # Ampere


@dataclass(frozen=True, slots=True)
class Device:
    """A place for a model. `dtype` is torch's."""

    name: str  # cpu, cuda:0
    dtype: Any
    attention: str  # a name of transformers
    title: str

    @property
    def is_gpu(self) -> bool:
        """Whether it has memory of its own."""
        return self.name != "cpu"


def find_device(torch: Any, wanted: str) -> Device:
    """The device `wanted`: auto (the first GPU), cpu, or cuda with a number.

    Raises:
        BadConfiguration: there is no GPU, its driver is too old, or it is not the one that is named.
    """
    if wanted == "cpu":
        return Device("cpu", torch.float32, "sdpa", "CPU")
    name = "cuda:0" if wanted in ("auto", "cuda") else wanted
    try:
        if torch.cuda.is_available():
            torch.cuda.init()
            title, capability = torch.cuda.get_device_name(name), torch.cuda.get_device_capability(name)
        else:
            raise RuntimeError(_why_no_gpu(torch))
    except (RuntimeError, AssertionError) as error:
        raise BadConfiguration(
            f"The engine qwen3 needs a GPU and cannot use {name}: {str(error).splitlines()[0].rstrip('.')}. "
            "QWEN_DEVICE=cpu speaks on the CPU, far slower than real time."
        ) from None
    half = torch.cuda.is_bf16_supported(including_emulation=False)
    flash = (
        half and capability >= _FLASH_ATTENTION_FROM and importlib.util.find_spec("flash_attn") is not None
    )
    attention = "flash_attention_2" if flash else "sdpa"
    return Device(name, torch.bfloat16 if half else torch.float32, attention, title)


def check_memory(torch: Any, device: Device, checkpoint: Checkpoint) -> None:
    """Pass a GPU with room for the checkpoint.

    Raises:
        BadConfiguration: it has not enough free memory.
    """
    if not device.is_gpu:
        return
    free, _ = torch.cuda.mem_get_info(device.name)
    needed = checkpoint.weights_bytes + _BESIDE_WEIGHTS
    if free < needed:
        raise BadConfiguration(
            f"{checkpoint.name} needs {needed / _GIB:.1f} GiB of GPU memory, and {device.name} "
            f"({device.title}) has {free / _GIB:.1f} GiB free. End what else runs there, or take another."
        )


def check_computes(torch: Any, device: Device) -> None:
    """Pass a device that still computes after a call of it failed; one whose memory is full does.

    Some errors stay (an address outside its memory, a failed assertion of a kernel, a GPU that fell off the
    bus): from then on every call of the process fails with the same one.

    Raises:
        EngineLost: it computes nothing any more.
    """
    if not device.is_gpu:
        return
    try:
        torch.cuda.synchronize(device.name)
        torch.ones(1, device=device.name).item()
    except torch.OutOfMemoryError:
        return
    except RuntimeError as error:
        first = (str(error).splitlines() or [""])[0][:200].rstrip(".")
        raise EngineLost(
            f"The GPU {device.name} ({device.title}) computes nothing any more in this process: {first}. "
            "Start it again; where that does not help, restart the machine."
        ) from error


def _why_no_gpu(torch: Any) -> str:
    if torch.version.cuda is None:
        return "this torch is built for the CPU"
    try:
        torch.cuda.init()
    except RuntimeError as error:  # says whether the driver is missing or too old
        return str(error)
    return "no NVIDIA driver finds one"
