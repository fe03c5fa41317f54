"""What others wrote is bounded at every door: nothing nested ends the process or leaves a traceback."""

from __future__ import annotations

import json
import time

import pytest

from lib.foreign import DEEPEST, TooDeep, is_deeper, parse_json, parse_toml
from tests.unit.house import ROOT, module_of

PACKAGES = ("lib", "job_runner", "job_watcher", "job_pipeline", "job_console", "synth")

#: Who keeps rows of its own.
OWN_ROWS = ("lib/jobqueue/", "lib/pipeline/")

#: Who may turn JSON of others into values by itself, and why nothing deep comes there.
JSON_READERS = {
    "lib/foreign.py",
    "lib/jobspec/files/jsontree.py",  # single texts in quotes
    "lib/spool/checked_json.py",  # with the same bound
    "lib/manifest/obsolete_files.py",  # a record too deep is no record
    "lib/dispatch/journal.py",  # so is a line of the journal
    "synth/engines/espeak/library_host.py",  # what the process that started it writes, by itself
    "synth/verify/recognizer_host.py",  # so does this
}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_json_of_64_levels_is_read_and_of_65_is_not() -> None:
    assert parse_json(nested(DEEPEST)) == json.loads(nested(DEEPEST))

    with pytest.raises(TooDeep, match="deeper than 64 levels"):
        parse_json(nested(DEEPEST + 1))


@pytest.mark.parametrize("text", ["[" * 10_000_000, '{"a":' * 2_000_000, nested(2_000_000)])
def test_json_nested_a_million_times_is_a_sentence_at_once(text: str) -> None:
    started = time.process_time()

    with pytest.raises(ValueError, match=r"levels|Expecting"):
        parse_json(text)

    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 500_000,
        "a = " + nested(80),
        "a" + ".a" * 500_000 + " = 1",
        '"a"' + '."a"' * 200_000 + " = 1",
        "[a" + ".a" * 500_000 + "]",
        "a = {a" + ".a" * 300_000 + " = 1}",
        'x = "' + '\\"' * 500_000 + "\na" + ".a" * 30_000 + " = 1",
    ],
    ids=lambda text: text[:12],
)
def test_toml_nested_a_million_times_is_a_sentence_at_once(text: str) -> None:
    started = time.process_time()

    with pytest.raises(TooDeep):
        parse_toml(text)

    assert time.process_time() - started < 2


def test_dots_in_texts_and_comments_nest_nothing() -> None:
    dots = "." * 5_000

    assert parse_toml(f"a = \"{dots}\"\nb = '{dots}'  # {dots}\nc = 1.5\n") == {
        "a": dots,
        "b": dots,
        "c": 1.5,
    }


def test_mappings_count_as_lists_do() -> None:
    assert is_deeper({"a": [{"b": []}]}, 3)
    assert not is_deeper({"a": [{"b": []}]}, 4)


def calls(name: str) -> set[str]:
    """The files of the programs and the library that name it."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if name in path.read_text(encoding="utf-8") and module_of(path):
                found.add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("name", ["yaml.load(", "safe_load(", "Loader=", "yaml.compose(", "CSafeLoader("])
def test_nothing_is_built_by_a_yaml_loader_that_calls_itself(name: str) -> None:
    assert calls(name) == set()


def test_yaml_is_parsed_in_one_place() -> None:
    assert calls("CParser(") == {"lib/foreign.py"}
    assert calls("yaml_events(") == {
        "lib/foreign.py",
        "lib/jobspec/files/replaced_values.py",
        "lib/jobspec/files/yamltree.py",
        "lib/voices/flatyaml.py",
    }


def test_toml_is_read_in_one_place() -> None:
    assert calls("tomllib.load") == {"lib/foreign.py"}


def test_json_of_others_is_read_with_the_bound() -> None:
    """Rows that only our own statements and scripts write are read as they are."""
    others = {name for name in calls("json.load") if not name.startswith(OWN_ROWS)}
    assert others == JSON_READERS
