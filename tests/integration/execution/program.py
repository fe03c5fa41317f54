"""The commands under test as a program of their own."""

from __future__ import annotations

from lib.cli.program import CommandEntry, Program

PROGRAM = Program(
    name="job-runner",
    help="Commands that need no queue.",
    version="0",
    commands=[
        CommandEntry("compile", "job_runner.commands.compile", "Stage."),
        CommandEntry("execute-manifest", "job_runner.commands.execute_manifest", "Speak."),
        CommandEntry("run", "job_runner.commands.run", "Both."),
    ],
)

if __name__ == "__main__":
    PROGRAM.main()
