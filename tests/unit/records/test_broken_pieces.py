"""How many pieces of a job were found wrong, by its record."""

from __future__ import annotations

from dataclasses import replace

from lib.records import FaultRecord, RejectedRecord, Verification
from tests.doubles import records

AGAIN = RejectedRecord(2, 1.0, 1.0, None, "There is noise over it.", 1, ("noise",))
FAULTS = (FaultRecord("gap", 2, "It is silent."), FaultRecord("noise", 2, "There is noise."))


def test_each_counts_once() -> None:
    """What was said again, and each piece of what was kept that has a fault; it was spoken, too."""
    plain = records.spoken()
    broken = replace(plain, verification=(Verification(1, None, None, None, (AGAIN, AGAIN), FAULTS),))

    assert (plain.pieces_spoken, plain.pieces_broken) == (plain.pieces * len(plain.takes), 0)
    assert (broken.pieces_spoken, broken.pieces_broken) == (plain.pieces_spoken + 2, 3)


def test_what_was_heard_wrong_counts_as_one_and_what_was_heard_as_none() -> None:
    assert Verification(1, False, 0.4, "It differs.").broken == 1
    assert Verification(1, True, 0.0, "All of it.").broken == 0
    assert Verification(1, None, None, None).broken == 0
