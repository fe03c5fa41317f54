"""The transition table, questioned as data."""

from __future__ import annotations

import pytest

from lib.fleet import PAYING, TRANSITIONS, IllegalMachineTransition, MachineEvent, State, advance


def reachable(start: State) -> set[State]:
    found, edge = {start}, {start}
    while edge:
        edge = {to for (state, _), to in TRANSITIONS.items() if state in edge} - found
        found |= edge
    return found


@pytest.mark.parametrize("state", sorted(PAYING))
def test_every_machine_we_may_pay_for_can_be_gone(state: State) -> None:
    assert State.GONE in reachable(state)


def test_nothing_leaves_gone() -> None:
    assert [pair for pair in TRANSITIONS if pair[0] is State.GONE] == []


def test_every_state_and_every_event_is_used() -> None:
    assert reachable(State.PLANNED) == set(State)
    assert {event for _, event in TRANSITIONS} == set(MachineEvent)


def test_a_machine_we_rented_is_gone_only_when_it_is_seen_absent() -> None:
    endings = {pair for pair, to in TRANSITIONS.items() if to is State.GONE}
    rented = {pair for pair in endings if pair[0] not in (State.PLANNED, State.UNKNOWN)}
    assert {event for _, event in rented} == {MachineEvent.VANISHED}


def test_an_unknown_outcome_is_never_ready_without_being_found() -> None:
    assert {to for (state, _), to in TRANSITIONS.items() if state is State.UNKNOWN} == {
        State.RENTED,
        State.GONE,
    }


def test_a_stopped_machine_is_destroyed_from_every_state_in_which_it_was_of_use() -> None:
    for state in (State.RENTED, State.READY, State.DRAINING):
        assert advance(state, MachineEvent.STOPPED) is State.LEAVING


def test_a_pair_that_is_not_in_the_table_is_refused_with_a_sentence() -> None:
    with pytest.raises(
        IllegalMachineTransition, match="A machine that is gone cannot be one that was rented"
    ):
        advance(State.GONE, MachineEvent.ACCEPTED)
