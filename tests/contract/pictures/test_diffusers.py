"""The real loading code of the backend `diffusers`, on a tiny random pipeline of the class that FLUX is.

It skips where the packages are not installed, which is nearly everywhere. In an environment that has them:

    pip install 'job-runner[diffusers,images]' pytest pytest-timeout
    python -m pytest --noconftest tests/contract/pictures/test_diffusers.py
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lib.errors import BadConfiguration, JobRunnerError
from lib.picture_backends.names import PictureSettings
from synth.hub_offline import OFFLINE
from synth.pictures.backend import PictureBackend, PictureOrder
from synth.pictures.checked import draw_checked
from synth.pictures.open_backend import open_backend
from tests.contract.pictures.tiny_flux import write_tiny_flux

MISSING = [name for name in ("torch", "diffusers", "transformers") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.filterwarnings("default"),  # of libraries that are not ours
]
ORDER = PictureOrder("A lighthouse.", 128, 64, seed=1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "tiny-flux"
    write_tiny_flux(folder)
    return folder


@pytest.fixture
def broken(weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(weights, tmp_path / "broken"))


def opened(folder: Path, device: str = "cpu") -> PictureBackend:
    return open_backend("flux-schnell-local", PictureSettings(flux_model=str(folder), flux_device=device))


def refusal(folder: Path, device: str = "cpu") -> str:
    with pytest.raises(JobRunnerError) as caught:
        opened(folder, device).draw(ORDER)
    assert isinstance(caught.value, BadConfiguration)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_picture_is_drawn_and_is_the_same_again(weights: Path) -> None:
    """I1."""
    first = draw_checked(opened(weights), ORDER)
    again = draw_checked(opened(weights), ORDER)
    other = draw_checked(opened(weights), PictureOrder("A lighthouse.", 128, 64, seed=2))

    assert (first.width, first.height, first.seed) == (128, 64, 1)
    assert (first.backend, first.model, first.cost_usd) == ("flux-schnell-local", "tiny-flux", 0.0)
    assert first.png == again.png
    assert first.png != other.png


@pytest.mark.parametrize(("width", "height"), [(72, 104), (64, 64), (200, 136)])
def test_a_size_that_the_model_does_not_know_is_cut_out(weights: Path, width: int, height: int) -> None:
    """I1."""
    picture = draw_checked(opened(weights), PictureOrder("Fog.", width, height))
    assert (picture.width, picture.height) == (width, height)


def test_nobody_is_asked_for_anything_and_stdout_is_left_alone(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """I1."""

    def refuse(self: socket.socket, address: Any) -> NoReturn:
        raise AssertionError(f"it asks {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    draw_checked(opened(weights), ORDER)
    assert capfd.readouterr().out == ""
    assert {name: os.environ.get(name) for name in OFFLINE} == OFFLINE


def test_a_closed_backend_loads_anew(weights: Path) -> None:
    """I1."""
    backend = opened(weights)
    first = backend.draw(ORDER)
    backend.close()
    backend.close()
    assert backend.draw(ORDER).png == first.png


def test_a_gpu_that_is_not_there_is_said(weights: Path) -> None:
    """I1."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert "cannot use cuda:0" in refusal(weights, "auto")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (["pipeline", "Own"], "names no pipeline"),
        ("NoSuchPipeline", "does not have"),
        ("AutoencoderKL", "does not have"),
        ("logging", "does not have"),
    ],
)
def test_only_pipelines_of_the_library_are_loaded(broken: Path, kind: Any, words: str) -> None:
    """I1: a folder may name a module of its own, which is a program of somebody else."""
    index = broken / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"_class_name": kind}))
    (broken / "pipeline.py").write_text("raise SystemExit('it ran')")
    assert words in refusal(broken)


def test_weights_that_are_cut_off_are_said(broken: Path) -> None:
    """I1."""
    file = broken / "transformer/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    assert "cannot be loaded" in refusal(broken)


def test_pickles_are_not_read(broken: Path) -> None:
    """I1: they hold programs."""
    import torch
    from safetensors.torch import load_file

    file = broken / "transformer/diffusion_pytorch_model.safetensors"
    torch.save(load_file(file), file.with_suffix(".bin"))
    file.unlink()
    assert "cannot be loaded" in refusal(broken)


@pytest.mark.parametrize("missing", ["model_index.json", "vae"])
def test_a_folder_without_a_part_is_said(broken: Path, missing: str) -> None:
    """I1."""
    path = broken / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert str(broken) in refusal(broken)
