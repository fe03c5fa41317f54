"""The trail of runs as files: what happened, in order, for whoever reads files rather than a database."""

from __future__ import annotations

from lib.pipeline.journal.files import TrailFiles
from lib.pipeline.journal.keeper import kept_journal

__all__ = ["TrailFiles", "kept_journal"]
