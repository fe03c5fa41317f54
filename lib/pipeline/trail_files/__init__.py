"""The trail of runs as files: what happened, in order, for whoever reads files rather than a database."""

from __future__ import annotations

from lib.pipeline.trail_files.files import TrailFiles
from lib.pipeline.trail_files.keeper import kept_trail_files

__all__ = ["TrailFiles", "kept_trail_files"]
