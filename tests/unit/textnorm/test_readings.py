"""What is written is said: the examples that stand for their classes, and others of the same classes."""

from __future__ import annotations

import pytest

from lib.textnorm import normalize
from tests.unit.textnorm.readings import reads_as, rows


@pytest.mark.parametrize(("kind", "written", "spoken"), rows("examples.tsv"))
def test_an_example_is_read_as_a_narrator_reads_it(kind: str, written: str, spoken: str) -> None:
    read = normalize(written)
    assert reads_as(read.spoken, spoken), read.spoken


@pytest.mark.parametrize(("kind", "written", "spoken"), rows("fresh.tsv"))
def test_others_of_its_class_are_read_too(kind: str, written: str, spoken: str) -> None:
    read = normalize(written)
    assert reads_as(read.spoken, spoken), read.spoken


@pytest.mark.parametrize("name", ["examples.tsv", "fresh.tsv"])
def test_a_change_stands_where_it_says(name: str) -> None:
    for _, written, _ in rows(name):
        for change in normalize(written).changes:
            assert written[change.start : change.end] == change.written


@pytest.mark.parametrize("name", ["examples.tsv", "fresh.tsv"])
def test_what_was_read_is_read_the_same_again(name: str) -> None:
    for _, written, _ in rows(name):
        script = normalize(written).script
        assert normalize(script).script == script


def test_no_digit_is_left_to_an_engine() -> None:
    for name in ("examples.tsv", "fresh.tsv"):
        for _, written, _ in rows(name):
            assert not any(char.isdigit() for char in normalize(written).spoken), written


def test_a_sentence_that_begins_with_a_number_begins_with_a_capital() -> None:
    assert normalize("They came. 5 people left.").script == "They came. Five people left."


def test_an_abbreviation_keeps_its_dot_where_a_sentence_ends() -> None:
    assert normalize("It ends at 5 p.m. The rest follows.").script == "It ends at five P M. The rest follows."
    assert normalize("On Main St. The house is red.").script == "On Main Street. The house is red."
    assert normalize("By J. R. R. Tolkien.").script == "By J R R Tolkien."


def test_only_the_clause_tells_whether_a_word_is_shouted() -> None:
    assert normalize("US AND THEM. The team lost.").script == "Us and them. The team lost."
    assert normalize("GO AWAY! She left; he said STOP.").script == "Go away! She left; he said STOP."
