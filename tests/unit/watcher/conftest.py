"""The bench of the watcher's tests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.watcher.bench import WatcherBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WatcherBench]:
    """A watcher's whole world in a temporary folder."""
    made = WatcherBench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def logging_given_back() -> Iterator[None]:
    """What a program that logs changes in its process, put back."""
    hook, loggers = threading.excepthook, [logging.getLogger(name) for name in ("", "job_watcher", "lib")]
    levels, handlers = [logger.level for logger in loggers], loggers[0].handlers[:]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    loggers[0].handlers[:], threading.excepthook = handlers, hook
    logging.captureWarnings(False)
