"""The list of guards names every condition of every script, and each can still be taken out."""

from __future__ import annotations

import pytest

from tests.doubles import lua_scripts
from tests.integration.jobqueue.guards import Mutant, listed, mutants
from tests.integration.jobqueue.test_guards import ALWAYS

AGAIN = "python -m tests.integration.jobqueue.guards new, and put what it prints into guards.txt"


def test_the_list_names_every_guard_and_no_other() -> None:
    there, named = {mutant.id for mutant in mutants()}, set(listed())

    assert there - named == set(), f"not listed; run {AGAIN}"
    assert named - there == set(), "listed, and no longer there; remove them from guards.txt"


def test_each_guard_can_be_taken_out_alone() -> None:
    for mutant in mutants():
        whole = lua_scripts.source(mutant.script)
        changed = mutant.apply(whole)
        differing = [
            pair for pair in zip(whole.splitlines(), changed.splitlines(), strict=True) if len({*pair}) > 1
        ]
        assert len(differing) == 1, mutant.id


def test_what_survives_has_a_reason() -> None:
    assert not [name for name, reason in listed().items() if reason == "SURVIVES"]
    assert set(ALWAYS) <= set(listed())


@pytest.mark.parametrize(
    ("line", "puts"),
    [
        ("if a and b then", ["true", "false", "b", "a"]),
        ("  elseif not f(x, y) then", ["true", "false"]),
        ("while not dry and n < 3 do", ["false", "n < 3", "not dry"]),
        ("if a and (b or c) then", ["true", "false", "(b or c)", "a"]),
        ("if not (a and b) or c(d or e) then", ["true", "false", "c(d or e)", "not (a and b)"]),
        ("local least = max(0, a or b)", ["true", "false"]),
        ("  if a == 'b' then return c >= d and e or f end", ["true", "false", "true", "false"]),
    ],
)
def test_a_condition_is_taken_out_in_every_way(
    line: str, puts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lua_scripts, "source", lambda name: line if name == "prelude" else "")

    found: list[Mutant] = mutants()
    assert [mutant.put for mutant in found] == puts
    assert {mutant.script for mutant in found} == {"prelude"}
