"""Programs that start warm are the programs that would start cold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm
from tests.warm.program import without_own_locale


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


@pytest.mark.parametrize("given", [{}, {"LANG": "C"}, {"LANG": "C.UTF-8"}, {"LC_ALL": "C", "LC_CTYPE": "C"}])
def test_a_program_told_no_locale_has_what_its_server_was_started_with(given: dict[str, str]) -> None:
    """Else it would start cold: its interpreter sets a locale for itself, in what it passes on too."""
    look = (
        "import json, os, runpy, sys\n"
        "kept = runpy.run_path(sys.argv[1])['without_own_locale']\n"
        "print(json.dumps(kept({name: os.environ[name] for name in os.environ if name[:2] in 'LANG LC_'})))\n"
    )
    argv = [sys.executable, "-IS", "-c", look, str(warm.ROOT / "tests/warm/program.py")]

    done = subprocess.run(argv, env=given, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == without_own_locale(given)
