"""A manifest may come from anywhere: whatever is wrong with it is a sentence."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ExitStatus
from lib.manifest import (
    MANIFEST,
    InvalidManifest,
    Order,
    OutFolder,
    check_texts,
    load_manifest,
    manifest_bytes,
)
from lib.manifest.folder import InTheWay
from lib.manifest.manifest_json import parse_manifest
from lib.manifest.texts import TextChanged
from tests.unit.manifest.jobs import several, spec

_GOOD = manifest_bytes(map(Order, several()))
Change = Callable[[dict[str, Any]], object]


def _first(**changes: Any) -> Change:
    return lambda value: value["jobs"][0].update(changes)


def _spec(**changes: Any) -> Change:
    return lambda value: value["jobs"][0]["spec"].update(changes)


_ARGV = Order(several()[0]).argv()
_WRONG: dict[str, tuple[Change, str]] = {
    "newer format": (lambda v: v.update(format=3), r"has the format '3', and this version reads 2"),
    "format is true": (lambda v: v.update(format=True), "has the format 'True'"),
    "no format": (lambda v: v.pop("format"), "is a JSON file that is no manifest"),
    "unknown key": (lambda v: v.update(extra=1), "must hold format and jobs and nothing else .see 'extra'"),
    "no jobs": (lambda v: v.update(jobs=[]), "holds no list of jobs"),
    "jobs no list": (lambda v: v.update(jobs={}), "holds no list of jobs"),
    "job no object": (lambda v: v.update(jobs=[1]), "wrong in job 1: it holds no job specification"),
    "spec missing": (lambda v: v["jobs"][1].pop("spec"), "wrong in job 2: it holds no job specification"),
    "key of a job missing": (lambda v: v["jobs"][0].pop("argv"), "job 1 .topic:beat-001.: argv is missing"),
    "unknown key of a job": (_first(run="rm -rf /"), "'run' is no known key"),
    "path leads out": (_spec(output_name="../../etc/passwd"), "wrong in job 1: .*output_name"),
    "absolute path": (_spec(output_name="/etc/passwd"), "wrong in job 1: .*output_name"),
    "request id": (_spec(request_id="a b"), "wrong in job 1: .*request_id"),
    "unknown field of the spec": (_spec(program="x"), "program"),
    "no text": (_spec(text=" "), "wrong in job 1: .*text"),
    "another text": (_spec(text="Changed."), "fingerprint does not follow from its spec"),
    "text file leads out": (_first(text_file="../secret"), "text_file does not follow from its spec"),
    "audio leads out": (_first(audio="../x.wav"), "audio does not follow from its spec"),
    "result leads out": (_first(result="/tmp/x"), "result does not follow from its spec"),
    "other program": (_first(argv=["sh", *_ARGV[1:]]), "argv does not follow from its spec"),
    "option added": (_first(argv=[*_ARGV, "--voices-dir", "/x"]), "argv does not follow from its spec"),
    "fingerprint": (_first(fingerprint="v1:" + "0" * 64), "fingerprint does not follow from its spec"),
    "hash of the text": (_first(text_sha256="0" * 64), "text_sha256 does not follow from its spec"),
    "a job twice": (lambda v: v["jobs"].append(v["jobs"][0]), "wrong in job 6: output_name"),
    "priority only": (_spec(priority="urgent"), "wrong in job 1: .*priority"),
}


@pytest.mark.parametrize("name", _WRONG)
def test_a_changed_manifest_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    change, reason = _WRONG[name]
    value = copy.deepcopy(json.loads(_GOOD))
    change(value)
    path = tmp_path / MANIFEST
    path.write_text(json.dumps(value))

    with pytest.raises(InvalidManifest, match=reason) as caught:
        load_manifest(path)

    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_status is ExitStatus.BAD_INPUT


_BROKEN = {
    "empty": (b"", "no valid JSON"),
    "cut": (_GOOD[:-20], "no valid JSON"),
    "not UTF-8": (_GOOD.replace("ö".encode(), b"\xf6"), "not UTF-8 at byte"),
    "UTF-16": (_GOOD.decode().encode("utf-16"), "not UTF-8"),
    "NaN": (b'{"format":NaN,"jobs":[]}', "NaN is no number"),
    "key twice": (b'{"format":1,"format":1,"jobs":[]}', "a key stands twice"),
    "a list": (b"[]", "is a JSON file that is no manifest"),
    "nested": (b"[" * 100_000, "no valid JSON"),
    "long number": (b'{"format":' + b"9" * 6000 + b"}", "no valid JSON"),
    "another file": (b'{"name":"package","version":"1.0"}', "is no manifest"),
}


@pytest.mark.parametrize("name", _BROKEN)
def test_a_broken_file_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    data, reason = _BROKEN[name]
    (tmp_path / MANIFEST).write_bytes(data)

    with pytest.raises(InvalidManifest, match=reason):
        load_manifest(tmp_path / MANIFEST)


def test_what_is_no_file_is_refused_and_never_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, reason in (("absent", "No such file"), ("fifo", "not a plain file"), (".", "not a plain file")):
        with pytest.raises(InvalidManifest, match=reason):
            load_manifest(tmp_path / name)


def test_a_good_manifest_gives_the_jobs_back() -> None:
    assert [o.spec for o in parse_manifest(_GOOD, Path("m")).orders] == several()


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(InvalidManifest):
        parse_manifest(data, Path("m"))


@given(st.integers(0, len(_GOOD) - 1), st.integers(0, 255))
def test_no_changed_byte_is_taken_for_something_else(place: int, byte: int) -> None:
    changed = bytearray(_GOOD)
    changed[place] = byte
    try:
        manifest = parse_manifest(bytes(changed), Path("m"))
    except InvalidManifest:
        return
    assert [order.entry() for order in manifest.orders] == [Order(o.spec).entry() for o in manifest.orders]


class TestTexts:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> OutFolder:
        folder = OutFolder(tmp_path)
        check_texts(folder, [Order(spec())])
        return folder

    def test_a_missing_or_empty_text_is_put_back(self, folder: OutFolder) -> None:
        text = folder.path("topic/beat-001/text.txt")
        harms: tuple[Callable[[], object], ...] = (text.unlink, lambda: text.write_bytes(b""))
        for harm in harms:
            harm()

            check_texts(folder, [Order(spec())])

            assert folder.path("topic/beat-001/text.txt").read_bytes() == b"Good evening."

    @pytest.mark.parametrize(
        "text", ["Good evening", "Good evening.\n", "Good evening!", "\ufeffGood evening."]
    )
    def test_an_edited_text_has_to_be_compiled_again(self, folder: OutFolder, text: str) -> None:
        folder.path("topic/beat-001/text.txt").write_text(text, encoding="utf-8")

        with pytest.raises(TextChanged, match=r"topic/beat-001/text\.txt.*compile again"):
            check_texts(folder, [Order(spec())])

        assert folder.path("topic/beat-001/text.txt").read_text(encoding="utf-8") == text

    def test_a_link_or_fifo_as_text_is_refused(self, folder: OutFolder, tmp_path: Path) -> None:
        text = folder.path("topic/beat-001/text.txt")
        makers: tuple[Callable[[], object], ...] = (
            lambda: text.symlink_to("/etc/hostname"),
            lambda: os.mkfifo(text),
        )
        for make in makers:
            text.unlink()
            make()
            with pytest.raises(InTheWay, match="cannot be used"):
                check_texts(OutFolder(tmp_path), [Order(spec())])

    def test_a_linked_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "topic").symlink_to("real")

        with pytest.raises(InTheWay, match="symbolic link"):
            check_texts(OutFolder(tmp_path), [Order(spec())])
