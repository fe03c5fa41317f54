"""The trail of runs as files: what happened, in order, for whoever reads files rather than a database."""

from job_pipeline.journal.files import Journal
from job_pipeline.journal.keeper import kept_journal

__all__ = ["Journal", "kept_journal"]
