"""Make an engine by its name: one of ours by its folder, one of another package by its entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint

from lib.errors import BadConfiguration, MissingExtra
from lib.voices import (
    ENGINES_GROUP,
    EngineFacts,
    UnknownEngine,
    comes_with_the_program,
    engine_facts,
    engine_names,
    engine_point,
)
from synth.engines.port import Configurable, Engine, Interruptible


def installed_engines() -> list[str]:
    """Names of all engines that could be made here, sorted."""
    return sorted(engine_names())


def create_engine(
    name: str, settings: Mapping[str, str] | None = None, stopped: Callable[[], bool] | None = None
) -> Engine:
    """A new engine, not loaded; `settings` go to one that has settings of its own.

    `stopped` says whether whoever wants it is to stop: one that may load for minutes then ends that.

    Raises:
        UnknownEngine: no installed package registers it, or what it registers is no engine.
        MissingExtra: its packages are not installed; the sentence names the extra that brings them.
        lib.errors.BadConfiguration: the same of an engine that no extra of ours brings.
    """
    point = _find(name)
    try:
        made = point.load()()
    except ModuleNotFoundError as error:
        raise _missing(engine_facts(name), error.name) from None
    if not isinstance(made, Engine):
        raise UnknownEngine(f"The engine {name} is registered by {point.value}, which is no speech engine.")
    engine: Engine = made
    if settings is not None and isinstance(engine, Configurable):
        engine.configure(settings)
    if stopped is not None and isinstance(engine, Interruptible):
        engine.heed(stopped)
    return engine


def _find(name: str) -> EntryPoint:
    if comes_with_the_program(name):  # also where the program runs from its source without being installed
        return EntryPoint(name, f"synth.engines.{name}:ENGINE", ENGINES_GROUP)
    point = engine_point(name)
    if point is None:
        raise UnknownEngine(
            f"The engine {name!r} is not installed here; there are: {', '.join(installed_engines())}."
        )
    return point


def _missing(facts: EngineFacts, module: str | None) -> BadConfiguration:
    if facts.extra:
        return MissingExtra(f"The engine {facts.name} (it misses {module})", facts.extra)
    remedy = f"pip install '{facts.requirement()}'" if facts.requirement() else "the package that brings it"
    return BadConfiguration(f"The engine {facts.name} misses the module {module}; install it with: {remedy}.")
