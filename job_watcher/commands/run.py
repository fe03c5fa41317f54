"""`job-watcher run`: the daemon."""

from __future__ import annotations

from typing import Annotated

import typer

from job_watcher import wiring
from job_watcher.logs import log_as, log_as_json_lines
from job_watcher.signals import drain_on_signals
from lib.child import parent_has_exited, when_parent_exits
from lib.cli.options import RedisUrlOption

SlotsOption = Annotated[
    int | None,
    typer.Option(
        "--slots", min=1, max=256, help="Jobs leased at once; else 4 for each worker.", show_default=False
    ),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
JsonLinesOption = Annotated[
    bool, typer.Option("--json", help="Print the log on stdout, a JSON value for each transition.")
]


EXAMPLES = (
    "job-watcher run",
    "job-watcher run --slots 2 --json",
)


def command(
    redis_url: RedisUrlOption = None,
    slots: SlotsOption = None,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Drain when standard input ends.")
    ] = False,
    verbose: VerboseOption = False,
    json_: JsonLinesOption = False,
) -> None:
    """Work on the queue until told to stop.

    SIGTERM or Ctrl-C finishes the work at hand, up to WATCHER_DRAIN_SECONDS; a second one hands it back now.
    """

    def log(form: str) -> None:
        if json_:
            log_as_json_lines(verbose=verbose)
        else:
            log_as(form, verbose=verbose)

    if exit_with_parent and parent_has_exited():
        return  # it would start a server that nobody ends
    with wiring.open_watcher(redis_url=redis_url, slots=slots, log=log) as watcher:
        drain_on_signals(watcher)
        if exit_with_parent:
            when_parent_exits(watcher.drain)
        watcher.run()
