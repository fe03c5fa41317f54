"""One rule for the prefix of all keys, whoever reads it: the settings or the queue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import BadConfiguration
from lib.jobqueue import QueueOptions
from lib.settings.table import table

PREFIX = next(info.kind for info in table() if info.name == "JOBS_PREFIX")


def settings_take(prefix: str) -> bool:
    try:
        return bool(PREFIX.parse(prefix) == prefix)
    except ValueError:
        return False


def the_queue_takes(prefix: str) -> bool:
    try:
        return QueueOptions(prefix=prefix).prefix == prefix
    except BadConfiguration:
        return False


LONGEST = "a" * 64


@pytest.mark.parametrize("prefix", ["a", "pab:jobs", "{pab:jobs}", "A.b_c-d:9", LONGEST, f"{{{LONGEST}}}"])
def test_both_take_it(prefix: str) -> None:
    assert settings_take(prefix)
    assert the_queue_takes(prefix)


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "pab:",
        ":pab",
        "{pab",
        "pab}",
        "{}",
        "{a}b",
        "{{a}}",
        "a b",
        "a*",
        "é",
        f"{LONGEST}a",
        f"{{{LONGEST}a}}",
    ],
)
def test_neither_takes_it(prefix: str) -> None:
    assert not settings_take(prefix)
    assert not the_queue_takes(prefix)


@given(st.text(alphabet="aZ9:._-{}* \n", max_size=70) | st.from_regex(r"\{?[a:.]{60,67}\}?", fullmatch=True))
def test_what_one_takes_the_other_takes(prefix: str) -> None:
    assert settings_take(prefix) == the_queue_takes(prefix)
