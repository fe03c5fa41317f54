"""Settings: environment, files and flags, read once into one frozen, checked value.

Only the programs' `wiring.py` modules import this package; everything below them gets plain values.
"""

from __future__ import annotations

from lib.settings.about import Info
from lib.settings.folders import ensure_data_folder
from lib.settings.kinds import Secret
from lib.settings.load import load_settings
from lib.settings.table import Settings, table

__all__ = [
    "Info",
    "Secret",
    "Settings",
    "ensure_data_folder",
    "load_settings",
    "table",
]
