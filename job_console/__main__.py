"""`python -m job_console`."""

from __future__ import annotations

from job_console.main import main

if __name__ == "__main__":
    main()
