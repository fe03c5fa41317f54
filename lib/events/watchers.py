"""What happens to a watcher: it works, waits, leads, drains, ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from lib.events.model import LifecycleEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStarted(LifecycleEvent):
    """It looks for work from now on."""

    name: ClassVar[str] = "started"

    def sentence(self) -> str:
        """It in words."""
        return "working"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherTrouble(LifecycleEvent):
    """A pass could not be made; it waits and tries again."""

    name: ClassVar[str] = "trouble"
    reason: str
    pause_seconds: float | None = None

    @property
    def level(self) -> int:
        """A warning."""
        return logging.WARNING

    def sentence(self) -> str:
        """It in words."""
        pause = "" if self.pause_seconds is None else f" in {self.pause_seconds:.0f} s"
        return f"cannot go on, trying again{pause}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherDraining(LifecycleEvent):
    """It takes nothing new and finishes what it has."""

    name: ClassVar[str] = "draining"
    jobs: int
    limit_seconds: float

    def sentence(self) -> str:
        """It in words."""
        return f"draining: {self.jobs} jobs at hand, at most {self.limit_seconds:.0f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStopped(LifecycleEvent):
    """It ended, and left the registry."""

    name: ClassVar[str] = "stopped"

    def sentence(self) -> str:
        """It in words."""
        return "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderBegan(LifecycleEvent):
    """This watcher leads from now on."""

    name: ClassVar[str] = "leading"
    reason: str = ""

    def sentence(self) -> str:
        """It in words."""
        return self.reason or f"leading in epoch {self.epoch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherStandsBy(LifecycleEvent):
    """Another watcher leads; this one waits to take over."""

    name: ClassVar[str] = "standing_by"

    def sentence(self) -> str:
        """It in words."""
        return "standing by: another watcher leads"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderEnded(LifecycleEvent):
    """This watcher leads no more, though its term was not over."""

    name: ClassVar[str] = "abdicated"
    reason: str = ""

    @property
    def level(self) -> int:
        """A warning: nobody asked for it."""
        return logging.WARNING

    def sentence(self) -> str:
        """It in words."""
        return f"leading no more: {self.reason}"
