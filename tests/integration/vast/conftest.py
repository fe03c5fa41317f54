"""Fixtures with the fake Vast."""

from __future__ import annotations

from tests.integration.vast.fake_vast import own_home, sdk, vast

__all__ = ["own_home", "sdk", "vast"]
