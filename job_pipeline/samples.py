"""The run that `new-job` starts where nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Inputs of the shipped pipelines.
SAMPLE: Final[Mapping[str, Any]] = {
    "title": "Why the sea comes back",
    "script": (
        "Twice a day the sea leaves the harbour, and twice a day it comes back.\n\n"
        "The moon pulls at the water, a little more on the side that is near to it.\n\n"
        "What we call the tide is the land, turning through that water."
    ),
}
