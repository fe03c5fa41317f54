"""What is known of engines: the one table, and what other packages register (V2)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from lib.errors import BadConfiguration, MissingExtra, install_command
from lib.jobspec.fields import PROFILES
from lib.voices import (
    EngineFacts,
    ProfileModel,
    UnknownEngine,
    VoiceKind,
    engine_facts,
    engine_names,
    engines,
    jobs_ahead,
)
from lib.voices.engines import _BUILT_IN, ENGINES_GROUP, FACTS_GROUP
from synth.engines import create_engine
from synth.engines.port import EngineLimits

ROOT = Path(__file__).parents[3]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TONE = EngineFacts("tone", "a tone", frozenset({"English"}), {"hum": "hum"}, {}, batch=4)


class Registered:
    """An engine of another package, which says nothing but what the protocol asks for."""

    name = "tone"

    def speakers(self) -> dict[str, str]:
        return {"hum": "plain"}

    def languages(self) -> frozenset[str]:
        return frozenset({"English", "Klingon"})

    def limits(self) -> EngineLimits:
        return EngineLimits(200, 8, True, None)


class Described(Registered):
    facts = TONE


def register(monkeypatch: pytest.MonkeyPatch, **groups: object) -> None:
    """Have packages register objects of this module: `engine` and `facts`, by name."""
    found = {"engine": ENGINES_GROUP, "facts": FACTS_GROUP}
    points = [
        (found[kind], SimpleNamespace(name="tone", value="tone:It", load=lambda thing=thing: thing))
        for kind, thing in groups.items()
    ]

    def entry_points(group: str, name: str | None = None) -> list[Any]:
        return [point for place, point in points if place == group and name in (None, point.name)]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    monkeypatch.syspath_prepend(f"packages of {uuid4().hex}")  # who looks elsewhere looks anew


class TestTheTable:
    def test_each_engine_of_ours_is_a_folder_and_a_row(self) -> None:
        """Nothing else has to change for a new one: it is made by its name."""
        folders = {path.parent.name for path in (ROOT / "synth/engines").glob("*/__init__.py")}

        assert folders == set(_BUILT_IN)
        assert all(create_engine(name).name == name for name in folders)

    def test_each_row_names_the_model_of_every_profile(self) -> None:
        assert all(set(facts.models) == set(PROFILES) for facts in _BUILT_IN.values())

    def test_the_pinned_package_is_the_one_that_is_installed(self) -> None:
        extras = PYPROJECT["optional-dependencies"]
        for facts in _BUILT_IN.values():
            brought = extras[facts.extra] if facts.extra else PYPROJECT["dependencies"]
            assert f"{facts.package}=={facts.version}" in brought

    def test_a_new_row_is_found_by_everyone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(_BUILT_IN, "tone", TONE)

        assert engine_names() == ["hibari", "espeak", "qwen3", "tone"]
        assert engine_facts("tone") is TONE

    def test_the_names_of_the_groups_stand_once(self) -> None:
        """pyproject.toml cannot share them, so this holds it to them."""
        code = [path for place in ("lib", "synth", "job_runner", "job_watcher") for path in files(place)]
        users = [path.name for path in code if ENGINES_GROUP in path.read_text(encoding="utf-8")]

        assert users == ["engines.py"]
        assert set(PYPROJECT["entry-points"]) == {ENGINES_GROUP}


def files(place: str) -> list[Path]:
    return sorted((ROOT / place).rglob("*.py"))


def test_a_worker_holds_a_batch_beside_the_one_it_speaks() -> None:
    """Else batches of short jobs would never be full."""
    assert jobs_ahead("qwen3") == 2 * engine_facts("qwen3").batch == 16
    assert jobs_ahead("hibari") == jobs_ahead("hibari", 2) == 4  # one or two spoken, the others ready
    assert jobs_ahead("hibari", 4) == 8
    assert jobs_ahead("qwen3", 64) == 16
    assert jobs_ahead("nightingale") == 4


class TestAModelOfAProfile:
    FACTS = EngineFacts(
        *("big", "", frozenset(), {}, {}),
        models={
            "fast": ProfileModel("small", "small-base", designing_model="small-design"),
            "quality": ProfileModel("large"),
        },
    )

    def test_depends_on_the_profile_and_on_what_a_voice_is_made_from(self) -> None:
        assert self.FACTS.model_of("fast", VoiceKind.BUILT_IN) == "small"
        assert self.FACTS.model_of("fast", VoiceKind.CLONED) == "small-base"
        assert self.FACTS.model_of("fast", VoiceKind.DESIGNED) == "small-design"
        assert self.FACTS.model_of("quality", VoiceKind.CLONED) == "large"
        assert self.FACTS.model_of("quality", VoiceKind.DESIGNED) == "large"
        assert self.FACTS.model_names == {"small", "small-base", "small-design", "large"}

    def test_of_qwen3_that_designs_has_one_size(self) -> None:
        facts = engine_facts("qwen3")
        made = {facts.model_of(profile, VoiceKind.DESIGNED) for profile in ("fast", "balanced", "quality")}
        assert made == {"Qwen3-TTS-12Hz-1.7B-VoiceDesign"}
        assert made < facts.model_names

    def test_is_nameless_where_the_engine_names_none(self) -> None:
        assert self.FACTS.model_of("balanced", VoiceKind.BUILT_IN) == ""


class TestAnEngineOfAnotherPackage:
    def test_says_its_facts_by_an_entry_point(self, monkeypatch: pytest.MonkeyPatch) -> None:
        register(monkeypatch, engine=Registered, facts=TONE)

        assert engine_facts("tone") is TONE
        assert engine_names() == [*_BUILT_IN, "tone"]

    def test_is_looked_for_once_and_anew_where_packages_lie_elsewhere(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each look reads a file of every installed package, and a job asks ten times."""
        register(monkeypatch, engine=Registered, facts=TONE)
        assert [engine_facts("tone") for _ in range(3)] == [TONE] * 3

        monkeypatch.setattr("importlib.metadata.entry_points", None)
        assert engine_facts("tone") is TONE
        register(monkeypatch, engine=Registered, facts=replace(TONE, title="another"))
        assert engine_facts("tone").title == "another"

    def test_or_by_its_class(self, monkeypatch: pytest.MonkeyPatch) -> None:
        register(monkeypatch, engine=Described)

        assert engine_facts("tone") is TONE

    def test_or_gets_the_usual_limits_with_what_its_methods_say(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register(monkeypatch, engine=Registered)

        facts = engine_facts("tone")

        assert (facts.speakers, sorted(facts.languages), facts.batch) == ({"hum": "plain"}, ["English"], 8)
        assert (facts.max_characters, sorted(facts.scripts)) == (5_000, ["LATIN"])
        assert set(facts.presets) == {"plain"}
        assert engine_names() == [*_BUILT_IN, "tone"]

    def test_that_cannot_be_made_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        register(monkeypatch, engine=object)

        with pytest.raises(UnknownEngine, match="'tone' is registered by tone:It, which cannot be used"):
            engine_facts("tone")

    def test_whose_facts_are_none_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        register(monkeypatch, engine=Registered, facts="loud")

        with pytest.raises(UnknownEngine, match="which is no EngineFacts"):
            engine_facts("tone")


class TestMissingPackages:
    @pytest.fixture(autouse=True)
    def missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def load(point: EntryPoint) -> object:
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

        monkeypatch.setattr(EntryPoint, "load", load)

    def test_are_named_by_the_extra_that_brings_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        facts = EngineFacts("qwen3", "", frozenset(), {}, {}, package="qwen-tts", extra="qwen")
        monkeypatch.setitem(engines._BUILT_IN, "qwen3", facts)

        with pytest.raises(MissingExtra, match=rf"it misses torch.*{re.escape(install_command('qwen'))}"):
            create_engine("qwen3")

    def test_are_named_by_themselves_where_no_extra_brings_them(self) -> None:
        with pytest.raises(BadConfiguration, match=r"misses the module torch.*'hibari-tts==0\.2\.1'"):
            create_engine("hibari")
