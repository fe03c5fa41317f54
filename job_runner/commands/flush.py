"""`job-runner flush`: empty the queue."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, YesOption
from lib.jobs.flush import Doomed, flush, foresee

EXAMPLES = ("job-runner flush",)


def command(
    hard: Annotated[
        bool, typer.Option("--hard", help="Every key under the prefix: results and history, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Also while a watcher holds jobs.")] = False,
    yes: YesOption = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> None:
    """Delete every job that is not finished. Results, failures, history and their request ids stay.

    Says key by key what goes, and asks. Exit status 75 while a watcher holds jobs, unless --force is
    given; 2 without a terminal and without --yes. Nothing outside the prefix is touched.
    """
    with wiring.open_queue(redis_url) as queue:
        doomed = foresee(queue, hard=hard, force=force)
        if not json_:
            _show(doomed)
        if doomed and not output.confirm(_question(doomed, hard=hard), yes=yes):
            output.note("nothing was deleted")
            return
        flushed = flush(queue, hard=hard, force=force)
    if json_:
        keys = [item.to_json() for item in doomed]
        output.emit_json({"hard": hard, "jobs": flushed.jobs, "leased": flushed.leased, "keys": keys})
    else:
        what = "every key" if hard else "what was under way"
        output.note(f"deleted {what}: {flushed.jobs} unfinished jobs, {flushed.leased} of them leased")


def _question(doomed: list[Doomed], *, hard: bool) -> str:
    keys = "1 key" if len(doomed) == 1 else f"{len(doomed)} keys"
    return f"Delete all of this, in {keys}{', results and history included' if hard else ''}?"


def _show(doomed: list[Doomed]) -> None:
    if not doomed:
        output.say("There is nothing to delete.")
        return
    table = output.Table([output.Column("key", wrap=True), output.Column("to be deleted")])
    for item in doomed:
        table.row(item.key, item.words)
    table.show()
