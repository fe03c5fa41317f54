"""The command of the console: `job-console`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

COMMANDS = (
    CommandEntry("serve", "job_console.commands.serve", "Serve REST and live events.", "The console"),
    CommandEntry("openapi", "job_console.commands.openapi", "Print what REST offers.", "The console"),
)

PROGRAM = Program(
    name="job-console",
    help="Everything that runs, costs and waits for a decision, over REST.",
    version=installed_version,
    commands=COMMANDS,
    elsewhere={
        "run": "job-console serve",
        "up": "job-console serve",
        "start": "job-console serve",
        "gates": "job-pipeline gates",
        "status": "job-runner status",
    },
    examples=("job-console serve",),
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()


if __name__ == "__main__":
    main()
