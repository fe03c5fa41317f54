"""Find an engine by its entry point, so that any installed package can bring one."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from lib.errors import MissingExtra
from lib.voices import UnknownEngine
from synth.engines.port import Engine

GROUP: Final = "job_runner.engines"
_SHIPPED: Final = {"hibari": "synth.engines.hibari:HibariEngine"}


def installed_engines() -> list[str]:
    """Names of all engines that could be made here, sorted."""
    return sorted({*_SHIPPED, *(point.name for point in entry_points(group=GROUP))})


def create_engine(name: str) -> Engine:
    """A new engine, not loaded.

    Raises:
        UnknownEngine: no installed package registers it, or what it registers is no engine.
        MissingExtra: its packages are not installed.
    """
    point = _find(name)
    try:
        made = point.load()()
    except ModuleNotFoundError as error:
        raise MissingExtra(f"The engine {name} (it misses {error.name})", name) from None
    if not isinstance(made, Engine):
        raise UnknownEngine(f"The engine {name} is registered by {point.value}, which is no speech engine.")
    return made


def _find(name: str) -> EntryPoint:
    if name in _SHIPPED:  # also where the program runs from its source without being installed
        return EntryPoint(name, _SHIPPED[name], GROUP)
    for point in entry_points(group=GROUP, name=name):
        return point
    raise UnknownEngine(
        f"The engine {name!r} is not installed here; there are: {', '.join(installed_engines())}."
    )
