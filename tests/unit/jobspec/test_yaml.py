"""The YAML reader: the same values as `yaml.safe_load`, and an answer for any bytes (Q2, Q7)."""

from __future__ import annotations

import gc
import math
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lib.jobspec import InvalidJobFile, load_job_file, parse_job_file
from lib.jobspec.files.yamltree import LinedDict, LinedList, read_yaml

BAD = Path(__file__).parents[2] / "corpus/bad"
JOB = b"- {output_name: a, text: Hello., voice: newsroom}\n"
WORDS = (
    *("~", "null", "Null", "NULL", "yes", "Yes", "YES", "no", "on", "Off", "true", "TRUE", "False", "y", "n"),
    *(".inf", "-.INF", ".nan", ".NaN", "=", "-", "."),
)
SCALARS = st.one_of(
    st.from_regex(r"[-+]?[0-9][0-9_.:eE+-]{0,12}", fullmatch=True),
    st.from_regex(r"[-+]?0[xob]?[0-9a-f_]{1,8}", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.]{5,12}(Z|[-+][0-9:]{1,5})?)?", fullmatch=True),
    st.sampled_from(WORDS),
    st.from_regex(r"[A-Za-z0-9.~=+-][A-Za-z0-9.:_+ ~=-]{0,10}", fullmatch=True),
)


def _messages(data: bytes) -> list[str]:
    with pytest.raises(InvalidJobFile) as caught:
        parse_job_file(data, name="jobs.yaml", base_dir=None)
    return [str(problem) for problem in caught.value.problems]


#: `safe_load` makes 8 of 010 and 750 of 12:30; we ask what was meant.
OF_ANOTHER_BASE = r"[-+]?0[0-7_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"


@given(scalar=SCALARS)
@example(scalar="010")
@example(scalar="-1:30.5")
@example(scalar="0o17")
@example(scalar="1_000")
@example(scalar="190:20:30")
@example(scalar="2001-12-14t21:59:43.10-05:00")
@example(scalar="685.230_15e+03")
def test_an_unquoted_scalar_means_what_it_means_to_safe_load(scalar: str) -> None:
    data = f"- {scalar}\n- [{scalar}]\n- key: {scalar}\n".encode()
    try:
        expected = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, OverflowError):
        return  # safe_load gives up; what we say then is tested below
    tree = read_yaml(data)
    if re.fullmatch(OF_ANOTHER_BASE, scalar) and not isinstance(expected[0], str):
        assert [flaw.path for flaw in tree.flaws] == [(0,), (1, 0), (2, "key")]
        assert all("so YAML reads it in base" in flaw.message for flaw in tree.flaws)
        return

    assert not tree.flaws
    assert _comparable(tree.root) == _comparable(expected)


TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(tree=TREES, flow=st.sampled_from([None, True, False]))
def test_whole_trees_are_those_of_safe_load(tree: Any, flow: bool | None) -> None:
    data = yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=True).encode("utf-8", "replace")

    read = read_yaml(data)

    if not read.flaws:
        assert _comparable(read.root) == _comparable(yaml.safe_load(data))
    else:  # only numbers too long to mean one, and what no YAML file can hold
        assert all("number of" in flaw.message or "no valid YAML" in flaw.message for flaw in read.flaws)


def _comparable(value: Any) -> Any:
    """With types, and with NaN equal to itself."""
    if isinstance(value, dict):
        return {_comparable(key): _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return (type(value).__name__, value)


def test_mappings_and_lists_know_their_lines() -> None:
    root = read_yaml(b"# comment\njobs:\n- a: 1\n  b:\n    c: 2\n-\n  d: 3\n").root

    assert isinstance(root, LinedDict)
    assert root.lines == {"jobs": 2}
    jobs = root["jobs"]
    assert isinstance(jobs, LinedList)
    assert jobs.lines == [3, 7]
    assert jobs[0].lines == {"a": 3, "b": 4}
    assert jobs[0]["b"].lines == {"c": 5}


def test_an_alias_is_the_value_of_its_anchor() -> None:
    assert read_yaml(b"a: &x [1, {b: 2}]\nc: *x\nd: &y text\n*y : 3\n").root == {
        "a": [1, {"b": 2}],
        "c": [1, {"b": 2}],
        "d": "text",
        "text": 3,
    }


PIECES = st.lists(
    st.sampled_from(
        [
            *(
                b"&a ",
                b"*a ",
                b"!!str ",
                b"!",
                b"[",
                b"]",
                b"{",
                b"}",
                b": ",
                b"- ",
                b"\n",
                b"\n  ",
                b"? ",
                b"|\n",
            ),
            *(b">", b"'", b'"', b"%YAML 1.1\n", b"---\n", b"...\n", b"<<", b"\t", b"\\ud800", b"\xff"),
            *(b"\xc2\x85", b"\xef\xbb\xbf", b"#", b",", b"1e999", b".nan", b"2001-99-99", b"1:99", b"\x00"),
            *(b"jobs", b"defaults", b"output_name: a", b"text: Hello.", b"voice: v", b"!%ED%A0%80 x"),
            b"callback_data: ",
        ]
    )
    | st.binary(max_size=3),
    max_size=25,
).map(b"".join)


@given(data=PIECES | st.binary())
def test_any_bytes_give_jobs_or_one_kind_of_error(data: bytes) -> None:
    """Q7."""
    problems = _told(data)

    assert problems is None or problems
    assert all(problem.startswith("jobs.yaml") and "\n" not in problem for problem in problems or ())


def _told(data: bytes) -> list[str] | None:
    try:
        parse_job_file(data, name="jobs.yaml", base_dir=None)
    except InvalidJobFile as error:
        return [str(problem) for problem in error.problems]
    return None


@pytest.mark.timeout(10)
@pytest.mark.parametrize("levels", [5, 9, 60])
def test_an_alias_bomb_is_refused_at_once(levels: int) -> None:
    """Q7."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]

    started = time.monotonic()
    assert any("repeats too much by aliases" in message for message in _messages("\n".join(lines).encode()))
    assert time.monotonic() - started < 5


def test_a_long_text_repeated_by_aliases_is_refused() -> None:
    """Q7."""
    data = b"- &big '" + b"x" * 100_000 + b"'\n" + b"- *big\n" * 1000

    assert any("repeats too much" in message for message in _messages(data))


def test_one_block_of_settings_may_be_shared_by_thousands_of_jobs() -> None:
    first = b"- {output_name: n, text: Hello., voice: v, callback_data: &c {a: 1, b: {c: [1, 2]}}}\n"
    data = first + b"".join(
        b"- {output_name: n%d, text: Hello., voice: v, callback_data: *c}\n" % n for n in range(2000)
    )

    assert len(parse_job_file(data, name="jobs.yaml", base_dir=None).specs) == 2001


@pytest.mark.parametrize("opening", [b"[", b"- ", b"{a: ", b"[{a: "])
def test_64_levels_are_accepted_and_65_are_not(opening: bytes) -> None:
    """Q7."""
    per_opening = 2 if opening == b"[{a: " else 1
    for levels, fine in ((64, True), (66 if per_opening == 2 else 65, False)):
        closing = {b"[": b"]", b"- ": b"", b"{a: ": b"}", b"[{a: ": b"}]"}[opening]
        count = levels // per_opening
        tree = read_yaml(opening * count + b"1" + closing * count)
        assert bool([flaw for flaw in tree.flaws if "deeper than 64" in flaw.message]) is not fine


@pytest.mark.timeout(20)
@pytest.mark.parametrize("data", [b"[" * 1_000_000, b"- " * 1_000_000, b"{a: " * 300_000, b"1:" * 2_000_000])
def test_hostile_nesting_and_numbers_do_not_take_long(data: bytes) -> None:
    """Q7."""
    assert _messages(data)


def test_a_file_may_have_64_mib_and_not_a_byte_more() -> None:
    """Q7."""
    padding = b"#" * (64 * 1024 * 1024 - len(JOB))

    assert len(parse_job_file(JOB + padding, name="jobs.yaml", base_dir=None).specs) == 1
    assert _messages(JOB + padding + b"#") == ["jobs.yaml: is larger than 64 MiB; make several files of it"]


def test_the_first_document_is_checked_even_when_a_second_follows() -> None:
    """Q7."""
    messages = _messages(b"- {output_name: ../a, text: Hello., voice: v}\n---\n- more\n")

    assert [message.split(":")[1] for message in messages] == ["1", "2"]


def test_the_garbage_collector_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            parse_job_file(JOB, name="jobs.yaml", base_dir=None)
            _messages(b"[")
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_a_file_that_cannot_be_read_is_a_problem_like_any_other(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(InvalidJobFile, match="cannot be read"):
            load_job_file(path)


def test_a_loaded_file_knows_its_path_and_the_line_of_each_job(tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    (tmp_path / "words.txt").write_text("Words.")
    path.write_text(
        "defaults: {voice: newsroom}\njobs:\n- output_name: a\n  text_file: words.txt\n\n- output_name: b\n"
        "  text: Hello.\n"
    )

    read = load_job_file(path)

    assert read.path == path
    assert read.lines == (3, 6)
    assert [spec.text for spec in read.specs] == ["Words.", "Hello."]


def test_the_python_parser_gives_the_same_where_the_c_parser_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = b"- {output_name: a, text: 'Hello.', voice: v, seed: 7, callback_data: &c {x: [1, ~]}}\n"
    expected = parse_job_file(data, name="jobs.yaml", base_dir=None)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)

    assert parse_job_file(data, name="jobs.yaml", base_dir=None) == expected
    assert "no valid YAML" in _messages(b"- 'a\n")[0]
    assert "no valid YAML" in _messages(b"- \x01\n")[0]


@pytest.mark.parametrize("path", sorted(BAD.glob("yaml-*.yaml")), ids=lambda path: path.stem)
def test_both_parsers_lead_to_the_same_line_and_advice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for with_c in (True, False):
        monkeypatch.setattr(yaml, "__with_libyaml__", with_c)
        with pytest.raises(InvalidJobFile) as caught:
            parse_job_file(path.read_bytes(), name="jobs.yaml", base_dir=None)
        found.append([(problem.line, problem.suggestion) for problem in caught.value.problems])

    assert found[0] == found[1]
