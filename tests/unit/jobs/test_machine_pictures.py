"""Who draws on machines elsewhere, and what these need for it (I7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.bundle import joined_requirements, requirements_text
from lib.errors import BadConfiguration
from lib.picture_backends.machines import machine_backends
from lib.picture_backends.names import (
    FLUX_VRAM_GB,
    SHIPPED_BACKENDS,
    PictureSettings,
    UnknownBackend,
    facts_of,
)


def test_a_model_on_the_gpu_needs_its_memory_and_cards_their_packages() -> None:
    found = machine_backends(("mock", "card", "flux-schnell-local"), SHIPPED_BACKENDS)

    assert (found.least_vram_gb, found.extras) == (
        FLUX_VRAM_GB,
        frozenset({"images", "diffusers"}),
    )
    assert machine_backends(("mock",), SHIPPED_BACKENDS).least_vram_gb == 0.0


def test_a_backend_that_machines_are_not_made_ready_for_is_refused_with_what_to_do() -> None:
    found = machine_backends(("mock",), SHIPPED_BACKENDS)

    assert found.refusal("mock") is None
    told = found.refusal("card")
    assert told is not None
    assert "IMAGEN_MACHINE_BACKENDS" in told


@pytest.mark.parametrize(
    ("name", "words"),
    [("oil", "there are: card"), ("flux-dev-replicate", "token"), ("mine", "there are: card")],
)
def test_what_no_machine_can_have_is_bad_configuration(tmp_path: Path, name: str, words: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[mine]\nclass = "mock"\n')

    with pytest.raises(BadConfiguration, match=words):
        machine_backends((name,), PictureSettings(backends_file=own))


def test_facts_of_a_name_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[small]\nclass = "diffusers"\nmodel = "/m"\nvram_gb = 8.0\n')
    settings = PictureSettings(backends_file=own)

    assert facts_of("small", settings).least_vram_gb == 8.0
    with pytest.raises(UnknownBackend, match="small"):
        facts_of("smal", settings)


def test_sets_are_joined_with_one_pin_of_each_package() -> None:
    speech, cards = requirements_text("synth"), requirements_text("drawing")

    joined = joined_requirements([speech, cards])

    names = [line.split("==")[0] for line in joined.splitlines() if "==" in line and not line.startswith(" ")]
    assert {"hibari-tts", "pillow"} <= set(names)
    assert joined_requirements([speech, speech]) == joined_requirements([speech])
    first = joined_requirements(["a==1 \\\n    --hash=sha256:00\n", "a==2\nb==1\n"])
    assert first == "a==1 \\\n    --hash=sha256:00\nb==1\n"
