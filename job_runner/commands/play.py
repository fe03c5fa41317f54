"""`job-runner play`: hear a finished job."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.cli.players import AudioPlayer, play, player_for
from lib.cli.signals import sigterm_interrupts
from lib.errors import BadConfiguration, BadInput, JobFailed, TryAgain
from lib.jobqueue import TERMINAL, JobRecord
from lib.jobs.results import ending_or_record
from lib.records import Take
from lib.storage import NotStored, Storage, StoredArtifact, files_of
from lib.units import seconds_text

EXAMPLES = ("job-runner play topic:beat-001", "job-runner play topic:beat-001 --take 2")


def command(
    request_id: Annotated[
        str, typer.Argument(metavar="REQUEST_ID", help="The id of a finished job.", show_default=False)
    ],
    number: Annotated[int, typer.Option("--take", metavar="N", min=1, help="Which of its takes.")] = 1,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> None:
    """Play a finished job's audio with the first player found here; without one, print where it is.

    Looked for are ffplay, mpv, cvlc, pw-play, paplay, aplay, afplay and play, as far as they play its format.
    """
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        ending = ending_or_record(queue, request_id)
    done = None if isinstance(ending, JobRecord) else ending.done()
    if done is None:
        waits = isinstance(ending, JobRecord) and ending.state not in TERMINAL
        kind = TryAgain if waits else JobFailed
        raise kind(f"{request_id} is {ending.state.value}, so there is nothing to play.")
    spoken = done.spoken
    if spoken is None:
        raise BadInput(
            f"{request_id} is a picture, which no player plays; see: job-runner result {request_id}"
        )
    if number > len(done.takes):
        takes = "1 take" if len(done.takes) == 1 else f"{len(done.takes)} takes"
        raise BadInput(f"{request_id} has {takes}; there is no take {number}.")
    take, storage = spoken.takes[number - 1], here.storage()
    place = files_of(storage, done.takes)[number - 1]
    if not place:
        raise JobFailed(
            f"The audio of {request_id} is gone from the store; see: job-runner explain {request_id}"
        )
    player = player_for(spoken.audio_format)
    if player is not None:
        output.note(f"{request_id}  {seconds_text(take.audio_seconds)}  with {player.program}")
        with sigterm_interrupts():
            _play(player, take, storage, place)
    elif not json_:
        output.note("No player was found here; the audio is at")
    if json_:
        name = None if player is None else player.program
        output.emit_json({"request_id": request_id, "take": number, "file": place, "player": name})
    elif player is None:
        output.say(place)


def _play(player: AudioPlayer, take: Take, storage: Storage, place: str) -> None:
    """Play it where it lies; out of a bucket, or under a name without its format, as a copy."""
    artifact, suffix = StoredArtifact.of(take.audio), Path(take.audio.file).suffix
    if place.endswith(suffix) and storage.sign_download(artifact, take.audio.file) is None:
        play(player, Path(place))
        return
    with tempfile.TemporaryDirectory(prefix="job-runner-") as scratch:
        copy = Path(scratch) / f"audio{suffix}"
        try:
            storage.fetch(artifact, copy)
        except NotStored as error:
            raise JobFailed(error.message) from None
        except OSError as error:
            raise BadConfiguration(f"{copy} cannot be written: {error.strerror or error}.") from None
        play(player, copy)
