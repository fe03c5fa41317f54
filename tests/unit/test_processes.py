"""Whether a process of this machine has ended is known at once, and is never guessed (Q49)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.processes import has_ended, this_process

HERE = this_process()
TELL = "import json, sys, time; from lib.processes import this_process; print(json.dumps(this_process())); "

pytestmark = pytest.mark.skipif(HERE is None, reason="this system has no /proc")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"{TELL} sys.stdout.flush(); time.sleep(600)"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    yield process
    process.kill()
    process.communicate()


def test_a_process_is_told_from_its_corpse_before_its_parent_has_collected_it(
    child: subprocess.Popen[str],
) -> None:
    assert child.stdout is not None
    told = json.loads(child.stdout.readline())
    assert not has_ended(told)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has collected it

    assert has_ended(told)
    child.wait()
    assert has_ended(told)


def test_this_process_lives() -> None:
    assert not has_ended(HERE)


@pytest.mark.parametrize(
    "changes",
    [{"where": "another"}, {"where": None}, {"pid": "7"}, {"pid": -1}, {"pid": 0}, {"pid": True}],
    ids=str,
)
def test_nothing_is_said_of_a_process_elsewhere_or_of_nonsense(changes: dict[str, Any]) -> None:
    assert HERE is not None

    assert not has_ended({**HERE, "started": "0", **changes})
    assert not has_ended(None)
    assert not has_ended("7")


def test_another_process_of_the_same_number_is_another_one() -> None:
    assert HERE is not None

    assert has_ended({**HERE, "started": "1"})


def proc_of(folder: Path, stat: str | None) -> Path:
    (folder / "sys/kernel/random").mkdir(parents=True)
    (folder / "sys/kernel/random/boot_id").write_text("a boot\n")
    (folder / "self/ns").mkdir(parents=True)
    (folder / "self/ns/pid").symlink_to("pid:[1]")
    (folder / "42").mkdir()
    if stat is not None:
        (folder / "42/stat").write_text(stat)
    return folder


@pytest.mark.parametrize(
    ("stat", "ended"),
    [
        ("42 (a) b) c) S 1" + " 0" * 17 + " 777 0 0\n", False),
        ("42 (worker) Z 1" + " 0" * 17 + " 777 0 0\n", True),
        ("42 (worker) S 1" + " 0" * 17 + " 778 0 0\n", True),
        (None, True),
    ],
)
def test_the_table_of_processes_is_read_behind_the_name(
    tmp_path: Path, stat: str | None, ended: bool
) -> None:
    proc = proc_of(tmp_path, stat)
    (tmp_path / str(HERE and HERE["pid"])).mkdir()
    (tmp_path / str(HERE and HERE["pid"]) / "stat").write_text("1 (x) S 1" + " 0" * 17 + " 5 0\n")
    here = this_process(proc)
    assert here is not None
    assert here["started"] == "5"

    assert has_ended({**here, "pid": 42, "started": "777"}, proc) is ended


def test_a_system_without_such_a_table_says_nothing(tmp_path: Path) -> None:
    assert this_process(tmp_path) is None
    assert not has_ended(HERE, tmp_path)
