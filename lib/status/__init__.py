"""What is going on, in one place for `--json`, tables and pages."""

from __future__ import annotations

from lib.status.overview import Overview, Verdict, overview, server_sentence, trouble_of

__all__ = ["Overview", "Verdict", "overview", "server_sentence", "trouble_of"]
