"""Rows as they are stored: what is left out at the end says nothing, and nothing else is a row."""

from __future__ import annotations

import json

import pytest

from lib.jobqueue.errors import DamagedRow
from lib.jobqueue.redis.rows import DAMAGED, Row, state_in

WAITING = ["waiting", "v1:00", "normal", 3, 1000, 1000, "1-0"]
RUNNING = ["running", *WAITING[1:], 2, 1, 0, 0, 0, "2:x.0", "begun", "ann", 1500]
PLACED = [*RUNNING, "m1", "a.1", ["m2"], 1]


def parsed(places: list[object]) -> Row:
    row = Row.parse(json.dumps(places), "a")
    assert row is not None
    return row


def test_a_row_without_its_last_places_is_read_as_if_they_said_nothing() -> None:
    assert (parsed(WAITING).lease_no, parsed(WAITING).fence, parsed(WAITING).host) == (0, "", "")
    row = parsed(RUNNING)
    assert (row.started_ms, row.host, row.spool_entry, row.killed, row.alone) == (1500, "", "", "", 0)


def test_a_whole_row_tells_where_work_lies_and_where_it_must_not_go() -> None:
    row = parsed(PLACED)

    assert (row.host, row.spool_entry, row.killed, row.alone) == ("m1", "a.1", ["m2"], 1)
    assert parsed([*PLACED[:18], "", 0]).killed == ""


@pytest.mark.parametrize("length", [*range(1, 7), *range(8, 16), 17, 18, 19])
def test_a_row_of_another_length_is_damaged(length: int) -> None:
    raw = json.dumps(PLACED[:length])

    assert state_in(raw) == DAMAGED
    with pytest.raises(DamagedRow):
        Row.parse(raw, "a")


@pytest.mark.parametrize(("place", "wrong"), [(16, 1), (17, None), (18, 0), (18, {"m1": 1}), (19, "1")])
def test_a_last_place_of_another_kind_is_damaged(place: int, wrong: object) -> None:
    places = [*PLACED[:place], wrong, *PLACED[place + 1 :]]

    assert state_in(json.dumps(places)) == DAMAGED
