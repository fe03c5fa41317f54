"""A package that is missing is told with the extra that brings it."""

from __future__ import annotations

import pytest

from lib.cli.failures import describe
from lib.errors import install_command


@pytest.mark.parametrize(("program", "extra"), [("job-watcher", "watcher"), ("job-pipeline", "pipeline")])
def test_a_package_that_two_extras_bring_is_the_programs_own(program: str, extra: str) -> None:
    error = ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy.orm")

    assert install_command(extra) in describe(error, program).message
