"""`python -m job_watcher` is `job-watcher`, for where no programs are installed."""

from __future__ import annotations

from job_watcher.main import main

if __name__ == "__main__":
    main()
