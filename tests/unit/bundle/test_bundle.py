"""What a machine says, which bundle fits it, and the wheel of the programs that run here."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from lib.bundle import BundleMaker, Target, probe_script, read_facts, requirements_text, target_of
from lib.bundle.make import lines_for
from lib.bundle.own_wheel import own_wheel
from lib.errors import BadConfiguration
from tests.integration.fleet.packing import pack

TARGET = Target((3, 12), "x86_64", "glibc", (2, 36))

ANSWER = (
    "probe\t1\nsystem\tLinux\nprocessor\tx86_64\nhome\t/home/me\ncores\t8\nfree_kib\t2048\n"
    "libc\tglibc 2.36\npython\t3.9 cpython venv\t/usr/bin/python3\n"
    "python\t3.12 cpython -\t/usr/bin/python3.12\npython\t3.11 cpython venv\t/opt/python3.11\ndone\t1\n"
)


def test_this_machine_says_what_it_is() -> None:
    done = subprocess.run(["sh", "-s"], input=probe_script(), capture_output=True, check=True)
    facts = read_facts(done.stdout, "me@here")
    assert facts.python("me@here").fits
    assert (facts.free or 0) > 0


def test_the_first_python_that_fits_and_has_venv_is_taken() -> None:
    facts = read_facts(ANSWER.encode(), "me@host")
    python = facts.python("me@host")
    assert (python.path, python.version) == ("/opt/python3.11", (3, 11))
    assert target_of(facts, python, "me@host").name == "cp311-glibc2.36-x86_64"
    assert (facts.cores, facts.free) == (8, 2048 * 1024)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("cpython venv", "cpython -", "apt install python3-venv"),
        ("3.1", "3.8", "no Python that our programs run on"),
        (" cpython ", " cpython-32bit ", r"it has 3\.9 \(cpython-32bit\)"),
        ("probe\t1", "Welcome!\nprobe\t2", "start-up files must print nothing"),
        ("/home/me", "home", "which folder"),
    ],
)
def test_what_is_missing_is_one_sentence_that_says_what_to_do(before: str, after: str, words: str) -> None:
    with pytest.raises(BadConfiguration, match=words):
        read_facts(ANSWER.replace(before, after).encode(), "me@host").python("me@host")


@pytest.mark.parametrize("answer", [b"", b"\xff\xfe\t\t\n", b"probe\t1\ndone\t1\n", b"python\t" * 9000])
def test_any_bytes_are_refused_in_words(answer: bytes) -> None:
    with pytest.raises(BadConfiguration, match="me@host"):
        read_facts(answer, "me@host")


@pytest.mark.parametrize(
    ("before", "after"), [("x86_64", "sparc64"), ("Linux", "Darwin"), ("glibc 2.36", "glibc 2.5")]
)
def test_a_machine_that_no_bundle_is_made_for_is_refused(before: str, after: str) -> None:
    facts = read_facts(ANSWER.replace(before, after).encode(), "me@host")
    with pytest.raises(BadConfiguration, match="me@host"):
        target_of(facts, facts.python("me@host"), "me@host")


def test_conditions_are_those_of_the_machine_and_not_of_this_one() -> None:
    older = lines_for(requirements_text(), Target((3, 11), "x86_64", "glibc", (2, 36)))
    newer = lines_for(requirements_text(), Target((3, 13), "x86_64", "glibc", (2, 36)))
    numpy = [[line.split()[0] for line in lines if line.startswith("numpy")] for lines in (older, newer)]
    assert [len(found) for found in numpy] == [1, 1]
    assert numpy[0] != numpy[1]
    assert not [line for line in older if line.startswith("colorama")]
    assert all("--hash=sha256:" in line for line in older)


def test_an_older_c_library_gets_no_newer_wheels() -> None:
    tags = Target((3, 11), "x86_64", "glibc", (2, 28)).platforms()
    assert tags[0] == "manylinux_2_28_x86_64"
    assert "manylinux2014_x86_64" in tags
    assert "musllinux_1_2_x86_64" in Target((3, 11), "x86_64", "musl", (1, 2)).platforms()


def test_the_own_wheel_is_the_same_each_time_and_its_record_is_true() -> None:
    name, data = own_wheel()
    assert (name, data) == own_wheel()
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        inside = {each: wheel.read(each) for each in wheel.namelist()}
    (record,) = [each for each in inside if each.endswith("/RECORD")]
    listed = dict(line.split(",")[:2] for line in inside[record].decode().splitlines())
    assert listed.keys() == inside.keys()
    for each, digest in listed.items():
        if each != record:
            found = base64.urlsafe_b64encode(hashlib.sha256(inside[each]).digest()).rstrip(b"=").decode()
            assert digest == f"sha256={found}"
    assert {each.split("/")[0] for each in inside} == {"lib", "synth", record.split("/")[0]}
    points = inside[record.replace("RECORD", "entry_points.txt")].decode()
    assert "voice-synth" in points
    assert "job-watcher" not in points


def test_a_package_that_lost_its_bytes_is_fetched_again(tmp_path: Path) -> None:
    """After a power cut a file may have none; a machine could not install it, and never would."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    pinned = pack("mdurl", wheels)
    maker = BundleMaker(tmp_path / "made", pinned, extra=("--no-index", "--find-links", str(wheels)))
    made = maker.make(TARGET)
    (path,) = [path for path, _ in made.wheels if path.name.startswith("mdurl")]
    path.write_bytes(b"")

    again = maker.make(TARGET)

    assert again == made
    assert path.stat().st_size > 0


def test_what_nobody_makes_or_asks_for_any_more_is_removed(tmp_path: Path) -> None:
    maker = BundleMaker(tmp_path, "")
    maker.make(TARGET)
    for name, age_s in {"half-of-a-killed-one": 0, "own-of-old": 31 * 86_400, "own-of-late": 86_400}.items():
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    used = [path for path in tmp_path.iterdir() if path.name.startswith(("own-", TARGET.name))]
    for path in used[:2]:
        os.utime(path, (time.time() - 40 * 86_400,) * 2)

    maker.make(TARGET)

    left = {path.name for path in tmp_path.iterdir()}
    assert "own-of-late" in left
    assert left.isdisjoint({"half-of-a-killed-one", "own-of-old"})
    assert len(left) == 3


def test_a_mark_of_before_does_not_vouch_for_what_is_half_made(tmp_path: Path) -> None:
    """The Python of an installed bundle is gone, and the machine goes off while it is installed anew."""
    here = tmp_path / "some"
    (here / "venv" / "bin").mkdir(parents=True)
    (here / "venv" / "bin" / "voice-synth").touch()
    (here / "venv" / "bin" / "python").symlink_to("/gone")
    (here / "installed").touch()
    (here / "wheels").mkdir()
    (here / "wheels" / "bad-1-py3-none-any.whl").write_bytes(b"no wheel")
    digest = hashlib.sha256(b"no wheel").hexdigest()
    wanted = {"name": "some", "wheels": {"bad-1-py3-none-any.whl": digest}, "fetched": []}
    script, said = files("lib.bundle").joinpath("install.script").read_text(), []
    for act in ("look", "install"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            input=json.dumps({"do": act, **wanted}).encode(),
            capture_output=True,
            check=True,
        )
        said.append(json.loads(done.stdout)["state"])

    assert said == ["uploaded", "failed"]
    assert not (here / "installed").exists()


def test_the_script_for_machines_is_python() -> None:
    source = files("lib.bundle").joinpath("install.script").read_text()
    assert compile(source, "install.script", "exec")
