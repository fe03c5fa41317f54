"""`job-runner join`: the finished beats of a topic as one file to ship."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JobFileArgument, JsonOption, RedisUrlOption, SpeakerOption, VoiceOption
from lib.cli.progress import ProgressBar
from lib.cli.signals import sigterm_interrupts
from lib.clock import SystemClock
from lib.errors import BadConfiguration, BadInput
from lib.jobs.chapter_titles import chapter_titles, check_target
from lib.jobs.episode import EpisodeBeat, beats_in_folder, beats_in_queue, beats_of, topics_of
from lib.jobs.join_process import join
from lib.jobs.playlist import Titles, playlist
from lib.jobspec import JobSpec, load_job_file
from lib.jobspec.episode_names import check_episode_name
from lib.storage import Storage
from lib.units import seconds_text

_GAP_S: Final = 0.7  # a paragraph's pause
_Fetch = Callable[[], None]
_MANY: Final = 5  # beats; so many fetched ones are worth a line

EXAMPLES = (
    "job-runner join jobs.yaml --out episode.m4b",
    "job-runner join jobs.yaml --out episode.mp3 --title 'High water' --cover cover.png",
    "job-runner join jobs.yaml --from outputs/jobs --out episode.flac",
)


OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="Where it goes; the suffix says the format: m4b, m4a, mp3, opus, flac or wav.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="DIR",
        help="The folder of a `run`; else the queue knows where the audio is.",
        show_default=False,
    ),
]
TopicOption = Annotated[
    str | None,
    typer.Option(
        "--topic", metavar="NAME", help="Which topic, where the file has several.", show_default=False
    ),
]
ChaptersOption = Annotated[
    str | None,
    typer.Option(
        "--chapters",
        metavar="KEY",
        help="Chapters have what callback_data has under this key as their titles; else names.",
        show_default=False,
    ),
]
GapOption = Annotated[
    float,
    typer.Option(
        "--gap", metavar="SECONDS", min=0.0, max=60.0, help="Silence after beats that have no gap_after."
    ),
]
TitleOption = Annotated[
    str | None,
    typer.Option("--title", metavar="TEXT", help="Title in its tags; else the topic.", show_default=False),
]
ArtistOption = Annotated[
    str | None,
    typer.Option("--artist", metavar="TEXT", help="Artist in its tags; else who speaks.", show_default=False),
]
AlbumOption = Annotated[
    str, typer.Option("--album", metavar="TEXT", help="Album in its tags.", show_default=False)
]
CoverOption = Annotated[
    Path | None,
    typer.Option("--cover", metavar="FILE", help="A picture, PNG or JPEG.", show_default=False),
]
LoudnessOption = Annotated[
    str, typer.Option("--loudness", metavar="LUFS", help="-16, -19, -23 or another level, or off.")
]


def command(
    path: JobFileArgument,
    out: OutOption,
    folder: FolderOption = None,
    topic: TopicOption = None,
    chapters: ChaptersOption = None,
    gap: GapOption = _GAP_S,
    title: TitleOption = None,
    artist: ArtistOption = None,
    album: AlbumOption = "",
    cover: CoverOption = None,
    loudness: LoudnessOption = "-19",
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Join the finished beats of a topic into one file, in the file's order; nothing is spoken anew.

    Beside it go its chapters and, where beats have them, its captions: .chapters.json, .srt, .vtt,
    .captions.json.
    """
    check_episode_name(out)
    all_specs = load_job_file(path, voice=voice, speaker=speaker).specs
    name, specs = beats_of(all_specs, topic)
    specs = [spec for spec in specs if not spec.is_picture]  # they are seen, and not heard
    if not specs:
        raise BadInput("The file has pictures alone, and nothing that could be joined.")
    chapter_titles(specs, chapters)  # before anything is looked for
    _tell_topics(specs, topic)
    stem = "" if path == Path("-") else path.stem
    titles = Titles(title or name.rpartition("/")[2] or stem, album, artist or "")
    titles.check()
    options = ["--out", str(out), f"--loudness={loudness}"]
    options += [] if cover is None else ["--cover", str(cover)]
    read = [path, *([] if cover is None else [cover])]
    with sigterm_interrupts(), _beats(specs, folder, path, redis_url, out) as (beats, places, root, fetch):
        check_target(out, [*read, *places], all_specs, root)
        with tempfile.TemporaryDirectory(prefix="job-runner-") as scratch:
            list_file = Path(scratch) / "playlist.json"
            content = playlist(beats, places, chapter_titles(specs, chapters), titles, gap)
            list_file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
            status, answer = _joined(list_file, options, fetch)
    if json_ and answer:
        output.emit_json(answer)
    elif status == 0:
        _tell(answer)
    return status


def _joined(list_file: Path, options: Sequence[str], fetch: _Fetch | None) -> tuple[int, dict[str, Any]]:
    """Join them. What is to be fetched first is fetched once all else is known to be right."""
    if fetch is not None:
        status, answer = join(list_file, [*options, "--only-check"])
        if status != 0:
            return status, answer
        fetch()
    return join(list_file, options)


@contextlib.contextmanager
def _beats(
    specs: Sequence[JobSpec], folder: Path | None, path: Path, redis_url: str | None, out: Path
) -> Iterator[tuple[list[EpisodeBeat], list[Path], Path | None, _Fetch | None]]:
    """The beats, where their audio is while the block lasts, and the folder of output names.

    What is last brings the audio there, where it is on another machine.
    """
    if folder is not None:
        beats = beats_in_folder(folder, specs, f"job-runner run {path} --out {folder}")
        yield beats, [beat.place for beat in beats if beat.place is not None], folder, None
        return
    here = wiring.here(redis_url)
    storage = here.storage()
    with here.open_queue() as queue:
        beats = beats_in_queue(queue, specs, storage, SystemClock().now(), here.again)
    if all(beat.place is not None for beat in beats):
        root = Path(storage.location("any")).parent
        yield beats, [beat.place for beat in beats if beat.place is not None], root, None
        return
    try:
        scratch = tempfile.TemporaryDirectory(prefix=".join-", dir=out.parent)
    except OSError as error:
        raise BadConfiguration(f"{out} cannot be written: {error.strerror or error}.") from None
    with scratch as place:
        places = [Path(place) / f"{number}.{beat.spec.format}" for number, beat in enumerate(beats)]
        yield beats, places, None, lambda: _fetch_all(beats, storage, places)


def _fetch_all(beats: Sequence[EpisodeBeat], storage: Storage, places: Sequence[Path]) -> None:
    """Copy the audio to this machine."""
    with ProgressBar(len(beats), "fetched", quiet=len(beats) < _MANY) as bar:
        for beat, place in zip(beats, places, strict=True):
            try:
                storage.fetch(beat.artifact, place)
            except OSError as error:
                raise BadConfiguration(f"{place} cannot be written: {error.strerror or error}.") from None
            bar.advance()


def _tell_topics(specs: Sequence[JobSpec], topic: str | None) -> None:
    topics = topics_of(specs)
    if topic is None and len(topics) > 1:
        output.note(f"The file has {len(topics)} topics, and all are joined; one alone: --topic {topics[0]}")


def _tell(joined: dict[str, Any]) -> None:
    for warning in joined["warnings"]:
        output.warn(warning)
    loudness, chapters = joined["loudness_lufs"], len(joined["chapters"])
    output.say(
        f"{joined['file']}  {seconds_text(joined['audio_seconds'])}  "
        f"{'silent' if loudness is None else f'{loudness:.1f} LUFS'}  "
        f"{chapters} chapter{'' if chapters == 1 else 's'}"
    )
    for kind in ("chapters_file", "srt", "vtt", "captions_file"):
        if joined[kind] is not None:
            output.say(joined[kind])
