"""Programs that start warm are the programs that would start cold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import warm


@pytest.mark.parametrize("program", warm.CALLS)
def test_another_tree_that_comes_first_is_the_one_that_runs(tmp_path: Path, program: str) -> None:
    module, _, function = warm.CALLS[program].partition(":")
    place = tmp_path / f"{module.replace('.', '/')}.py"
    place.parent.mkdir()
    (place.parent / "__init__.py").touch()
    place.write_text(f"def {function}() -> None:\n    print('the other tree')\n", encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}

    done = warm.run([program], warm.CALLS[program], cwd=tmp_path, environ=environ, timeout_s=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, "the other tree\n", "")
