"""`python -m job_pipeline` is `job-pipeline`, for where no programs are installed."""

from __future__ import annotations

from job_pipeline.main import main

if __name__ == "__main__":
    main()
