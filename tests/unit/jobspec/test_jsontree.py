"""The JSON reader: the standard library's values with their lines, and an answer for any bytes (Q15)."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.jobspec.files.jsontree import read_json
from lib.jobspec.files.yamltree import LinedDict, LinedList
from tests.unit.jobspec.jobs import JSON_VALUES

BROKEN_JSON = {
    b"": "the file is empty",
    b'{"a": 1': '"," or "}" is missing',
    b'{"a": 1,}': "nothing follows the last",
    b"[1, 2,]": "nothing follows the last",
    b"[1 2]": '"," or "]" is missing',
    b"{a: 1}": 'the key a stands without quotes; write "a"',
    b'{"a" 1}': '":" is missing behind the key "a"',
    b'{"a" = 1}': 'a = stands where JSON has a colon; write ":"',
    b'{"a": 1; "b": 2}': "a ; stands where JSON has a comma",
    b'{"a": 1\n"b": 2}': "a comma is missing before this",
    b"[NaN]": "NaN is no JSON value; write null",
    b"[Infinity]": "no JSON value",
    b'{"a": True}': "True is no JSON value; write true",
    b'{"a": None}': "None is no JSON value; write null",
    b'{"a": undefined}': "undefined is no JSON value; write null",
    b"[hello]": '"hello" is no JSON value; texts stand in quotes',
    b"[-]": "stands without a number",
    b"[01]": "a number has a zero in front",
    b"[0x10]": "a number has a zero in front",
    b"[+1]": "a number begins with +; leave the + away",
    b"[.5]": "a number begins with a point; write 0.5",
    b"[5.]": "a number ends in a point",
    b"[12:30]": "something stands behind a number; put quotes around it if it is text",
    b"['a']": "a text stands in single quotes; write it in double quotes",
    "[“a”]".encode(): "a text stands in typographic quotes",
    "{\u00a0}".encode(): "the character U+00A0 (no-break space) stands here; write an ordinary space",
    b'["a\nb"]': r"not ended on its line; close the quote, or write the line break as \n",
    b'["a\tb"]': r"holds the character U+0009; write it as \t",
    b'["a': "a text is never ended",
    b'["\\x"]': r'"\x" is no escape; write a backslash as \\',
    b'["C:\\new\\users"]': r'"\u" is no escape',
    b'["he said "no" loudly"]': r"a text ends before this word; write a quote inside of a text as \"",
    b"[1] 2": "behind the end",
    b"[1] // why": "a comment stands here, and JSON has none; take it away",
    b"// why\n[1]": "a comment stands here",
    b"/* why */ [1]": "a comment stands here",
    b'{"a": 1, # why\n"b": 2}': "a comment stands here",
    b"```json\n[1]\n```": "a code fence stands here; take the lines with ``` away",
    b"[1]\n```\n": "a code fence stands here",
    b"Here it is:\n[1]": "words stand before the value; keep only what is between { and }",
    b"[1]\nThat is all.": "words stand behind the value",
    b"[1]\n[2]": "a second value begins here",
    b"[1, ...]": "dots stand here for something left out",
    b"topic: tides\nbeats: []\n": "this looks like YAML; give a job file in YAML to job-runner enqueue",
    b"\xff\xfe[\x00]\x00": "is UTF-16, not UTF-8; save it as UTF-8",
    b'["caf\xe9"]': "is not UTF-8: byte 0xe9; save it as UTF-8",
}


@given(value=JSON_VALUES, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_what_the_standard_library_writes_is_read_as_it_was(
    value: object, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    tree = read_json(text.encode())

    assert not tree.flaws
    assert tree.root == value
    assert json.dumps(tree.root) == json.dumps(value)  # 1 is not 1.0 and not true


@given(data=st.binary(max_size=40) | st.text(alphabet='{}[]",:0123456789.eE-+ntf\\u\n x').map(str.encode))
@example(data=b'"\\ud800"')
@example(data=b"1e999")
@example(data=b"\xef\xbb\xbf[]")
def test_any_bytes_are_read_exactly_when_the_standard_library_reads_them(data: bytes) -> None:
    tree = read_json(data)

    def unlike_json(word: str) -> object:
        raise ValueError(word)

    try:
        expected = json.loads(data.decode("utf-8-sig"), parse_constant=unlike_json)
    except (ValueError, RecursionError):
        assert tree.flaws
        return
    repeated = all("stands twice" in flaw.message for flaw in tree.flaws)
    assert repeated
    if not tree.flaws:
        assert tree.root == expected


@pytest.mark.parametrize("data", BROKEN_JSON, ids=repr)
def test_a_break_of_the_grammar_says_what_is_wrong(data: bytes) -> None:
    tree = read_json(data)

    assert not tree.complete
    flaw = tree.flaws[-1]
    assert BROKEN_JSON[data] in f"{flaw.message}; {flaw.suggestion}"


def test_each_key_and_item_has_its_line() -> None:
    tree = read_json(b'{"a": 1,\n\n "b": [2,\n 3\n], "c": {}}')

    assert isinstance(tree.root, LinedDict)
    assert tree.root.lines == {"a": 1, "b": 3, "c": 5}
    items = tree.root["b"]
    assert isinstance(items, LinedList)
    assert items.lines == [3, 4]


def test_a_key_that_stands_twice_is_a_flaw_and_the_first_value_counts() -> None:
    tree = read_json(b'{"a": 1,\n "a": 2, "b": 3}')

    assert tree.complete
    assert tree.root == {"a": 1, "b": 3}
    assert [(flaw.line, flaw.path) for flaw in tree.flaws] == [(2, ("a",))]


def test_nesting_is_bounded() -> None:
    assert read_json(b"[" * 64 + b"]" * 64).complete
    assert "64 levels" in read_json(b"[" * 65 + b"]" * 65).flaws[0].message
    assert "64 levels" in read_json(b'{"a":' * 100_000).flaws[0].message


def test_a_number_of_thousands_of_digits_is_a_flaw_not_a_wait() -> None:
    assert "400 digits" in read_json(b"[" + b"9" * 1_000_000 + b"]").flaws[0].message
