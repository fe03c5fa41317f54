"""What is known of the counting engine before it is loaded: importing this costs a program nothing."""

from __future__ import annotations

from dataclasses import replace

from lib.voices.engines import HIBARI

FACTS = replace(HIBARI, name="counting", title="counting: a hum, noted")
