"""A timeline becomes a film whose picture and sound end together; what changed is made again (I8)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from lib.errors import BadInput, TryAgain
from lib.files import take_folder_lock
from synth.audio.level_stream import LevelStream
from synth.audio.loudness_meter import integrated_loudness
from synth.video.assemble import AssemblyOptions, assemble
from synth.video.timeline import read_timeline
from tests.unit.synth.video.studio import RATE, Studio, frames_of, paint, sound_of, voice


def seconds_of(path: Path, kind: str) -> float:
    with av.open(str(path)) as container:
        stream = next(each for each in container.streams if each.type == kind)
        return float((stream.duration or 0) * (stream.time_base or 0))


def test_picture_and_sound_last_as_long_as_the_narration(studio: Studio) -> None:
    made = studio.make()

    for path in (studio.out, made.beside["preview"].file):
        assert abs(seconds_of(path, "video") - studio.length) <= 1 / 15
        assert abs(seconds_of(path, "audio") - studio.length) <= 1 / 15
    assert len(frames_of(studio.out)) == made.frames == round(studio.length * 15)


def test_the_files_beside_it_are_named_with_their_digests(studio: Studio) -> None:
    made = studio.make()

    assert {path.name for path in studio.out.parent.iterdir() if path.is_file()} == {
        *("film.mp4", "film.preview.mp4", "film.poster.jpg", "film.srt", "film.vtt")
    }
    for each in (made.video, *made.beside.values()):
        assert hashlib.sha256(each.file.read_bytes()).hexdigest() == each.sha256
        assert each.file.stat().st_size == each.bytes


def test_the_same_inputs_make_the_same_bytes_whatever_the_number_of_workers(studio: Studio) -> None:
    one = studio.make(workers=1)
    two = studio.make(workers=2, work=studio.folder / "elsewhere")

    assert one.pieces_made == two.pieces_made > 3
    assert one.video.sha256 == two.video.sha256
    assert one.beside == two.beside


def test_an_edit_to_one_line_makes_its_scene_again_and_no_other(studio: Studio) -> None:
    studio.make()
    kept = {path.name for path in (studio.out.parent / ".film.mp4.pieces").glob("*.mp4")}
    studio.speak((1.1, 1.23, 1.05))  # the second line got longer, and all after it moved

    made = studio.make()

    left = {path.name for path in (studio.out.parent / ".film.mp4.pieces").glob("*.mp4")}
    assert made.scenes_made == 1
    assert made.pieces_made == len(left - kept) == 3  # the scene, and its fades at both ends
    assert len(frames_of(studio.out)) == round(studio.length * 15)
    fresh = studio.make(work=studio.folder / "fresh")
    assert fresh.video.sha256 == made.video.sha256


def test_what_nothing_changed_is_made_of_what_is_there(studio: Studio) -> None:
    first, again = studio.make(), studio.make()

    assert (again.pieces_made, again.scenes_made) == (0, 0)
    assert again.video == first.video


def test_a_film_that_was_interrupted_goes_on_where_it_was(studio: Studio) -> None:
    def stop(done: int, total: int) -> None:
        pieces = list((studio.folder / "out" / ".film.mp4.pieces").glob("*.mp4"))
        if pieces:
            raise KeyboardInterrupt

    studio.make(workers=1)
    whole = studio.out.read_bytes()
    for path in studio.out.parent.rglob("*.*"):
        if path.is_file():
            path.unlink()
    timeline = read_timeline(studio.folder / "timeline.json")
    with pytest.raises(KeyboardInterrupt):
        assemble(timeline, studio.out, AssemblyOptions(workers=1), stop)
    left = [path for path in studio.out.parent.iterdir() if path.is_file()]

    made = studio.make()

    assert left == []
    assert 0 < made.pieces_made < made.pieces
    assert studio.out.read_bytes() == whole


def test_a_broken_picture_in_the_middle_publishes_nothing(studio: Studio) -> None:
    before = studio.make().video
    picture = studio.folder / "picture_1.png"
    picture.write_bytes(picture.read_bytes()[:-400])

    with pytest.raises(BadInput, match=r"picture_1\.png is damaged"):
        studio.make()

    assert hashlib.sha256(studio.out.read_bytes()).hexdigest() == before.sha256
    assert not list(studio.folder.rglob("*.part"))


def test_two_do_not_share_a_folder_of_pieces(studio: Studio) -> None:
    work = studio.folder / "work"
    work.mkdir()
    lock = take_folder_lock(work)
    assert lock is not None

    with pytest.raises(TryAgain, match="Another video-synth works in"):
        studio.make(work=work)


def test_two_do_not_make_one_film_wherever_their_pieces_are(studio: Studio) -> None:
    usual = studio.out.parent / ".film.mp4.pieces"
    usual.mkdir(parents=True)
    lock = take_folder_lock(usual)
    assert lock is not None

    with pytest.raises(TryAgain, match=r"Another video-synth makes .*film\.mp4; wait for its end"):
        studio.make(work=studio.folder / "work")


def test_a_film_that_cannot_be_made_leaves_no_folder(studio: Studio) -> None:
    (studio.folder / "picture_1.png").unlink()

    with pytest.raises(BadInput):
        studio.make()

    assert list(studio.out.parent.iterdir()) == []


def test_it_is_as_loud_as_asked_with_music_and_without(studio: Studio) -> None:
    studio.timeline["loudness"] = -16
    plain = studio.make().levels.lufs
    t = np.arange(RATE) / RATE
    soundfile.write(studio.folder / "music.wav", 0.3 * np.sin(2 * np.pi * 330 * t), RATE)
    studio.timeline["music"] = {"file": "music.wav", "fade": 0.1}

    mixed = studio.make()

    left, right = sound_of(studio.out)
    meter = LevelStream(48_000, peaks=False)
    meter.feed(np.ascontiguousarray(left))
    mono = integrated_loudness(meter.levels())
    assert plain == pytest.approx(-16, abs=0.1)
    assert mixed.levels.lufs == pytest.approx(-16, abs=0.1)
    assert mono == pytest.approx(-16 - 3.01, abs=0.3)
    assert np.abs(left - right).max() < 0.02


def test_music_sinks_under_speech_and_rises_in_a_pause(studio: Studio) -> None:
    silence = np.zeros(3 * RATE, np.float32)
    soundfile.write(studio.folder / "voice.wav", np.concatenate([voice([1.5]), silence]), RATE)
    t = np.arange(4 * RATE) / RATE
    soundfile.write(studio.folder / "music.wav", 0.2 * np.sin(2 * np.pi * 1500 * t), RATE)
    studio.timeline["scenes"] = studio.timeline["scenes"][:1]
    studio.timeline["captions"] = {}
    studio.timeline["music"] = {"file": "music.wav", "level": 10, "duck": 12, "fade": 0.1}

    studio.make(preview=False)

    def music(first: float, last: float) -> float:
        part = sound_of(studio.out)[0][round(first * 48_000) : round(last * 48_000)]
        tone = np.exp(-2j * np.pi * 1500 * np.arange(len(part)) / 48_000)
        return float(20 * np.log10(abs((part * np.hanning(len(part)) * tone).sum()) / len(part)))

    assert music(2.8, 4.0) - music(0.5, 1.2) == pytest.approx(12, abs=1.5)


def test_captions_are_burned_in_where_they_are_heard_and_nowhere_else(studio: Studio) -> None:
    studio.timeline["scenes"] = [{"picture": "picture_0.png", "move": "still"}]
    studio.make(preview=False)
    with_captions = frames_of(studio.out)
    studio.timeline["captions"]["show"] = "off"
    studio.make(preview=False)

    apart = [
        float(np.abs(a.astype(int) - b)[70:].mean())
        for a, b in zip(with_captions, frames_of(studio.out), strict=True)
    ]
    assert min(apart[2:15]) > 1.5  # while the first sentence is said
    assert max(apart[19:21]) < min(apart[2:15]) / 2  # in the pause after it


def test_the_word_that_is_said_is_marked(studio: Studio) -> None:
    words = [{"start": 0.0, "end": 0.5, "text": "High"}, {"start": 0.5, "end": 1.1, "text": "tide"}]
    cue = {"start": 0.0, "end": 1.1, "text": "High tide", "words": words}
    studio.timeline |= {"size": [320, 180], "captions": {"cues": [cue], "size": 0.15}}
    studio.timeline["scenes"] = [{"picture": "picture_0.png", "move": "still"}]
    paint(studio.folder / "picture_0.png", 0, (320, 180))
    studio.make(preview=False)

    def yellow(frame: np.ndarray) -> float:
        """Where letters in the mark's colour stand, as a share of the width."""
        red, green, blue = (frame[90:, :, each].astype(int) for each in range(3))
        return float(np.nonzero((red > 215) & (green > 180) & (blue < 130))[1].mean() / frame.shape[1])

    frames = frames_of(studio.out)
    assert yellow(frames[3]) < 0.5 < yellow(frames[11])


def test_soft_captions_are_a_track_with_their_times(studio: Studio) -> None:
    studio.timeline["captions"]["show"] = "soft"
    studio.make(preview=False)

    with av.open(str(studio.out)) as container:
        stream = container.streams.subtitles[0]
        packets = [(packet.pts, bytes(packet)[2:].decode()) for packet in container.demux(stream)]
    said = [(pts, text) for pts, text in packets if text]
    assert said == [(0, "The sea leaves."), (1500, "It comes back."), (2800, "It is the moon.")]


def test_its_scenes_are_its_chapters(studio: Studio) -> None:
    studio.timeline["title"] = "Tides"
    studio.make(preview=False)

    with av.open(str(studio.out)) as container:
        chapters = [(each["start"], each["metadata"]["title"]) for each in container.chapters()]
        metadata = container.metadata
    assert chapters == [(0, "Part 1"), (1500, "Part 2"), (2800, "Part 3")]
    assert metadata["title"] == "Tides"
    assert "creation_time" not in metadata
    assert "encoder" not in metadata


@pytest.mark.parametrize(
    "colour", [(220, 40, 40), (30, 160, 90), (20, 30, 200), (240, 240, 240), (12, 12, 12)]
)
def test_a_colour_stays_the_colour_it_is(studio: Studio, colour: tuple[int, int, int]) -> None:
    Image.new("RGB", (192, 108), colour).save(studio.folder / "flat.png")
    studio.timeline |= {"scenes": [{"picture": "flat.png"}], "captions": {}, "fps": 2}
    studio.make(preview=False)

    with av.open(str(studio.out)) as container:
        frame = next(container.decode(video=0))
        shown = frame.to_ndarray(format="rgb24", src_colorspace="ITU709")
    assert np.abs(shown[54, 96].astype(int) - colour).max() <= 4


def test_nothing_that_is_read_is_written_over(studio: Studio) -> None:
    soundfile.write(studio.folder / "film.wav", voice([1.0]), RATE)
    studio.out = studio.folder / "film.mp4"
    (studio.folder / "film.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    studio.timeline["captions"] = {"file": "film.srt"}

    with pytest.raises(BadInput, match=r"film\.srt would be written over"):
        studio.make()


def test_captions_that_lay_over_others_or_lack_a_symbol_are_told(studio: Studio) -> None:
    (studio.folder / "c.srt").write_text(
        "1\n00:00:00,000 --> 00:00:02,000\nThe sea \U0001fbb2 leaves.\n\n"
        "2\n00:00:01,000 --> 00:00:03,000\nIt comes back.\n"
    )
    studio.timeline["captions"] = {"file": "c.srt"}

    made = studio.make(preview=False)

    assert list(made.warnings) == [
        "1 of the captions lay over another or out of order; each ends where the next begins.",
        "No font here has the symbols \U0001fbb2; the captions are drawn without them.",
    ]
    assert "00:00:00,000 --> 00:00:01,000" in studio.out.with_suffix(".srt").read_text()
