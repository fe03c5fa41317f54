"""What a player on a page gets to hear: takes side by side, as loud as each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlencode

from lib.records import Take

#: A take that is quieter than the others by more than that is a silent one: they are not turned down to it.
_MOST_DOWN_DB: Final = -20.0

_API: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class HeardTake:
    """One audio of a player (`web/templates/player.html`). Addresses are "" where there is no such thing.

    `seconds` and `lufs` are None where nobody measured them. `gain_db` is at most 0: a page only turns down,
    so that nothing is louder than full scale. `note` is what a note about it is posted with (`POST /notes`).
    `facts` are told beside it, as pairs of a word and a value; `verdict` is a word of a kind: good, bad,
    warn.
    """

    label: str
    src: str
    peaks: str = ""
    captions: str = ""
    seconds: float | None = None
    lufs: float | None = None
    gain_db: float = 0.0
    sha256: str = ""
    note: tuple[tuple[str, str | int], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    verdict: str = ""
    verdict_kind: str = ""
    why: str = ""
    download: str = ""
    files: tuple[tuple[str, str], ...] = ()  # what else can be downloaded: a word and its address


def matched(takes: Sequence[HeardTake]) -> tuple[HeardTake, ...]:
    """The takes with gains that make them as loud as the quietest of them, by what was measured.

    One that nobody measured stays as it is, and so do all where one alone is measured.
    """
    levels = [take.lufs for take in takes if take.lufs is not None]
    if len(levels) < 2:
        return tuple(takes)
    loudest, quietest = max(levels), min(levels)
    level = max(quietest, loudest + _MOST_DOWN_DB)
    return tuple(
        take if take.lufs is None else replace(take, gain_db=round(min(0.0, level - take.lufs), 2))
        for take in takes
    )


def take_address(request_id: str, number: int, revision: int | None = None, what: str = "") -> str:
    """Where a take of a job is served, or with `what` ("/peaks") what belongs to it."""
    query = "" if revision is None else f"?{urlencode({'revision': revision})}"
    return f"{_API}/queue/jobs/{quote(request_id, safe='')}/takes/{number}{what}{query}"


def artifact_address(run: str, path: str, what: str = "artifacts") -> str:
    """Where a file of a run is served; with `what` "peaks" its waveform."""
    return f"{_API}/runs/{quote(run, safe='')}/{what}/{quote(path, safe='/')}"


def of_artifact(run: str, path: str, sha256: str, label: str = "") -> HeardTake:
    """An audio file of a run, which nobody measured."""
    return HeardTake(
        label=label or path,
        src=artifact_address(run, path),
        peaks=artifact_address(run, path, "peaks"),
        sha256=sha256,
        note=(("run", run), ("path", path)),
        download=path.rpartition("/")[2],
    )


def measures_of(take: Take) -> tuple[tuple[str, str], ...]:
    """What was measured of a take, for people."""
    told = {
        "length": f"{take.audio_seconds:.2f} s",
        "loudness": None if take.loudness_lufs is None else f"{take.loudness_lufs:.1f} LUFS",
        "true peak": None if take.true_peak_dbtp is None else f"{take.true_peak_dbtp:.1f} dBTP",
        "seed": None if take.seed is None else str(take.seed),
        "speed": None if take.speed == 1.0 else f"{take.speed:g}",
        **{
            name.replace("_", " "): f"{value:.4g}"
            for name, value in take.measures.items()
            if value is not None
        },
        "flags": ", ".join(take.flags) or None,
    }
    return tuple((name, value) for name, value in told.items() if value is not None)
