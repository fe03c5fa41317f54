"""The commands of the first page work as typed in a clone: the files and jobs they name are there (Q44)."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from lib.jobspec import load_request_ids

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted(ROOT.glob("*.example.yaml")) + sorted(ROOT.glob("*.example.json"))
#: What follows these is made by the command, not read.
MADE = ("--out", "-o", "--out-exact", "--json-result")
FILE = re.compile(r"[\w./-]+\.(?:yaml|json|txt)|[\w-]+/[\w./-]+")
REQUEST_ID = re.compile(r"[a-z][\w./~-]*:[\w.~:-]+")
PREFIX = re.compile(r"[a-z][\w-]*/")


def commands() -> list[str]:
    spans = [*re.findall(r"`(\./run [^`\n]+)`", PAGE), *re.findall(r"^(\./run [^\n]+)$", PAGE, re.MULTILINE)]
    return [f"./run job-runner {span}" if not span.startswith("./run") else span for span in spans]


def words_read(command: str) -> list[str]:
    """The words of a command that name something which must be there."""
    words = shlex.split(command)[1:]
    return [word for before, word in pairwise(words) if before not in MADE and not word.startswith("-")]


def test_the_page_names_enough_commands_for_this_to_mean_something() -> None:
    assert len(commands()) > 20


@pytest.mark.parametrize("command", commands())
def test_what_a_command_names_is_in_a_clone(command: str) -> None:
    known = {name for path in EXAMPLES for name in load_request_ids(path)}
    for word in words_read(command):
        assert word != "ID", f"{command} names no job"
        if REQUEST_ID.fullmatch(word):
            assert word in known, f"{command} names the job {word}, which is in no example"
        elif PREFIX.fullmatch(word):
            assert any(name.startswith(word.replace("/", ":")) for name in known), command
        elif FILE.fullmatch(word):
            assert (ROOT / word).is_file(), f"{command} names {word}, which is not there"
