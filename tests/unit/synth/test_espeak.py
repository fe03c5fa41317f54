"""espeak without its library: what is missing is one sentence, and only its name chooses it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lib.errors import BadConfiguration, MissingExtra
from lib.voices import engine_facts
from synth.engines import create_engine
from synth.engines.espeak.engine import _VARIANTS, _VOICES, EspeakEngine, readable
from synth.engines.espeak.hosted_library import HostedLibrary
from synth.engines.espeak.package import LibraryFiles
from synth.engines.port import Aspect


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)


class TestWithoutItsPackage:
    def test_loading_names_the_command_that_brings_it(self, absent: None) -> None:
        with pytest.raises(
            MissingExtra, match=r"The engine espeak \(it misses .*\) needs packages"
        ) as caught:
            create_engine("espeak").load()
        assert caught.value.extra == "espeak"

    def test_a_look_at_the_machine_tells_it(self, absent: None) -> None:
        engine = create_engine("espeak")
        assert isinstance(engine, EspeakEngine)
        (look,) = engine.examine()
        assert (look.aspect, type(look.trouble)) == (Aspect.PACKAGES, MissingExtra)


def test_a_library_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    library = tmp_path / "libespeak-ng.so"
    library.write_text("no library")
    with pytest.raises(BadConfiguration, match=rf"The library {library} cannot be used: .*\.$"):
        HostedLibrary(LibraryFiles(library, tmp_path))


def test_a_process_that_cannot_be_started_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(BadConfiguration, match="No process for eSpeak NG can be started"):
        HostedLibrary(LibraryFiles(tmp_path, tmp_path))


def test_data_that_are_changed_are_another_revision(tmp_path: Path) -> None:
    (tmp_path / "library").write_bytes(b"code")
    (tmp_path / "data/voices").mkdir(parents=True)
    (tmp_path / "data/voices/de").write_bytes(b"German")
    files = LibraryFiles(tmp_path / "library", tmp_path / "data")
    before = files.sha256()
    assert files.sha256() == before
    (tmp_path / "data/voices/de").write_bytes(b"german")
    assert files.sha256() != before


def test_each_preset_and_language_of_the_table_has_what_speaks_it() -> None:
    facts = engine_facts("espeak")
    assert set(_VARIANTS) == set(facts.presets)
    assert set(_VOICES) == {*facts.languages, "Auto"}


@pytest.mark.parametrize(
    ("language", "text", "read"),
    [
        ("German", "Größe мир 平", "Größe      "),
        ("Russian", "мир Größe 平", "мир Größe  "),
        ("Chinese", "今天 мир", "今天    "),
        ("Korean", "오늘 1", "오늘 1"),
    ],
)
def test_what_it_would_spell_is_blanked(language: str, text: str, read: str) -> None:
    assert readable(text, language) == read
