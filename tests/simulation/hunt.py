"""Live through days with changed files of the project until one breaks a promise: hunt SEED WITHIN

Only the changed files lie in the current folder: all others are taken, compiled, from the tree.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType


class Changed(MetaPathFinder):
    """Finds the changed files before all others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The changed module of that name, if it is one."""
        file = Path(fullname.replace(".", "/") + ".py").absolute()
        return spec_from_file_location(fullname, file) if file.exists() else None


def main() -> int:
    """Print the first day that finds something, the one of SEED first, and what it found."""
    first, within = map(int, sys.argv[1:])
    early = [name for name in sys.modules if name.split(".")[0] in ("lib", "job_watcher")]
    assert not early, f"these would be taken unchanged: {early}"
    sys.meta_path.insert(0, Changed())
    from job_watcher.simulation.bad_days import run_day

    for seed in [first, *range(within)]:
        try:
            found = run_day(seed).conditions.violations
        except Exception as error:  # a mistake of any kind is found
            found = [repr(error)]
        if found:
            print(seed, found[0])
            break
    return 0
