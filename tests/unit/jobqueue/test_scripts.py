"""Each script's header is its interface (Q30, Q31), and the transitions it states are those of the table."""

from __future__ import annotations

import re

import pytest

from lib.jobqueue.lifecycle import TRANSITIONS, JobEvent
from lib.jobqueue.model import JobState
from lib.jobqueue.redis.keys import SUFFIXES, Keys
from tests.doubles import lua_scripts as scripts

NAMES = scripts.names()
UNFLAGGED = {"enqueue", "stage", "commit", "retry"}  # what adds work is refused when memory is full


def parts(name: str) -> tuple[str, str]:
    """Header (the comment at the top) and body."""
    lines = scripts.source(name).splitlines()[1:]
    length = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[:length]), "\n".join(lines[length:])


def numbers(pattern: str, text: str) -> set[int]:
    return {int(found) for found in re.findall(pattern, text)}


def transitions(name: str) -> set[tuple[str, str, str]]:
    """Those the header states after "Transitions:"."""
    header = parts(name)[0].replace("\n--", " ")
    stated = re.search(r"Transitions: (.*?)(?:  KEYS|$)", header, re.DOTALL)
    return set(re.findall(r"(\w+) -(\w+)-> (\w+)", stated.group(1))) if stated else set()


@pytest.mark.parametrize("name", NAMES)
def test_the_header_names_exactly_the_keys_the_body_uses(name: str) -> None:
    header, body = parts(name)
    stated = numbers(r"(?m)^-- KEYS\[(\d+)\]", header)
    used = numbers(r"KEYS\[(\d+)\]", body)
    if "KEYS[i]" in body:  # a loop over some keys states its bounds as numbers
        low, high = re.findall(r"for i = (\d+), (\d+) do", body)[0]
        used |= set(range(int(low), int(high) + 1))

    assert used == stated
    assert stated == set(range(1, len(stated) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_the_header_names_exactly_the_arguments_the_body_uses(name: str) -> None:
    header, body = parts(name)
    stated = numbers(r"(?m)^-- ARGV\[(\d+)\]", header)
    used = numbers(r"ARGV\[(\d+)\]", body) | numbers(r"FIRST, WIDTH = (\d+)", body)
    used |= numbers(r"for at = (\d+), #ARGV", body)

    assert used == stated
    assert stated == set(range(1, len(stated) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_the_header_says_what_why_and_what_is_returned(name: str) -> None:
    header, _ = parts(name)

    assert header.startswith(f"-- {name}: ")
    assert "\n-- Why a script: " in header
    assert "\n-- Returns " in header


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_a_known_one(name: str) -> None:
    assert set(scripts.load(name).keys) <= set(SUFFIXES) | {"batch"}


@pytest.mark.parametrize("name", NAMES)
def test_what_running_work_needs_is_allowed_when_memory_is_full(name: str) -> None:
    first = scripts.load(name).text.partition("\n")[0]

    assert first == ("#!lua" if name in UNFLAGGED else "#!lua flags=allow-oom")


@pytest.mark.parametrize("name", NAMES)
def test_the_prelude_stands_between_flags_and_script(name: str) -> None:
    text = scripts.load(name).text

    assert text.index("local function clock") < text.index(f"-- {name}: ")
    assert not re.search(r"KEYS\[|ARGV\[", scripts.source("clock") + scripts.source("prelude"))


def test_the_scripts_transitions_together_are_the_table() -> None:
    stated = {found for name in NAMES for found in transitions(name)}
    table = {
        (before.value if before else "none", event.value, after.value if after else "none")
        for (before, event), after in TRANSITIONS.items()
        if event is not JobEvent.FORGOTTEN  # retention, in the prelude: not a script of its own
    }

    assert stated == table


@pytest.mark.parametrize("name", NAMES)
def test_a_script_tells_only_of_transitions_it_states(name: str) -> None:
    _, body = parts(name)
    stated = {event for _, event, _ in transitions(name)} | {"paused", "resumed"}
    told = set(re.findall(r"'(\w+)'", " ".join(re.findall(r"append_event\(.*|event\(.*", body))))
    events = {event.value for event in JobEvent} | {"paused", "resumed"}
    states = {state.value for state in JobState}

    assert {word for word in told & events if word not in states} <= stated


def test_on_a_cluster_all_keys_share_one_hash_tag() -> None:
    keys = Keys("pab:jobs", cluster=True)

    assert all(keys[name].startswith("{pab:jobs}:") for name in SUFFIXES)
    assert keys.batch("b1") == "{pab:jobs}:batch:b1"


def test_the_documented_names_of_the_fixed_keys() -> None:
    keys = Keys("pab:jobs")
    names = ("normal", "high", "low", "result", "failed", "watcher", "events")

    assert keys.named(names) == [
        "pab:jobs:stream",
        "pab:jobs:stream:high",
        "pab:jobs:stream:low",
        "pab:jobs:result",
        "pab:jobs:failed",
        "pab:jobs:watcher",
        "pab:jobs:events",
    ]
