"""What is known of a setting before anything is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lib.settings.kinds import SettingKind
from lib.urls import secrets_in


class About(NamedTuple):
    """The words about a setting: purpose, its default when no value says it, a value to show."""

    help: str
    default: str = ""
    example: str = ""
    alias: str | None = None


class Info(NamedTuple):
    """What is known of a setting before anything is read."""

    name: str
    kind: SettingKind
    help: str
    default_text: str  # as the reference says it; empty: not set
    example: str  # the value `.env.example` shows, commented out
    alias: str | None

    @property
    def attribute(self) -> str:
        """The name of its attribute on `Settings`."""
        return self.name.lower()


def info_of(attribute: str, annotations: tuple[SettingKind, About], default: Any) -> Info:
    """What a field of the table says of its setting."""
    kind, about = annotations
    value = "" if default in (None, ()) else str(default)
    return Info(
        name=attribute.upper(),
        kind=kind,
        help=about.help,
        default_text=about.default or value,
        example=about.example or value,
        alias=about.alias,
    )


def origin_of(name: str, source: str) -> str:
    """A setting and where its value came from, for errors: `REDIS_URL of the environment`."""
    if source == "default":
        return f"the default of {name}"
    if source == "flag":
        return f"{name} of the flag --{name.lower().replace('_', '-')}"
    if source.startswith("environment"):
        return f"{name} of the environment{source.removeprefix('environment')}"
    return f"{name} of {source}"


def secret_texts(values: Iterable[tuple[Info, Any]]) -> frozenset[str]:
    """The secret settings, and what logs in or is a key in URLs."""
    found: set[str] = set()
    for info, value in values:
        if info.kind.secret and value is not None:
            found.add(value.reveal())
        elif info.kind.url and value is not None:
            found |= secrets_in(value)
    return frozenset(found)
