"""`job-watcher status`: who works on this queue?"""

from __future__ import annotations

from job_watcher import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.jobqueue import WatcherInfo
from lib.jobs.leaders import leader_json, leader_text, role_text
from lib.jobs.overview import overview_of
from lib.units import seconds_text

EXAMPLES = ("job-watcher status",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> None:
    """Show every watcher of the queue, its role, its workers, what it holds; who leads; what that means."""
    room = wiring.machine_room(redis_url)
    with room.open_queue() as queue:
        view, leader = overview_of(queue), room.leader()
    if json_:
        output.emit_json({**view.to_json(), "leader": leader_json(leader)})
        return
    output.say_state(view.verdict.value, f": {view.sentence}")
    if not view.watchers:
        return
    output.say()
    table = output.Table(
        [output.Column("watcher"), output.Column("provider"), output.Column("role")]
        + [output.Column(name, "right") for name in ("workers", "jobs", "up for", "seen")]
    )
    for watcher in view.watchers:
        table.row(*_cells(watcher, view.snapshot.server_time))
    table.show()
    if sentence := leader_text(leader, view.watchers, view.snapshot.server_time):
        output.say(sentence)


def _cells(watcher: WatcherInfo, now: float) -> tuple[object, ...]:
    data = watcher.data
    up = seconds_text(max(0.0, now - watcher.started_at))
    seen = f"{seconds_text(max(0.0, now - watcher.last_seen))} ago"
    return (
        watcher.name,
        data.get("provider", ""),
        role_text(watcher),
        data.get("hosts", 0),
        data.get("holding", 0),
        up,
        seen,
    )
