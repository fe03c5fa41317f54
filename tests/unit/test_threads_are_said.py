"""Classes that several threads may meet in say which thread may touch them, and what their methods raise."""

from __future__ import annotations

import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.house import ROOT

# A simulated world has one thread, whatever is in it.
THREADED = ("lib/dispatch", "lib/leadership", "lib/workers", "job_watcher", "job_pipeline/worker")
SINGLE_THREADED = ROOT / "job_watcher/simulation"


def public_classes() -> Iterator[type]:
    """Every public class of the threaded packages, once, from the module that makes it."""
    for place in THREADED:
        for path in sorted((ROOT / place).rglob("*.py")):
            if path.is_relative_to(SINGLE_THREADED):
                continue
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            module = importlib.import_module(name)
            for found in vars(module).values():
                if inspect.isclass(found) and found.__module__ == name and not found.__name__.startswith("_"):
                    yield found


def may_change(found: type) -> bool:
    """Whether it is more than a value: errors, enumerations and frozen values are the same in any thread."""
    parameters = getattr(found, "__dataclass_params__", None)
    is_value = issubclass(found, BaseException | enum.Enum | tuple) or bool(parameters and parameters.frozen)
    return not is_value


def says_both(found: type) -> bool:
    """Whether the docstring has a paragraph for its threads and one for what it raises."""
    words = inspect.cleandoc(found.__doc__ or "")
    return bool(re.search(r"^Threads: ", words, re.M) and re.search(r"^Raises[:,] ?", words, re.M))


def test_every_class_that_can_change_says_who_may_touch_it_and_what_it_raises() -> None:
    checked = [found for found in public_classes() if may_change(found)]

    assert len(checked) > 30
    assert [found.__qualname__ for found in checked if not says_both(found)] == []


def test_a_silent_class_is_noticed() -> None:
    class Half:
        """Does something.

        Threads: the loop's only.
        """

    @dataclass
    class Whole:
        """Does something.

        Threads: any.
        Raises: nothing.
        """

    @dataclass(frozen=True)
    class Value:
        """Holds something."""

    assert [may_change(found) for found in (Half, Whole, Value)] == [True, True, False]
    assert [says_both(found) for found in (Half, Whole)] == [False, True]
