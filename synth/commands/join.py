"""`voice-synth join`: finished audio as one file, with chapters, tags and captions."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say, warn
from lib.cli.progress import ProgressBar
from lib.cli.signals import signals_wait
from lib.jobspec.episode_names import check_episode_name
from lib.units import seconds_text
from synth.commands import options as o
from synth.commands.levels import read_loudness

if TYPE_CHECKING:
    from synth.join.episode import Joined

_LONG_S: Final = 1800.0
EXAMPLES = ("voice-synth join playlist.json --out episode.m4b",)


def command(
    playlist: Annotated[
        Path,
        typer.Argument(
            metavar="PLAYLIST", help="What to join, in JSON: docs/reference/playlist.md.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Where it goes; the suffix says the format: m4b, m4a, mp3, opus, flac or wav.",
        ),
    ],
    loudness: o.LoudnessOption = "-19",
    cover: Annotated[
        Path | None,
        typer.Option("--cover", metavar="FILE", help="A picture, PNG or JPEG.", show_default=False),
    ] = None,
    only_check: Annotated[bool, typer.Option("--only-check", hidden=True)] = False,
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> None:
    """Join finished audio into one file, in order, with gaps, chapters and an even loudness.

    Beside it go its chapters and, where there are any, its captions: .chapters.json, .srt, .vtt,
    .captions.json.
    """
    level = read_loudness(loudness)
    check_episode_name(out)
    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    if only_check:  # whoever has to fetch the audio first asks
        _check(playlist, out, cover)
        return
    with signals_wait() as ask, ExitStack() as screen:
        joined = _join(playlist, out, level, cover, _progress(screen, ask))
    if json:
        emit_json(joined.to_json())
    else:
        _tell(joined)


def _check(path: Path, out: Path, cover: Path | None) -> None:
    from synth.join.cover import read_cover
    from synth.join.episode import check_join
    from synth.join.playlist import read_playlist

    check_join(read_playlist(path), out)
    if cover is not None:
        read_cover(cover)


def _join(
    path: Path,
    out: Path,
    level: float | None,
    cover: Path | None,
    progress: Callable[[str, float, float], None],
) -> Joined:
    from synth.join.cover import read_cover
    from synth.join.episode import join_playlist
    from synth.join.playlist import read_playlist

    playlist = read_playlist(path)
    return join_playlist(playlist, out, level, None if cover is None else read_cover(cover), progress)


def _progress(screen: ExitStack, ask: Callable[[], None]) -> Callable[[str, float, float], None]:
    """A bar for each time the audio is read; how long it is, is known from the second time on."""
    bars: dict[str, ProgressBar] = {}

    def on_block(word: str, done: float, total: float) -> None:
        ask()
        if total and word not in bars:
            screen.close()
            quiet = total < _LONG_S  # on a terminal it is drawn all the same
            bar = ProgressBar(round(total), f"seconds {word}", quiet=quiet)
            bars[word] = screen.enter_context(bar)
        if word in bars:
            bars[word].reach(int(done), total=round(total))

    return on_block


def _tell(joined: Joined) -> None:
    for warning in joined.warnings:
        warn(warning)
    loud = "silent" if joined.loudness_lufs is None else f"{joined.loudness_lufs:.1f} LUFS"
    chapters = "1 chapter" if len(joined.chapters) == 1 else f"{len(joined.chapters)} chapters"
    say(f"{joined.file}  {seconds_text(joined.audio_seconds)}  {loud}  {chapters}")
    for path in joined.beside.values():
        say(str(path))
