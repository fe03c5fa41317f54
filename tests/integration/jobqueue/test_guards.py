"""Taking any one guard out of any script turns a test red (guards.py, guards.txt)."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
import redis

from tests.doubles import lua_scripts
from tests.integration.jobqueue.guards import UNTRIED, listed, mutants, text_with, try_all

# Some that everything rests on, for every run of the tests, and who notices them: to gather all takes long.
NOTICED_BY = ["tests/contract/jobqueue/test_adoption.py"]
ALWAYS = [
    "complete | holds(row, ARGV[at + 1]) | true",
    "renew | holds(parse(raw), ARGV[2 * i + 2]) | true",
    "prelude | row and row[STATE] == 'running' and row[FENCE] == fence | row and row[STATE] == 'running'",
]


def survivors(names: list[str], jobs: int, suites: Sequence[str] = ()) -> list[str]:
    by_id = {mutant.id: mutant for mutant in mutants()}
    tried = try_all([by_id[name] for name in names], jobs, suites)
    return [mutant.id for mutant, red in tried if not red]


def test_the_fences_are_noticed_when_they_are_gone() -> None:
    assert survivors(ALWAYS, jobs=1, suites=NOTICED_BY) == []


def test_each_mutant_is_still_a_program(raw: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server cannot even read would turn every test red, and prove nothing."""
    for mutant in mutants():
        host = lua_scripts.names()[0] if mutant.script in lua_scripts.SHARED else mutant.script
        with monkeypatch.context() as patch:
            lua_scripts.put_in(patch, text_with(mutant))
            text = lua_scripts.load(host).text

        raw.script_load(text)


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_every_guard_is_noticed_when_it_is_gone() -> None:
    names = [name for name, reason in listed().items() if reason in ("", UNTRIED)]

    assert survivors(names, jobs=os.cpu_count() or 1) == []
