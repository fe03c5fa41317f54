"""`job-runner status`: is it healthy?"""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.jobs.overview import Overview, overview_of, server_sentence
from lib.jobs.watchers import named_watchers
from lib.units import seconds_text

EXAMPLES = ("job-runner status",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> None:
    """Show how many jobs wait and run, whether a watcher lives, and what that means."""
    with wiring.here(redis_url).open_queue(named=True) as queue:
        view = overview_of(queue)
    if json_:
        output.emit_json(view.to_json())
    else:
        show(view)


def show(view: Overview) -> None:
    """The overview for people."""
    output.say_state(view.verdict.value, f": {view.sentence}")
    output.say()
    output.show_fields(fields_of(view))


def fields_of(view: Overview) -> dict[str, object]:
    """What stands below the verdict, by name."""
    shot = view.snapshot
    age = shot.watcher_last_seen_age_s
    oldest = shot.oldest_waiting_s
    each = named_watchers(shot, view.watchers)
    return {
        "outstanding": f"{shot.outstanding} (waiting {shot.waiting}, running {shot.pending}, "
        f"delayed {shot.delayed})",
        "stale leases": shot.stale_pel,
        "oldest waiting": None if oldest is None else seconds_text(oldest),
        "done": shot.done,
        "failed": shot.failed,
        "canceled": shot.canceled,
        "watcher": shot.lock_owner,
        "last seen": None if age is None else f"{seconds_text(age)} ago",
        **({"watchers": "; ".join(each)} if each else {}),
        **({"machines": f"{view.instances} rented, {view.spend:.2f} USD"} if view.rents else {}),
        "server": server_sentence(view.server),
    }
