"""The settings of a command, which says what looks mistyped and keeps to itself what is secret."""

from __future__ import annotations

from collections.abc import Mapping

from lib.cli import output
from lib.settings import Settings, load_settings


def command_settings(flags: Mapping[str, str | None] | None = None) -> Settings:
    """All settings, checked, flags first. A command reads them once; its programs have it done here.

    From now on no output shows a secret of theirs.

    Raises:
        lib.errors.BadConfiguration: a setting is wrong.
    """
    found = load_settings(flags or {})
    output.concealed.know(found.secrets())
    for warning in found.warnings:
        output.warn(warning)
    return found
