"""Bars of plain text: as wide as there is room, and never more."""

from __future__ import annotations

import pytest

from lib.cli.bars import Bar, bar_lines

DAYS = [Bar("2026-11-01", 1.0, "$0.0700"), Bar("2026-11-02", 0.0, "$0.00"), Bar("2026-11-03", 4.0, "$0.28")]


def test_the_longest_takes_the_room_and_the_others_their_share() -> None:
    lines = bar_lines(DAYS, 41)
    assert lines == [
        "2026-11-01  #####                 $0.0700",
        "2026-11-02                          $0.00",
        "2026-11-03  ####################    $0.28",
    ]


def test_what_is_more_than_nothing_is_seen() -> None:
    tiny, large = bar_lines([Bar("a", 1e-9, ""), Bar("b", 1.0, "")], 40)
    assert tiny.count("#") == 1
    assert large.count("#") > 30


@pytest.mark.parametrize("width", range(20, 120, 7))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, bar_lines(DAYS, width))) <= width


def test_where_there_is_no_room_beside_the_words_a_bar_stands_below_them() -> None:
    assert bar_lines(DAYS, 20) == [
        "2026-11-01  $0.0700",
        "  ####",
        "2026-11-02  $0.00",
        "2026-11-03  $0.28",
        "  ##################",
    ]


def test_of_nothing_there_is_no_bar() -> None:
    assert bar_lines([], 80) == []
    assert "#" not in "".join(bar_lines([Bar("a", 0.0, "$0.00")], 80))
