"""Whether a backend could draw here, as far as settings show it: nothing is opened and nobody is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from lib.errors import JobRunnerError
from lib.picture_backends.machines import machine_backends
from lib.picture_backends.names import PictureSettings, facts_of, settings_of


def lacks_here(name: str, settings: PictureSettings) -> str | None:
    """What a backend lacks to draw on this computer, as a sentence; None: nothing that settings show.

    Raises:
        UnknownBackend: no backend has this name.
        BadConfiguration: the user's file breaks a rule.
    """
    facts, told = facts_of(name, settings), settings_of(name, settings)
    if facts.needs_token and not settings.replicate_token:
        return f"The picture backend {name} needs a token that is not set; set REPLICATE_API_TOKEN."
    if facts.kind == "diffusers" and not told.get("model"):
        return (
            f"The picture backend {name} has no weights; set FLUX_MODEL to their folder, or give it a model."
        )
    return None


def cannot_draw(
    names: Collection[str], settings: PictureSettings, machines: Sequence[str] | None
) -> Iterator[str]:
    """Why backends cannot draw where jobs are done, a sentence each.

    `machines`: the backends that machines elsewhere are made ready for; None: jobs are done on this computer.
    """
    try:
        served = None if machines is None else machine_backends(machines, settings)
    except JobRunnerError as error:
        yield error.message
        return
    for name in sorted(names):
        try:
            lacking = lacks_here(name, settings) if served is None else served.refusal(name)
        except JobRunnerError as error:
            lacking = error.message
        if lacking is not None:
            yield lacking
