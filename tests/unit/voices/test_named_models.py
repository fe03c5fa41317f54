"""A job for weights that the settings do not name is refused before its turn comes (V4, W11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import BadConfiguration
from lib.voices import NamedModels, VoiceKind, engine_facts, named_models

QWEN = engine_facts("qwen3")
LARGE, SMALL = "Qwen3-TTS-12Hz-1.7B-CustomVoice", "Qwen3-TTS-12Hz-0.6B-CustomVoice"
COMMIT = "0" * 40


def of_folder(folder: Path, *models: str) -> NamedModels | None:
    for model in models:
        (folder / model).mkdir(parents=True)
    return named_models(QWEN, str(folder), here=True)


def test_hub_ids_name_models_wherever_jobs_are_spoken() -> None:
    for here in (True, False):
        named = named_models(QWEN, f"Qwen/{LARGE}@{COMMIT}", here=here)
        assert named is not None
        assert named.refusal(QWEN, "balanced", VoiceKind.BUILT_IN) is None
        assert named.refusal(QWEN, "fast", VoiceKind.BUILT_IN) == (
            f"fast of a speaker needs the model {SMALL}, and QWEN_MODEL names {LARGE}: add it there, or take "
            "the profile balanced or quality"
        )
        assert (named.refusal(QWEN, "balanced", VoiceKind.CLONED) or "").endswith(
            "names " + LARGE + ": add it there"
        )
        assert named.refusal(QWEN, "fast", VoiceKind.DESIGNED) == (
            "fast of a designed voice needs the model Qwen3-TTS-12Hz-1.7B-VoiceDesign, and QWEN_MODEL names "
            f"{LARGE}: add it there"
        )


def test_a_folder_names_what_lies_in_it_where_it_can_be_seen(tmp_path: Path) -> None:
    named = of_folder(tmp_path, SMALL)
    assert named is not None
    assert named.refusal(QWEN, "fast", VoiceKind.BUILT_IN) is None
    assert LARGE in (named.refusal(QWEN, "balanced", VoiceKind.BUILT_IN) or "")
    assert named_models(QWEN, str(tmp_path), here=False) is None


def test_an_empty_folder_is_said_to_hold_none(tmp_path: Path) -> None:
    named = of_folder(tmp_path)
    assert named is not None
    assert f"names none in {tmp_path}" in (named.refusal(QWEN, "balanced", VoiceKind.BUILT_IN) or "")


@pytest.mark.parametrize("written", [None, "", "/srv/models-of-others"])
def test_what_is_not_written_or_not_here_cannot_be_told(written: str | None) -> None:
    assert named_models(QWEN, written, here=True) is None


def test_the_folder_of_one_model_may_be_called_anything(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert of_folder(tmp_path) is None


def test_an_engine_without_weights_of_its_own_asks_nobody() -> None:
    assert named_models(engine_facts("hibari"), "anything", here=True) is None


def test_a_hub_id_without_a_commit_is_a_wrong_setting() -> None:
    with pytest.raises(BadConfiguration, match="without a commit"):
        named_models(QWEN, f"Qwen/{LARGE}", here=False)
