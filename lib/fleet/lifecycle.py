"""The life of one rented machine, as data.

Events are edges ("fell silent"), not readings: each is told once, when it happens. Every state in which we
may be paying has a way to `gone`, and nothing leaves `gone`: a machine that comes back from there is an
orphan, which is destroyed by its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from lib.errors import JobRunnerError


class IllegalMachineTransition(JobRunnerError):
    """A machine cannot go that way; the caller's picture of it is wrong."""


class State(StrEnum):
    """Where a machine is, and whether we pay for it."""

    PLANNED = "planned"  # the intent is written; the provider may be asked at any moment
    UNKNOWN = "unknown"  # the provider was asked and we do not know what it did; we may be paying
    RENTED = "rented"  # we pay; the machine has not passed its checks yet
    READY = "ready"  # we pay; it takes jobs
    DRAINING = "draining"  # we pay; it finishes what it has and takes nothing new
    LEAVING = "leaving"  # we pay until it is seen absent; it is destroyed again and again until then
    GONE = "gone"  # the provider says it no longer exists; terminal


class MachineEvent(StrEnum):
    """What can happen to a machine, as the end of the sentence "the machine ..."."""

    ACCEPTED = "was rented"
    REFUSED = "was refused by the provider"
    UNCLEAR = "was asked for without a clear answer"
    HALF_RENTED = "was refused and exists all the same"
    FOUND = "was found by its label"
    NEVER_CAME = "is in no listing and was never made"
    PASSED = "passed its checks"
    FAILED = "failed"
    STOPPED = "was stopped by somebody else"
    SILENT = "fell silent"
    UNWANTED = "is not needed"
    EXPIRING = "comes to the end of its time"
    OVERPRICED = "costs more than was agreed"
    EMPTY = "has finished its last job"
    OVERDUE = "did not finish in time"
    VANISHED = "is gone from the provider's listings"


S, E = State, MachineEvent

TRANSITIONS: Final[Mapping[tuple[State, MachineEvent], State]] = {
    (S.PLANNED, E.ACCEPTED): S.RENTED,
    (S.PLANNED, E.REFUSED): S.GONE,
    (S.PLANNED, E.UNCLEAR): S.UNKNOWN,
    (S.PLANNED, E.HALF_RENTED): S.LEAVING,
    (S.UNKNOWN, E.FOUND): S.RENTED,
    (S.UNKNOWN, E.NEVER_CAME): S.GONE,
    (S.RENTED, E.PASSED): S.READY,
    (S.RENTED, E.FAILED): S.LEAVING,
    (S.RENTED, E.STOPPED): S.LEAVING,
    (S.RENTED, E.UNWANTED): S.LEAVING,
    (S.RENTED, E.EXPIRING): S.LEAVING,
    (S.RENTED, E.OVERPRICED): S.LEAVING,
    (S.RENTED, E.VANISHED): S.GONE,
    (S.READY, E.FAILED): S.LEAVING,
    (S.READY, E.STOPPED): S.LEAVING,
    (S.READY, E.SILENT): S.LEAVING,
    (S.READY, E.UNWANTED): S.DRAINING,
    (S.READY, E.EXPIRING): S.DRAINING,
    (S.READY, E.OVERPRICED): S.DRAINING,
    (S.READY, E.VANISHED): S.GONE,
    (S.DRAINING, E.EMPTY): S.LEAVING,
    (S.DRAINING, E.OVERDUE): S.LEAVING,
    (S.DRAINING, E.FAILED): S.LEAVING,
    (S.DRAINING, E.STOPPED): S.LEAVING,
    (S.DRAINING, E.SILENT): S.LEAVING,
    (S.DRAINING, E.VANISHED): S.GONE,
    (S.LEAVING, E.VANISHED): S.GONE,
}

#: States in which money may be running: what a cap has to hold room for.
PAYING: Final = frozenset(State) - {State.GONE}


def advance(state: State, event: MachineEvent) -> State:
    """Return the next state.

    Raises:
        IllegalMachineTransition: the pair is not in the table.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalMachineTransition(
            f"A machine that is {state.value} cannot be one that {event.value}."
        ) from None
