"""What holds for every test: the developer's own settings and folders stay out of it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from lib.cli.output import concealed
from lib.settings import table
from tests import warm
from tests.postgres_servers import postgres, postgres_15
from tests.s3_servers import rclone, seaweed

__all__ = ["postgres", "postgres_15", "rclone", "seaweed"]

# How long an example takes says nothing on a busy machine: what is fast is measured in bench/.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Ten thousand tests and all that they import stay until the end: looking through them for garbage, while they
# are collected and whenever a test leaves some, would take a fifth of the collection's time.
gc.disable()

_PLACES = ("STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "JOBS_CONFIG", "JOBS_DEBUG", "NO_COLOR", "COLUMNS")


def pytest_collection_finish() -> None:
    """From now on there is garbage to look for, among what comes from now on."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def own_secrets() -> Iterator[None]:
    """What a test's settings keep secret may be a plain word in the next test's sentences."""
    yield
    concealed.forget()


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting from outside; the data and configuration folders are temporary."""
    ours = {name for info in table() for name in (info.name, f"{info.name}_FILE", info.alias) if name}
    with pytest.MonkeyPatch.context() as patch:
        for name in ours.union(_PLACES).intersection(os.environ):
            patch.delenv(name)
        for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        yield
        warm.stop()
