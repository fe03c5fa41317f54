"""hibari passes the suite of all engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from lib.voices import EngineFacts
from synth.engines import Engine, create_engine
from synth.engines.hibari.text import readable
from tests.contract.engines.conformance import EngineConformance, Failing


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("hibari")
    made.load()
    return made


class TestHibari(EngineConformance):
    @pytest.fixture
    def failing(self, monkeypatch: pytest.MonkeyPatch) -> Failing:
        def unreadable(word: str, text: str, facts: EngineFacts) -> str:
            if word in text:
                raise ValueError("no such sound")
            return readable(text, facts)

        @contextmanager
        def lasts(word: str) -> Iterator[None]:
            with monkeypatch.context() as patch:
                patch.setattr("synth.engines.hibari.engine.readable", partial(unreadable, word))
                yield

        return lasts
