"""Staging: deterministic, movable, careful with what stands there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib.manifest import MANIFEST, Order, compile_manifest, load_manifest, manifest_bytes
from lib.manifest.folder import FolderBusy, InTheWay, OutFolder
from tests.unit.manifest.jobs import several, spec

ROOT = Path(__file__).parents[3]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` and its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_texts_and_manifest_are_staged_at_their_names(tmp_path: Path) -> None:
    """Q11."""
    compiled = compile_manifest(several(), tmp_path / "out")

    expected = {order.text_path: order.text_bytes() for order in map(Order, several())}
    assert tree(tmp_path / "out") == {**expected, MANIFEST: compiled.path.read_bytes()}


def test_the_manifest_is_one_readable_json_value(tmp_path: Path) -> None:
    data = compile_manifest(several(), tmp_path).path.read_bytes()

    value = json.loads(data)
    assert data.endswith(b"\n")
    assert b"\r" not in data
    assert [job["request_id"] for job in value["jobs"]] == [each.request_id for each in several()]
    first = value["jobs"][0]
    assert first["text_sha256"] == hashlib.sha256((tmp_path / first["text_file"]).read_bytes()).hexdigest()
    assert list(first) == sorted(first)
    assert list(first["spec"]) == sorted(first["spec"])


def test_the_order_of_a_jobs_keys_does_not_show() -> None:
    one = spec(seed=1, callback_data={"a": 1, "b": {"c": 2, "d": 3}})
    other = spec(callback_data={"b": {"d": 3, "c": 2}, "a": 1}, seed=1)

    assert manifest_bytes([Order(one)]) == manifest_bytes([Order(other)])


def test_nothing_of_this_machine_is_in_the_manifest(tmp_path: Path) -> None:
    data = compile_manifest(several(), tmp_path / "here").path.read_bytes()

    assert str(tmp_path).encode() not in data
    assert b"hibari" not in data


_CHILD = """
import sys
from pathlib import Path
from lib.jobspec import load_job_file
from lib.manifest import compile_manifest
print(compile_manifest(load_job_file(Path(sys.argv[1])).specs, Path(sys.argv[2])).sha256)
"""


def test_the_same_file_gives_the_same_bytes_in_every_environment(tmp_path: Path) -> None:
    """Q11: locale, time zone, umask, hash seed and folder do not show."""
    environments = [
        {"LANG": "C", "TZ": "UTC", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0"},
        {"LANG": "de_DE.ISO-8859-1", "LC_ALL": "tr_TR", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "2"},
        {"LANG": "C.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "random", "PYTHONOPTIMIZE": "1"},
    ]
    trees = []
    for number, (extra, umask) in enumerate(zip(environments, ("0077", "0022", "0002"), strict=True)):
        home = tmp_path / f"home {number}"
        (home / "narration").mkdir(parents=True)
        shutil.copy(ROOT / "jobs.example.yaml", home / "jobs.yaml")
        for text in (ROOT / "narration").iterdir():
            shutil.copy(text, home / "narration" / text.name)
        script = f'umask {umask} && exec "$0" -c "$1" jobs.yaml "out {number}"'
        subprocess.run(
            ["sh", "-c", script, sys.executable, _CHILD],
            cwd=home,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **extra},
            check=True,
            capture_output=True,
        )
        trees.append(tree(home / f"out {number}"))

    assert trees[0] == trees[1] == trees[2]
    assert len(trees[0]) >= 9


def test_a_compiled_folder_may_be_moved(tmp_path: Path) -> None:
    compile_manifest(several(), tmp_path / "a")
    before = tree(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")

    assert [o.spec for o in load_manifest(tmp_path / "b" / MANIFEST).orders] == several()
    assert compile_manifest(several(), tmp_path / "b").written == 0
    assert tree(tmp_path / "b") == before


def test_compiling_again_touches_only_what_differs(tmp_path: Path) -> None:
    compile_manifest(several(), tmp_path)
    before = (tmp_path / "p/text.txt").stat()
    (tmp_path / "topic/beat-001.wav").write_bytes(b"audio")
    jobs = [spec("topic/beat-001", "Another text.", voice="newsroom"), *several()[2:], spec("new", "New.")]

    compiled = compile_manifest(jobs, tmp_path)

    assert (compiled.written, compiled.unchanged, compiled.removed) == (2, 3, 1)
    after = (tmp_path / "p/text.txt").stat()  # it may have been read
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert (tmp_path / "topic/beat-001/text.txt").read_text() == "Another text."
    assert (tmp_path / "topic/beat-001.wav").read_bytes() == b"audio"
    assert not (tmp_path / "topic/beat-002").exists()
    assert [o.spec for o in load_manifest(compiled.path).orders] == jobs


def test_the_result_of_a_recompile_is_the_same_as_of_a_fresh_one(tmp_path: Path) -> None:
    compile_manifest(several()[::-1], tmp_path / "a")
    compile_manifest([spec("topic/beat-001", "Other."), spec("gone", "Gone.")], tmp_path / "a")
    compile_manifest(several(), tmp_path / "a")
    compile_manifest(several(), tmp_path / "b")

    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_a_dropped_text_that_somebody_edited_stays(tmp_path: Path) -> None:
    compile_manifest(several(), tmp_path)
    (tmp_path / "p/text.txt").write_text("Mine.")

    compile_manifest(several()[:2], tmp_path)

    assert (tmp_path / "p/text.txt").read_text() == "Mine."


@pytest.mark.parametrize("place", ["topic", "topic/beat-001", "topic/beat-001/text.txt", "manifest.json"])
def test_a_link_below_the_folder_is_never_followed(tmp_path: Path, place: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("precious")
    out = tmp_path / "out"
    (out / place).parent.mkdir(parents=True)
    target = elsewhere if place.count("/") + place.startswith("topic") < 3 else elsewhere / "file"
    (out / place).symlink_to(elsewhere / "file" if place.endswith(("txt", "json")) else target)

    with pytest.raises(InTheWay, match="symbolic link"):
        compile_manifest(several(), out)

    assert tree(elsewhere) == {"file": b"precious"}


@pytest.mark.parametrize("place", ["topic", "topic/beat-001"])
def test_a_file_where_a_folder_has_to_be_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("mine")

    with pytest.raises(InTheWay, match=f"{place} cannot be used: it is a file"):
        compile_manifest(several(), tmp_path)


def test_a_folder_where_a_text_has_to_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "topic/beat-001/text.txt").mkdir(parents=True)

    with pytest.raises(InTheWay, match="it is a folder"):
        compile_manifest(several(), tmp_path)


def test_a_file_as_output_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")

    with pytest.raises(InTheWay, match="a file is in the way"):
        compile_manifest(several(), tmp_path / "out")


def test_a_folder_somebody_works_in_is_refused(tmp_path: Path) -> None:
    with OutFolder(tmp_path).lock(), pytest.raises(FolderBusy, match="wait for it to end"):
        compile_manifest(several(), tmp_path)

    compile_manifest(several(), tmp_path)


def test_a_foreign_manifest_is_replaced_and_its_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"format":1,"jobs":[{"spec":{"output_name":"../x"}}]}')
    compile_manifest(several(), tmp_path)

    assert [o.spec for o in load_manifest(tmp_path / MANIFEST).orders] == several()
