"""A compile that dies at any call to the system leaves the old manifest with its texts, or the new one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from lib.jobspec import JobSpec
from lib.manifest import (
    MANIFEST,
    Order,
    OutFolder,
    compile_manifest,
    finish_interrupted_compile,
    load_manifest,
)
from lib.manifest.compiler import DECIDED
from tests.unit.manifest.dying import dies_at
from tests.unit.manifest.jobs import several, spec
from tests.unit.manifest.test_compile import tree


def _state(out: Path) -> dict[str, bytes]:
    """The folder as the next reader of ours sees it: manifest and the texts it names."""
    folder = OutFolder(out)
    with folder.lock():
        finish_interrupted_compile(folder)
    if not (out / MANIFEST).exists():
        return {}
    orders = load_manifest(out / MANIFEST).orders
    texts = {o.text_path: (out / o.text_path).read_bytes() for o in orders if (out / o.text_path).exists()}
    return {MANIFEST: (out / MANIFEST).read_bytes(), **texts}


def _expected(specs: Sequence[JobSpec], out: Path) -> dict[str, bytes]:
    compiled = compile_manifest(specs, out)
    return {MANIFEST: compiled.path.read_bytes(), **{o.text_path: o.text_bytes() for o in compiled.orders}}


def _changes() -> dict[str, tuple[list[JobSpec], list[JobSpec]]]:
    one, two, three, *rest = several()
    changed = [spec("topic/beat-001", "Changed.", voice="newsroom"), spec("topic/beat-002", "Changed too.")]
    return {
        "first compile": ([], several()),
        "texts change": ([one, two, three], [*changed, three]),
        "jobs are added": ([one], [one, two, *rest]),
        "jobs go": ([one, two, three], [two]),
        "everything": ([one, two, three], [changed[0], three, *rest]),
        "only options change": ([one, two], [one, spec("topic/beat-002", two.text, seed=3)]),
    }


#: The rest are parts of the second; each dies some hundred times.
_AT_ONCE = ("first compile", "everything", "only options change")


@pytest.mark.parametrize(
    "name",
    [name if name in _AT_ONCE else pytest.param(name, marks=pytest.mark.soak) for name in _changes()],
)
def test_dying_at_any_call_leaves_the_old_or_the_new(tmp_path: Path, name: str) -> None:
    """Q11."""
    before, after = _changes()[name]
    new = _expected(after, tmp_path / "new")
    old = _expected(before, tmp_path / "old") if before else {}
    whole = tree(tmp_path / "new")
    seen_old = seen_new = 0
    for call in range(1, 1000):
        out = tmp_path / f"at-{call}"
        if before:
            compile_manifest(before, out)
        else:
            out.mkdir()
        died = dies_at(call, partial(compile_manifest, after, out))
        raw = (out / MANIFEST).read_bytes() if (out / MANIFEST).exists() else None

        state = _state(out)

        assert raw in (old.get(MANIFEST), new[MANIFEST])
        assert state in (old, new), f"torn at call {call}"
        seen_old += state == old
        seen_new += state == new
        compile_manifest(after, out)
        assert tree(out) == whole, f"litter or loss after dying at call {call}"
        if not died:
            break
    assert seen_old
    assert seen_new
    assert not died


def test_until_the_decision_the_old_texts_stand_untouched(tmp_path: Path) -> None:
    """Also for readers that know nothing of unfinished changes."""
    before, after = _changes()["everything"]
    for call in range(1, 1000):
        out = tmp_path / f"at-{call}"
        compile_manifest(before, out)
        old = tree(out)
        if not dies_at(call, partial(compile_manifest, after, out)):
            break
        if not (out / DECIDED).exists() and (out / MANIFEST).read_bytes() == old[MANIFEST]:
            assert {name: (out / name).read_bytes() for name in old} == old
    else:
        pytest.fail("it never finished")


def test_a_decided_change_of_another_version_is_dropped(tmp_path: Path) -> None:
    compile_manifest(several(), tmp_path)
    (tmp_path / DECIDED).write_text('{"format":2}')

    assert not finish_interrupted_compile(OutFolder(tmp_path))

    assert not (tmp_path / DECIDED).exists()
    assert [Order(each) for each in several()] == list(load_manifest(tmp_path / MANIFEST).orders)
