"""`job-watcher once`: for cron, and for trying things."""

from __future__ import annotations

from job_watcher import wiring
from job_watcher.commands.run import SlotsOption, VerboseOption
from job_watcher.logs import log_as
from job_watcher.signals import drain_on_signals
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption

EXAMPLES = ("job-watcher once",)


def command(
    redis_url: RedisUrlOption = None,
    slots: SlotsOption = None,
    verbose: VerboseOption = False,
    json_: JsonOption = False,
) -> None:
    """Work until nothing is waiting and nothing is held, then end.

    SIGTERM or Ctrl-C finishes the work at hand, up to WATCHER_DRAIN_SECONDS, and waits so long for a store
    that is away; a second one hands it back now.
    """

    def log(form: str) -> None:  # of one pass people read what it says, unless they asked for JSON
        log_as("text" if form == "auto" else form, verbose=verbose)

    with wiring.open_watcher(redis_url=redis_url, slots=slots, log=log) as watcher:
        drain_on_signals(watcher)
        settled = watcher.run_once()
    if json_:
        output.emit_json({"settled": settled})
    else:
        output.say("1 job settled." if settled == 1 else f"{settled} jobs settled.")
