"""Rows as they are stored: what is left out at the end says nothing, and nothing else is a row."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from lib.jobqueue.errors import DamagedRow
from lib.jobqueue.redis.rows import DAMAGED, STAGED, Row, state_in
from tests.doubles import lua_scripts as scripts

WAITING = ["waiting", "v1:00", "normal", 3, 1000, 1000, "1-0"]
ASKED = [1_764_000_000_000, 2]
LEASED = [2, 1, 0, 0, 0, "2:x.0", "begun", "ann", 1500]
RUNNING = ["running", *WAITING[1:], *LEASED, *ASKED]
BEFORE = ["running", *WAITING[1:], *LEASED]  # as the version before wrote it
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
    assert parsed([*PLACED[:20], "", 0]).killed == ""


@pytest.mark.parametrize("places", [[*WAITING, *ASKED], RUNNING, PLACED])
def test_a_row_tells_its_order_and_revision(places: list[object]) -> None:
    assert (parsed(places).order, parsed(places).revision) == tuple(ASKED)


@pytest.mark.parametrize("places", [WAITING, BEFORE, [*BEFORE, "m1", "a.1", ["m2"], 1]])
def test_a_row_of_the_version_before_has_none(places: list[object]) -> None:
    row = parsed(places)

    assert (row.order, row.revision) == (0, 1)
    assert (row.host, row.alone) == (("m1", 1) if len(places) == 20 else ("", 0))


@pytest.mark.parametrize("length", [*range(1, 7), 8, *range(10, 16), 17, 19, 21])
def test_a_row_of_another_length_is_damaged(length: int) -> None:
    raw = json.dumps(PLACED[:length])

    assert state_in(raw) == DAMAGED
    with pytest.raises(DamagedRow):
        Row.parse(raw, "a")


@pytest.mark.parametrize(
    ("place", "wrong"), [(16, "1"), (17, None), (18, 1), (19, None), (20, 0), (20, {"m1": 1}), (21, "1")]
)
def test_a_last_place_of_another_kind_is_damaged(place: int, wrong: object) -> None:
    places = [*PLACED[:place], wrong, *PLACED[place + 1 :]]

    assert state_in(json.dumps(places)) == DAMAGED


class TestThePlacesOfARow:
    """Python, the scripts and the page name the same ones: see docs/decisions/0006-positional-rows.md."""

    PAGE = Path(__file__).parents[3] / "docs" / "reference" / "redis-keys.md"

    @pytest.fixture
    def numbers(self) -> dict[str, int]:
        """Each place as the prelude names it, BATCH and DUE of a staged row among them."""
        lines = re.findall(r"(?m)^local ([A-Z_]+(?:, [A-Z_]+)*) = (\d+(?:, \d+)*)", scripts.source("prelude"))
        pairs = [
            pair
            for names, places in lines
            for pair in zip(names.split(", "), places.split(", "), strict=True)
        ]
        return {name: int(place) for name, place in pairs}

    def test_are_in_the_scripts_what_they_are_in_python(self, numbers: dict[str, int]) -> None:
        of_a_job = {name: place for name, place in numbers.items() if name not in ("BATCH", "DUE")}
        names = [field.name.removesuffix("_ms").upper() for field in fields(Row)]

        assert of_a_job == {name: place for place, name in enumerate(names, start=1)}

    def test_of_a_staged_row_lie_where_python_looks_for_them(self, numbers: dict[str, int]) -> None:
        staged = parsed([STAGED, *WAITING[1:6], "batch", "1500"])

        assert (numbers["BATCH"], numbers["DUE"]) == (numbers["ENTRY"], numbers["LEASE_NO"])
        assert (staged.entry, str(staged.lease_no)) == ("batch", "1500")

    def test_are_left_out_from_the_same_place_on(self, numbers: dict[str, int]) -> None:
        rows = [WAITING, [*WAITING, *ASKED], BEFORE, RUNNING, [*BEFORE, *PLACED[-4:]], PLACED]
        lengths = [len(row) for row in rows if state_in(json.dumps(row)) != DAMAGED]

        asked = numbers["REVISION"] - numbers["ORDER"] + 1
        with_it = [numbers["LEASE_NO"] - 1 + asked, numbers["REVISION"], numbers["ALONE"]]
        assert lengths == sorted([*with_it, *(length - asked for length in with_it)])

    def test_stand_on_the_page_in_that_order(self, numbers: dict[str, int]) -> None:
        table = self.PAGE.read_text().partition("| place | | |")[2]
        rows = re.findall(r"(?m)^\| (\d+) \| ([a-z ]+)", table)
        named = {
            name.strip().replace("number", "no").replace(" ", "_").upper(): int(place) for place, name in rows
        }

        assert named == {name: place for name, place in numbers.items() if name not in ("BATCH", "DUE")}

    @pytest.mark.parametrize("name", [*scripts.names(), *scripts.SHARED])
    def test_have_names_wherever_a_script_looks_at_one(self, name: str) -> None:
        assert re.findall(r"\brow\[\s*\d+", scripts.source(name)) == []
