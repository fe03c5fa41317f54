"""The backend class `diffusers`: pictures by a model of a folder, on a GPU of this machine.

Nothing is ever downloaded: the folder is what `save_pretrained` or a download of one's own wrote. Only
safetensors are read, and only pipelines that the library itself has, for other files could hold programs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration, MissingExtra
from lib.files import read_plain
from lib.foreign import parse_json
from synth.hub_offline import OFFLINE
from synth.pictures.backend import BackendUnavailable, Picture, PictureOrder, check_order
from synth.pictures.fit import fitted

_NEEDED: Final = ("torch", "diffusers", "transformers", "accelerate", "PIL")
_INDEX: Final = "model_index.json"
_MOST_INDEX: Final = 2**20
_DTYPES: Final = ("auto", "bfloat16", "float16", "float32")
_OFFLOADS: Final = ("none", "model")
#: Sides that every pipeline takes; what is more than was ordered is cut off.
_STEP: Final = 16


class DiffusersBackend:
    """One pipeline, loaded at the first order and kept.

    Options: `model` (a folder), `device` (auto, cpu, cuda, cuda:1), `dtype` (auto: bfloat16 on a GPU, float32
    on the CPU), `offload` ("model" keeps only what computes on the GPU), `steps`, `guidance`, `tokens` (of a
    prompt at most).
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        """Nothing is imported or loaded yet."""
        self.name = name
        self._options = options
        self._folder = Path(str(options.get("model", ""))).expanduser()
        self._pipeline: Any = None
        self._torch: Any = None

    def draw(self, order: PictureOrder) -> Picture:
        """Draw one picture; the first takes as long as loading does, too. See PictureBackend."""
        check_order(order)
        if self._pipeline is None:
            self._load()
        began = time.perf_counter()
        image = self._drawn(order)
        written = io.BytesIO()
        image.convert("RGB").save(written, "PNG")
        png = written.getvalue()
        if image.size != (order.width, order.height):
            png = fitted(png, order.width, order.height)
        seconds = time.perf_counter() - began
        return Picture(png, order.width, order.height, order.seed, self.name, self._folder.name, seconds, 0.0)

    def close(self) -> None:
        """Forget the model, and give the GPU's memory back."""
        self._pipeline = None
        if self._torch is not None and self._torch.cuda.is_available():
            self._torch.cuda.empty_cache()

    def _load(self) -> None:
        """Raises BadConfiguration (MissingExtra: packages)."""
        kind = self._kind()
        for name in _NEEDED:
            if importlib.util.find_spec(name) is None:
                raise MissingExtra(f"The picture backend {self.name} (it misses {name})", "diffusers")
        os.environ.update(OFFLINE)
        with _words_aside():
            import diffusers
            import torch
            import transformers

            transformers.utils.logging.set_verbosity_error()
            diffusers.utils.logging.set_verbosity_error()
            diffusers.utils.logging.disable_progress_bar()
            pipeline: Any = getattr(diffusers, kind, None)
            if not _is_pipeline(pipeline, diffusers.DiffusionPipeline):
                raise BadConfiguration(
                    f"The folder {self._folder} holds a {kind[:80]}, which diffusers {diffusers.__version__} "
                    "does not have."
                )
            device = self._device(torch)
            try:
                loaded = pipeline.from_pretrained(
                    str(self._folder),
                    torch_dtype=getattr(torch, self._dtype(device)),
                    local_files_only=True,
                    use_safetensors=True,
                )
                self._place(loaded, device)
            except Exception as error:  # whatever a damaged folder makes the libraries raise
                raise BadConfiguration(
                    f"The weights in {self._folder} cannot be loaded: {_first_line(error)}."
                ) from error
        loaded.set_progress_bar_config(disable=True)
        self._pipeline, self._torch = loaded, torch

    def _kind(self) -> str:
        """The class of the pipeline, as the folder names it."""
        if not self._options.get("model"):
            raise BadConfiguration(
                f"The picture backend {self.name} has no weights; name their folder as FLUX_MODEL."
                if self.name == "flux-schnell-local"
                else f"The picture backend {self.name} has no weights; name their folder as its model."
            )
        try:
            index = parse_json(read_plain(self._folder / _INDEX, _MOST_INDEX, follow=True))
        except (OSError, ValueError):
            raise BadConfiguration(
                f"The folder {self._folder} holds no pipeline of diffusers: no {_INDEX} can be read."
            ) from None
        kind = index.get("_class_name") if isinstance(index, dict) else None
        if not isinstance(kind, str):  # a list names a module of the folder's own, which nobody has looked at
            raise BadConfiguration(f"The folder {self._folder} names no pipeline of diffusers in {_INDEX}.")
        return kind

    def _device(self, torch: Any) -> str:
        wanted = str(self._options.get("device", "auto"))
        if wanted == "cpu":
            return wanted
        name = "cuda:0" if wanted in ("auto", "cuda") else wanted
        try:
            torch.cuda.init()
            torch.cuda.get_device_properties(name)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise BadConfiguration(
                f"The picture backend {self.name} needs a GPU and cannot use {name}: {_first_line(error)}. "
                "The device cpu draws too, in minutes."
            ) from None
        return name

    def _dtype(self, device: str) -> str:
        wanted = str(self._options.get("dtype", "auto"))
        if wanted not in _DTYPES:
            raise BadConfiguration(f"The dtype of {self.name} must be one of {', '.join(_DTYPES)}.")
        return ("float32" if device == "cpu" else "bfloat16") if wanted == "auto" else wanted

    def _place(self, pipeline: Any, device: str) -> None:
        offload = self._options.get("offload", "none")
        if offload not in _OFFLOADS:
            raise BadConfiguration(f"The offload of {self.name} must be one of {', '.join(_OFFLOADS)}.")
        if offload == "model" and device != "cpu":
            pipeline.enable_model_cpu_offload(device=device)
        else:
            pipeline.to(device)

    def _drawn(self, order: PictureOrder) -> Any:
        """The picture as Pillow has it, at least as large as ordered where the model can."""
        told: dict[str, Any] = {
            "prompt": order.prompt,
            "width": -(-order.width // _STEP) * _STEP,
            "height": -(-order.height // _STEP) * _STEP,
            # drawn on the CPU, the noise of a seed is the same on every machine
            "generator": self._torch.Generator("cpu").manual_seed(order.seed),
            "output_type": "pil",
        }
        names = {
            "steps": "num_inference_steps",
            "guidance": "guidance_scale",
            "tokens": "max_sequence_length",
        }
        known = inspect.signature(self._pipeline.__call__).parameters
        told |= {
            theirs: self._options[ours]
            for ours, theirs in names.items()
            if ours in self._options and theirs in known
        }
        try:
            with _words_aside(), self._torch.inference_mode():
                return self._pipeline(**told).images[0]
        except self._torch.OutOfMemoryError:
            self._torch.cuda.empty_cache()
            raise BackendUnavailable(
                f"The GPU has no memory for {order.width} x {order.height} pixels by {self.name}; "
                'order a smaller one, or give it offload = "model".'
            ) from None
        except Exception as error:  # of the libraries, whatever it is
            raise BackendUnavailable(
                f"The picture backend {self.name} failed while it drew: {type(error).__name__}: "
                f"{_first_line(error)}."
            ) from error


def _is_pipeline(found: object, base: type) -> bool:
    return inspect.isclass(found) and issubclass(found, base)


@contextlib.contextmanager
def _words_aside() -> Iterator[None]:
    """What the libraries print goes to stderr; their hints for programmers go nowhere."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300].rstrip(". ")
