"""`python -m job_runner` is `job-runner`, for where no programs are installed."""

from __future__ import annotations

from job_runner.main import main

if __name__ == "__main__":
    main()
