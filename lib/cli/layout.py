"""Lays out tables and sentences for a terminal of any width, from a wide screen to a phone.

Pure: texts and a width in, lines out. Whoever prints them has made control characters visible before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TextIO

from lib.cli.colour import BOLD, CYAN, GREEN, RED, YELLOW, styled

NARROWEST: Final = 20  # columns; anything below is taken for a mistake
_LEAST_FOLDED: Final = 24  # columns that a folding column keeps; with less the rows become cards
_GAP: Final = "  "
_NOTHING: Final = ("", "-")

#: The words that say how something stands, the same in every command, and their colour.
_STYLES: Final = {
    **dict.fromkeys(("done", "created", "working", "idle"), GREEN),
    **dict.fromkeys(("failed", "conflict", "rejected", "artifact_gone", "changed"), RED),
    **dict.fromkeys(("watcher_crashed", "watcher_not_running", "error"), RED),
    **dict.fromkeys(
        ("canceled", "missing", "delayed", "withheld", "paused", "interrupted", "warning"), YELLOW
    ),
    "running": CYAN,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. On narrow terminals `wrap` columns fold, the others keep their width.

    The cells of a column named `state` are coloured by what they say.
    """

    heading: str
    align: Literal["left", "right"] = "left"
    wrap: bool = False


def display_width(text: str) -> int:
    """Columns that `text` takes on a terminal: wide characters count two, combining ones none."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def width_of(stream: TextIO) -> int:
    """Columns of the terminal behind `stream`; COLUMNS says otherwise if set, and 80 is for the rest."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return max(int(columns), NARROWEST)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns or 80, NARROWEST)
    except (OSError, ValueError):
        return 80


def painted(word: str) -> str:
    """Colour `word` by its meaning (good, bad, passing); a word without such a meaning stays as it is."""
    style = _STYLES.get(word.strip())
    return word if style is None else styled(word, style)


def wrapped(text: str, width: int, *, indent: str = "", fold: bool = False) -> list[str]:
    """Break at spaces so that no line is longer than `width`; lines after the first get `indent`.

    A word longer than the line stays whole, so that a path can still be copied; with `fold` it is cut.
    """
    lines: list[str] = []
    line = text[: len(text) - len(text.lstrip(" "))]
    begun = False
    words = list(_words(text.split(), width - len(indent), fold=fold))
    if fold and display_width("".join([line, *words[:1]])) > width:
        line = indent  # the text's own would push its first word over the edge
    for word in words:
        if begun and display_width(line) + 1 + display_width(word) > width:
            lines.append(line)
            line, begun = indent, False
        line += f" {word}" if begun else word
        begun = True
    return [*lines, line]


def paragraph(text: str, width: int, *, indent: str = "") -> str:
    """Wrap each line of `text` that is too long; the others stay exactly as they are."""
    lines: list[str] = []
    for line in text.split("\n"):
        own = line[: len(line) - len(line.lstrip(" "))] + indent
        lines += [line] if display_width(line) <= width else wrapped(line, width, indent=own)
    return "\n".join(lines)


def plain_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Align headings and rows, whatever width that takes: for pipes."""
    lines = [[column.heading for column in columns], *rows]
    return list(_aligned(columns, lines, _natural(columns, rows)))


def table_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, *, colour: bool = False
) -> list[str]:
    """The table for a terminal: aligned where it fits, else folded, else a card for each row."""
    widths = _fitted(columns, _natural(columns, rows), width)
    if widths is None:
        return list(_cards(columns, rows, width, colour=colour))
    headings = next(_aligned(columns, [[column.heading for column in columns]], widths))
    lines = [styled(headings, BOLD) if colour else headings, "─" * min(width, _total(widths))]
    for row in rows:
        cells = [
            wrapped(cell, columns_width, fold=True) for cell, columns_width in zip(row, widths, strict=True)
        ]
        height = max(map(len, cells), default=0)
        stacked = [[cell[at] if at < len(cell) else "" for cell in cells] for at in range(height)]
        lines += _aligned(columns, stacked, widths, colour=colour)
    return lines


def row_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, *, colour: bool = False
) -> list[str]:
    """The table with one line for each row, for a screen that is drawn again: what is too long ends in `…`.

    The widest columns give way first, whether they fold or not.
    """
    widths = _natural(columns, rows)
    while _total(widths) > width and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    lines = [[column.heading for column in columns], *rows]
    cut = [[_cut(cell, most) for cell, most in zip(line, widths, strict=True)] for line in lines]
    headings, *aligned = _aligned(columns, cut, widths, colour=colour)
    return [styled(headings, BOLD) if colour else headings, "─" * min(width, _total(widths)), *aligned]


def _cut(text: str, width: int) -> str:
    """As much of `text` as stands in `width` columns."""
    if display_width(text) <= width:
        return text
    while display_width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _natural(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    return [
        max([display_width(column.heading), *(display_width(row[index]) for row in rows)])
        for index, column in enumerate(columns)
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _fitted(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int] | None:
    """Widths that fit, taken from the widest folding column first; None when there is too little room."""
    widths = list(natural)
    folding = [index for index, column in enumerate(columns) if column.wrap]
    while _total(widths) > width:
        widest = max(folding, key=lambda index: widths[index], default=None)
        if widest is None or widths[widest] <= _LEAST_FOLDED:
            return None
        widths[widest] -= 1
    return widths


def _aligned(
    columns: Sequence[Column], lines: Iterable[Sequence[str]], widths: Sequence[int], *, colour: bool = False
) -> Iterator[str]:
    for line in lines:
        cells = []
        for column, cell, width in zip(columns, line, widths, strict=True):
            gap = " " * (width - display_width(cell))
            shown = painted(cell) if colour and column.heading == "state" else cell
            cells.append(gap + shown if column.align == "right" else shown + gap)
        yield _GAP.join(cells).rstrip()


def _cards(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, *, colour: bool
) -> Iterator[str]:
    """For each row what is short side by side, and what is long below it; nothing for what is empty."""
    long = _too_long(columns, _natural(columns, rows), width)
    for row in rows:
        cells = list(zip(columns, row, strict=True))
        short = [
            _labelled(column, cell)
            for index, (column, cell) in enumerate(cells)
            if index not in long and cell not in _NOTHING
        ]
        states = [cell for column, cell in cells if column.heading == "state"] if colour else []
        for line in beside(short, width):
            yield _paint(line, states)
        for index in long:
            if row[index] not in _NOTHING:
                yield from wrapped(f"{_GAP}{row[index]}", width, indent=_GAP, fold=True)


def _too_long(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """The folding columns that do not fit beside what stands before them."""
    long = []
    used = 0
    for index, column in enumerate(columns):
        if column.wrap and used + natural[index] > width:
            long.append(index)
        else:
            used += natural[index] + len(_GAP)
    return long


def beside(cells: Sequence[str], width: int) -> list[str]:
    """Cells beside each other, on as many lines as they need."""
    lines: list[str] = []
    for cell in cells:
        if lines and display_width(lines[-1]) + len(_GAP) + display_width(cell) <= width:
            lines[-1] += _GAP + cell
        else:
            lines += wrapped(cell if not lines else _GAP + cell, width, indent=_GAP, fold=True)
    return lines


def _labelled(column: Column, cell: str) -> str:
    """Numbers say what they count where no heading does."""
    return f"{cell} {column.heading}" if column.align == "right" else cell


def _paint(line: str, states: Sequence[str]) -> str:
    return _GAP.join(painted(cell) if cell in states else cell for cell in line.split(_GAP))


def _words(words: Iterable[str], width: int, *, fold: bool) -> Iterator[str]:
    """The words, those that are longer than a line cut into pieces if asked, paths where a folder ends."""
    for word in words:
        if not fold or display_width(word) <= width:
            yield word
            continue
        piece = ""
        for char in word:
            if piece and display_width(piece + char) > width:
                end = _folder_end(piece)
                yield piece[:end]
                piece = piece[end:]
            piece += char
        yield piece


def _folder_end(piece: str) -> int:
    """Where to cut a piece of a path: after its last slash, unless that leaves most of the line empty."""
    after = piece.rfind("/") + 1
    return after if after > len(piece) // 2 else len(piece)
