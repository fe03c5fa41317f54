"""The run that `new-job` starts where nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

#: Inputs of the shipped pipelines: the script in `dags/sample.md`.
SAMPLE: Final[Mapping[str, Any]] = {
    "title": "The lamp at the end of the pier",
    "script": (Path(__file__).parent / "dags" / "sample.md").read_text(encoding="utf-8"),
}
