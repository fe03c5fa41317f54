"""hibari passes the suite of all engines, several texts at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from hibari import dsp

from lib.voices import EngineFacts
from synth.engines import Engine, Utterance, create_engine
from synth.engines.hibari.text import readable
from tests.contract.engines.conformance import TEXTS, EngineConformance, Failing, samples_of


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("hibari", {"HIBARI_BATCH": "3"})
    made.load()
    return made


def test_a_batch_is_rendered_side_by_side_to_the_very_samples_of_each_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [Utterance(text, "English", "low", seed) for seed, text in enumerate(TEXTS[2:5])]
    alone = [samples_of(answer) for each in batch for answer in engine.speak([each])]
    all_have_begun = Barrier(engine.limits().batch, timeout=30)  # before one of the three is done

    def met(*args: Any) -> Any:
        all_have_begun.wait()
        return synth(*args)

    synth = dsp.synth
    monkeypatch.setattr(dsp, "synth", met)

    assert all(map(np.array_equal, alone, map(samples_of, engine.speak(batch))))


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
