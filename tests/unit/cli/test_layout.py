"""Tables and sentences at any width."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.cli.layout import (
    Column,
    beside,
    display_width,
    painted,
    paragraph,
    row_lines,
    table_lines,
    wrapped,
)

COLUMNS = [
    Column("finished"),
    Column("state"),
    Column("job", wrap=True),
    Column("seconds", "right"),
    Column("error", wrap=True),
]
ROWS = [
    ("2026-11-22", "done", "topic:beat-001", "1.6", ""),
    ("2026-11-22", "failed", "night-trains:the-conductor", "-", "It is too long for one piece, so split it."),
]
CELLS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40)


def test_a_wide_terminal_gets_one_line_for_each_row() -> None:
    lines = table_lines(COLUMNS, ROWS, 120)

    assert len(lines) == 4
    assert lines[0].split() == ["finished", "state", "job", "seconds", "error"]
    assert lines[2] == "2026-11-22  done    topic:beat-001                  1.6"


def test_a_narrower_one_folds_what_may_fold() -> None:
    lines = table_lines(COLUMNS, ROWS, 90)

    assert len(lines) > 4
    assert all(len(line) <= 90 for line in lines)
    assert "2026-11-22  failed  night-trains:the-conductor" in lines[3]


def test_a_phone_gets_a_card_for_each_row_without_empty_cells() -> None:
    assert table_lines(COLUMNS, ROWS, 40) == [
        "2026-11-22  done  1.6 seconds",
        "  topic:beat-001",
        "2026-11-22  failed",
        "  night-trains:the-conductor",
        "  It is too long for one piece, so split",
        "  it.",
    ]


def test_a_screen_that_is_drawn_again_gets_one_line_for_each_row_at_any_width() -> None:
    assert row_lines(COLUMNS, ROWS, 60)[2:] == [
        "2026-11-22  done    topic:beat-001      1.6",
        "2026-11-22  failed  night-trains:…        -  It is too long…",
    ]
    assert row_lines(COLUMNS, ROWS, 200)[:1] + row_lines(COLUMNS, ROWS, 200)[2:] == [
        line for line in table_lines(COLUMNS, ROWS, 200) if not line.startswith("─")
    ]


@given(rows=st.lists(st.tuples(*[CELLS] * 5), min_size=1, max_size=4), width=st.integers(20, 120))
def test_no_such_line_is_wider_than_the_screen(rows: list[tuple[str, ...]], width: int) -> None:
    lines = row_lines(COLUMNS, rows, width)

    assert len(lines) == len(rows) + 2
    assert all(display_width(line) <= width for line in lines)


def test_states_are_coloured_and_only_there() -> None:
    wide = "\n".join(table_lines(COLUMNS, [("x", "failed", "failed", "-", "failed")], 120, colour=True))
    narrow = "\n".join(table_lines(COLUMNS, ROWS, 40, colour=True))

    assert wide.count("\x1b[31m") == 1
    assert "\x1b[32mdone\x1b[0m" in narrow
    assert "\x1b" not in "\n".join(table_lines(COLUMNS, ROWS, 40))
    assert painted("beat") == "beat"


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), max_size=4), width=st.integers(20, 130))
@example(rows=[("", "", "", "", " 00000000000000、、")], width=20)
@example(rows=[("", "", "", "", " " * 40)], width=20)
@example(rows=[("", "", "", "", " " * 39 + "x")], width=20)
def test_folding_columns_never_push_a_table_over_the_edge(rows: list[tuple[str, ...]], width: int) -> None:
    for line in table_lines([Column(name, wrap=True) for name in "abcde"], rows, width):
        assert display_width(line) <= width


@given(text=CELLS, width=st.integers(20, 60))
def test_wrapping_loses_no_word(text: str, width: int) -> None:
    assert "".join("".join(wrapped(text, width)).split()) == "".join(text.split())


def test_paths_stay_whole_in_sentences_and_are_cut_in_tables() -> None:
    path = "/a/very/long/path/that/does/not/fit/here.wav"

    assert path in paragraph(f"The file is {path} and nothing else.", 30).split("\n")
    assert max(map(len, wrapped(path, 20, fold=True))) <= 20
    assert "".join(wrapped(path, 20, fold=True)) == path


def test_a_path_is_cut_where_a_folder_ends_unless_that_wastes_the_line() -> None:
    assert wrapped("/home/ada/production/audio.wav", 24, fold=True) == ["/home/ada/production/", "audio.wav"]
    assert wrapped("/a/averyveryverylongname.wav", 20, fold=True) == ["/a/averyveryverylong", "name.wav"]


def test_a_line_that_fits_stays_exactly_as_it_is() -> None:
    assert paragraph("  a   b\n\nc", 20) == "  a   b\n\nc"


@pytest.mark.parametrize("cells", [[], ["a"], ["a", "b" * 50, "c"]])
def test_cells_beside_each_other_break_where_they_must(cells: list[str]) -> None:
    lines = beside(cells, 20)

    assert all(len(line) <= 20 for line in lines)
    assert "".join("".join(lines).split()) == "".join(cells)
