"""`job-runner doctor`: is everything that jobs need in order?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.clock import SystemClock
from lib.errors import BadConfiguration, ExitStatus, Unavailable
from lib.jobs import checkup
from lib.jobs.doctor import UNREACHABLE, Checkup, Trouble, diagnose
from lib.jobs.findings import Finding, Severity


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> int:
    """Try the server, its settings, the voices, the engine, the store and the disks; say what to mend.

    Exit status 0 when nothing is wrong or there are only warnings, 69 when the server does not answer,
    78 when something else must be mended.
    """
    findings = diagnose(examine(redis_url))
    if json_:
        output.emit_json({"findings": [item.to_json() for item in findings]})
    else:
        show_findings(findings, nothing="Everything is in order.")
    return exit_status(findings)


def exit_status(findings: Sequence[Finding]) -> ExitStatus:
    """0, 69 or 78, as the command says."""
    errors = {item.kind for item in findings if item.kind.severity is Severity.ERROR}
    if not errors:
        return ExitStatus.OK
    return ExitStatus.UNAVAILABLE if UNREACHABLE in errors else ExitStatus.BAD_CONFIGURATION


def examine(redis_url: str | None) -> Checkup:
    """Look at everything once.

    Raises:
        BadConfiguration: the settings cannot be read.
    """
    found = wiring.settings({"REDIS_URL": redis_url})
    data = checkup.refusing(found.jobs_data_dir)
    folder = checkup.folder_of(found.storage_url)
    store = None if folder is None else checkup.refusing(folder)
    places: list[Path] = [found.jobs_data_dir, *([folder] if folder else [])]
    return Checkup(
        **_server(redis_url, embedded=found.redis_url is None, data=data),
        voices=checkup.bad_voices(wiring.voices()),
        engine=checkup.bad_engine(found.voice_engine),
        store=store,
        data=data,
        disks=checkup.disks(places),
        provider=found.provider,
    )


def _server(redis_url: str | None, *, embedded: bool, data: Trouble | None) -> dict[str, Any]:
    """What the server says; nothing when it is the embedded one and its folder is the trouble."""
    from lib.jobqueue.errors import ServerUnavailable
    from lib.jobqueue.upkeep import upkeep_of

    clock = SystemClock()
    seen: dict[str, Any] = {"now": clock.now(), "place": "the embedded server" if embedded else "the server"}
    if embedded and data is not None:
        return seen
    try:
        with wiring.open_queue(redis_url) as queue:
            seen["server"] = upkeep_of(queue).inspector.server()
            seen["now"] = clock.now()
            seen["place"] = str(queue.server_health()["place"])
            if seen["server"].role == "master":  # else the script that counts is refused
                seen["snapshot"] = queue.snapshot()
    except ServerUnavailable as error:
        seen |= {"server_trouble": error.reason, "server_fix": error.fix}
    except Unavailable as error:
        seen["server_trouble"] = error.message
    except BadConfiguration as error:
        folder = "set JOBS_DATA_DIR to a folder that the embedded server can use"
        forms = "correct REDIS_URL; docs/how-to/own-redis.md has its forms"
        seen |= {"server_trouble": error.message, "server_fix": folder if embedded else forms}
    return seen


def show_findings(findings: Sequence[Finding], *, nothing: str, tried: bool = False) -> None:
    """Each finding with what mends it, for people; once that was `tried`, with what came of it."""
    if not findings:
        output.say(nothing)
    for item in findings:
        word = "mended" if item.mended else item.kind.severity.value
        output.say_state(word, f" {item.kind.id} {item.kind.title}", pad=7)
        output.say(f"        {item.sentence}.")
        word = "done" if item.mended else "left" if tried else item.remedy
        output.say(f"        {word}: {item.fix}.")
