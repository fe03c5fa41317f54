"""Every condition of the Lua scripts, each way to take it away, and whether a test notices.

    python -m tests.integration.jobqueue.guards all [--jobs N]     try all, print guards.txt anew
    python -m tests.integration.jobqueue.guards new [--jobs N]     try those that are not in it
    python -m tests.integration.jobqueue.guards untried [--jobs N] try those that it marks so
    python -m tests.integration.jobqueue.guards one ID             try one, and show the tests

A mutant is one condition forced to true or false, or one operand of its "and" or "or" left out. guards.txt
lists them all; those that change nothing that can be seen stand there with the reason, and "untried" marks
those that no run has tried since they were written.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.doubles import lua_scripts

HERE: Final = Path(__file__).parent
LIST: Final = HERE / "guards.txt"
UNTRIED: Final = "untried"
# The quickest to notice first.
_SUITES: Final = (
    "tests/contract/jobqueue",
    "tests/integration/jobqueue/test_asking.py",
    "tests/integration/jobqueue/test_places.py",
    "tests/integration/jobqueue/test_staging.py",
    "tests/integration/jobqueue/test_staged_asking.py",
    "tests/integration/jobqueue/test_server_trouble.py",
    "tests/integration/jobqueue/test_memory_full.py",
    "tests/integration/jobqueue/test_idle_and_consumers.py",
    "tests/integration/jobqueue/test_lost_replies.py",
    "tests/integration/jobqueue/test_safety_net.py",
    "tests/integration/jobqueue/test_guarded.py",
    "tests/integration/jobqueue/test_side_by_side.py",
)
_SUITES_OF: Final = {
    "line": ("tests/contract/jobqueue/test_line_by_batch.py",),
    "lock": (
        "tests/integration/jobqueue/test_guarded.py",
        "tests/integration/machines/test_leader.py",
        "tests/integration/machines/test_market.py",
    ),
    "flush": ("tests/integration/jobs/test_flush.py", "tests/integration/jobs/test_reconcile.py"),
    "repair": (
        "tests/integration/jobs/test_reconcile.py",
        "tests/integration/jobs/test_reconcile_together.py",
        "tests/integration/jobs/test_flush.py",
    ),
}
_CONDITION: Final = re.compile(r"\b(?:if|elseif|while)\s+(?P<c>.+?)\s+(?:then|do)\b")
_CHOICE: Final = re.compile(
    r"(?:return |(?<![=~<>])= |, )(?P<c>[^=,]*?(?:==|>=|<=|~=|>|<|not |\w\])[^,]*?) and [^ ]+ or "
)
_TEST: Final = re.compile(r"^\s*(?:return|local \w+ =) (?P<c>[^{]*? (?:and|or) (?!.* or ).+)$")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One condition of a script, and what is put in its place."""

    script: str
    line: str
    condition: str
    put: str
    twin: int = 0  # which one, when a script has the same line twice

    @property
    def id(self) -> str:
        """As in guards.txt."""
        number = f"#{self.twin + 1}" if self.twin else ""
        return f"{self.script}{number} | {self.condition} | {self.put}"

    def apply(self, text: str) -> str:
        """The script with it."""
        found = [match.start() for match in re.finditer(re.escape(self.line), text)]
        start = found[self.twin]
        return text[:start] + self.line.replace(self.condition, self.put, 1) + text[start + len(self.line) :]


def mutants() -> list[Mutant]:
    """All, in the order of the files."""
    found = [mutant for name in [*lua_scripts.names(), *lua_scripts.SHARED] for mutant in _of_script(name)]
    return list({mutant.id: mutant for mutant in reversed(found)}.values())[::-1]


def _of_script(name: str) -> Iterator[Mutant]:
    seen: dict[str, int] = {}
    for raw in lua_scripts.source(name).splitlines():
        line = raw.split(" -- ")[0]
        if line.startswith("--"):
            continue
        twin = seen.get(line, 0)
        seen[line] = twin + 1
        for condition in _conditions(line):
            for put in [*_forced(line, condition), *_without_one(condition)]:
                yield Mutant(name, line, condition, put, twin)


def _conditions(line: str) -> list[str]:
    found = [match["c"] for match in _CONDITION.finditer(line)]
    found += [match["c"] for match in _CHOICE.finditer(line)]
    if not found:
        found += [match["c"] for match in _TEST.finditer(line)]
    return [text for text in dict.fromkeys(found) if not text.startswith("_") and _whole(text)]


def _whole(text: str) -> bool:
    """Whether every bracket in it has its other half: what is cut through is no program any more."""
    return text.count("(") == text.count(")")


def _forced(line: str, condition: str) -> list[str]:
    return ["false"] if re.search(r"\bwhile\b", line) else ["true", "false"]


def _without_one(condition: str) -> list[str]:
    """The condition without each one of its operands; a group in brackets is one of them."""
    for word in (" or ", " and "):
        operands = _operands(condition, word)
        if len(operands) > 1:
            rests = (operands[:at] + operands[at + 1 :] for at in range(len(operands)))
            return [word.join(rest) for rest in rests]
    return []


def _operands(condition: str, word: str) -> list[str]:
    found: list[str] = []
    for piece in condition.split(word):
        if found and not _whole(found[-1]):
            found[-1] += word + piece  # it was cut inside brackets
        else:
            found.append(piece)
    return found


def listed() -> dict[str, str]:
    """guards.txt: id to the reason it survives, empty when a test notices."""
    found = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition("  -- ")
            found[name.strip()] = reason.strip()
    return found


def text_with(mutant: Mutant) -> Callable[[str, str], str]:
    """What to give to `lua_scripts.put_in`."""
    return lambda name, text: mutant.apply(text) if name == mutant.script else text


class OneKind:
    """Of the suites that run on many servers, only the plain one. Knows the first test that turned red."""

    def __init__(self) -> None:
        self.red = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = [item for item in items if _wanted(item)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember it."""
        if report.failed and not self.red:
            self.red = report.nodeid


def _wanted(item: pytest.Item) -> bool:
    kind = item.callspec.params.get("make_queue") if hasattr(item, "callspec") else None
    return kind in (None, "redis") and item.get_closest_marker("soak") is None


def noticed(mutant: Mutant, suites: Sequence[str] = ()) -> str:
    """The test that turns red in this process, which must be a new one; "" when none does.

    It must do so twice: on a busy machine a test that watches the time may turn red for that alone.
    `suites` are the files asked, all that could notice where none are given.
    """
    lua_scripts.put_in(pytest.MonkeyPatch(), text_with(mutant))  # for as long as the process lives
    suites = suites or _SUITES_OF.get(mutant.script.partition("_")[0], _SUITES)
    suites = tuple(suite for suite in suites if Path(suite).exists())
    false_alarms: list[str] = []
    while red := _first_red(*suites, *(f"--deselect={name}" for name in false_alarms)):
        if _first_red(red):
            break
        false_alarms.append(red)
    return red


def _first_red(*words: str) -> str:
    always = ["-x", "-q", "--no-header", "--tb=no", "--timeout", "120", "-p", "no:cacheprovider"]
    # what a red test leaves lying about (threads, files) would end the next run of this process
    always += ["-p", "no:unraisableexception", "-p", "no:threadexception"]
    # the same examples each time, or what one run notices the next may miss
    always += ["--hypothesis-seed", "0"]
    plugin = OneKind()
    ended = pytest.main([*always, *words], plugins=[plugin])
    if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the tests did not run: {ended!r}")
    return plugin.red


def _quietly(mutant: Mutant, suites: Sequence[str]) -> str:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return noticed(mutant, suites)


def try_all(
    wanted: Sequence[Mutant], jobs: int = 1, suites: Sequence[str] = ()
) -> Iterator[tuple[Mutant, str]]:
    """Each with the test that noticed, "" for none; each in its own process; `suites` as for `noticed`."""
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=1) as pool:
        yield from zip(wanted, pool.imap(functools.partial(_quietly, suites=suites), wanted), strict=True)


def _old(reason: str | None) -> str:
    return "" if reason in (None, UNTRIED) else str(reason)


def _asked(what: str, reason: str | None) -> bool:
    return what == "all" or reason is None or (what == "untried" and reason == UNTRIED)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["all", "new", "untried", "one"])
    parser.add_argument("id", nargs="?")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="the scripts whose names match this expression")
    given = parser.parse_args()
    by_id = {mutant.id: mutant for mutant in mutants()}
    if given.what == "one":
        sys.exit(0 if noticed(by_id[given.id]) else 1)
    known = listed() if LIST.exists() else {}
    wanted = [mutant for name, mutant in by_id.items() if _asked(given.what, known.get(name))]
    wanted = [mutant for mutant in wanted if re.match(given.only, mutant.script)]
    for mutant, red in try_all(wanted, given.jobs):
        reason = "" if red else f"  -- {_old(known.get(mutant.id)) or 'SURVIVES'}"
        print(f"{mutant.id}{reason}", flush=True)
        print(f"# {red or 'no test'}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
