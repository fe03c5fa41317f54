"""Entries of SSH_MACHINES, and the term that a successor ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_watcher.providers.last_term import LastTerm
from job_watcher.providers.over_ssh.machine_spec import MachineSpec, read_machines
from lib.errors import BadConfiguration
from lib.jobqueue import Term


@pytest.mark.parametrize(
    ("entry", "cores", "gpus", "count"),
    [
        ("me@host", 1, 0, 1),
        ("me@host", 16, 0, 4),
        ("me@host:2222*6", 2, 0, 6),
        ("me@host*gpu", 2, 3, 3),
        ("me@host*gpu", 2, 0, 1),
    ],
)
def test_how_many_workers_a_machine_gets(entry: str, cores: int, gpus: int, count: int) -> None:
    assert MachineSpec.read(entry).count(cores, gpus) == count


@pytest.mark.parametrize("entries", [["host"], ["me@host*many"], ["me@host", "me@host:22*2"], []])
def test_what_cannot_be_meant_is_one_sentence(entries: list[str]) -> None:
    with pytest.raises(BadConfiguration, match="SSH_MACHINES"):
        read_machines(entries, "SSH_MACHINES of the environment")


def test_a_term_is_known_to_the_next_in_the_folder_until_it_ended(tmp_path: Path) -> None:
    LastTerm(tmp_path).write(Term(3, "secret"))
    assert LastTerm(tmp_path).read() == Term(3, "secret")
    LastTerm(tmp_path).write(None)
    assert LastTerm(tmp_path).read() is None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"epoch": "x", "token": 1}', b"[" * 9000])
def test_a_file_that_cannot_be_read_names_no_term(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "term").write_bytes(data)
    assert LastTerm(tmp_path).read() is None
