"""P32: voices to hear: a line of one's own is spoken by a process, one at a time, and kept in bounds."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import httpx

from job_console.voice_samples import LONGEST_LINE, VoiceSamples
from tests.doubles.console import BEARER, ConsoleDesk, check_answer, sound
from tests.doubles.spoken_jobs import tone

API = "/api/v1"
SAMPLES = "/voices/{name}/samples"
ROW = {"name": "Ryan", "kind": "speaker"}


class Speaker:
    """Stands for `voice-synth`; `hold` keeps it speaking until it is set."""

    def __init__(self, refusal: str = "", hold: threading.Event | None = None) -> None:
        self.refusal, self.hold, self.said = refusal, hold, list[list[str]]()
        self.begun = threading.Event()

    def __call__(self, words: list[str]) -> tuple[int, dict[str, Any]]:
        self.said.append(words)
        self.begun.set()
        if self.hold is not None:
            assert self.hold.wait(20)
        if self.refusal:
            return 65, {"error": {"message": self.refusal, "exit_status": 65}}
        Path(f"{words[words.index('--out-exact') + 1]}.wav").write_bytes(sound())
        told = {"engine": "hibari", "audio_seconds": 0.5, "loudness_lufs": -19.0, "sha256": "a" * 64}
        return 0, told


def samples(folder: Path, speaker: Speaker, most: int = 60) -> VoiceSamples:
    return VoiceSamples(folder / "console" / "samples", folder / "voices", "hibari", speaker, most_kept=most)


def test_the_list_is_what_the_command_prints(desk: ConsoleDesk, client: httpx.Client) -> None:
    told = client.get(f"{API}/voices").json()
    check_answer("GET", "/voices", 200, told)
    assert told["engine"] == "hibari"
    assert [row["name"] for row in told["voices"]] == ["newsroom"]
    assert "Ryan" in [row["name"] for row in told["speakers"]]


def test_a_line_is_said_once_and_heard(desk: ConsoleDesk) -> None:
    speaker = Speaker()
    with desk.client(samples=samples(desk.folder, speaker)) as client:
        line = "--json; rm -rf / 'x'"
        made = client.post(f"{API}/voices/Ryan/samples", json={"text": line})
        assert made.status_code == 200, made.text
        check_answer("POST", SAMPLES, 200, made.json())
        assert client.post(f"{API}/voices/Ryan/samples", json={"text": line}).json() == made.json()
        heard = client.get(f"{API}/voice-samples/{made.json()['id']}", headers={"Range": "bytes=0-3"})
        assert (heard.status_code, heard.content) == (206, b"RIFF")
        assert heard.headers["content-type"] == "audio/wav"
    assert len(speaker.said) == 1
    assert f"--text={line}" in speaker.said[0]  # one word of the command, whatever it begins with


def test_one_is_spoken_at_a_time(desk: ConsoleDesk) -> None:
    hold = threading.Event()
    speaker = Speaker(hold=hold)
    with desk.client(samples=samples(desk.folder, speaker)) as client:
        path, first = f"{API}/voices/Ryan/samples", list[int]()
        asking = threading.Thread(
            target=lambda: first.append(
                httpx.post(
                    str(client.base_url).rstrip("/") + path, json={"text": "One."}, headers=BEARER
                ).status_code
            )
        )
        asking.start()
        assert speaker.begun.wait(20)
        refused = client.post(path, json={"text": "Two."})
        hold.set()
        asking.join()
        assert (refused.status_code, first) == (503, [200])
        assert "another sample" in refused.json()["error"]["message"]
        assert client.post(path, json={"text": "Two."}).status_code == 200


def test_what_cannot_be_said_is_told(desk: ConsoleDesk) -> None:
    speaker = Speaker()
    with desk.client(samples=samples(desk.folder, speaker)) as client:
        for name, text, status in (
            ("nobody", "Hello.", 404),
            ("..", "Hello.", 404),
            ("Ryan", "", 422),
            ("Ryan", " \t", 422),
            ("Ryan", "x" * (LONGEST_LINE + 1), 422),
        ):
            asked = client.post(f"{API}/voices/{name}/samples", json={"text": text})
            assert asked.status_code == status, (name, text)
    assert speaker.said == []


def test_why_an_engine_refused_is_told(desk: ConsoleDesk) -> None:
    with desk.client(samples=samples(desk.folder, Speaker("The text has nothing to say."))) as client:
        answer = client.post(f"{API}/voices/Ryan/samples", json={"text": "..."})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "Ryan was not heard: The text has nothing to say."


def test_the_folder_does_not_grow_for_ever(tmp_path: Path) -> None:
    (tmp_path / "console").mkdir()
    kept = samples(tmp_path, Speaker(), most=2)
    ids = []
    for number in range(4):
        ids.append(kept.spoken(ROW, f"Line {number}.").id)
        os.utime(tmp_path / "console" / "samples" / f"{ids[-1]}.json", (number, number))
    assert [kept.find(id) is not None for id in ids] == [False, False, True, True]
    assert len(list((tmp_path / "console" / "samples").iterdir())) == 4


def test_a_clone_is_heard_by_its_recording(desk: ConsoleDesk, client: httpx.Client) -> None:
    folder, recorded = desk.folder / "voices" / "jo", tone(3.5)
    folder.mkdir(parents=True)
    (folder / "ref.wav").write_bytes(recorded)
    (folder / "voice.yaml").write_text(
        "name: jo\nengine: qwen3\nlanguage: English\nlicence: ours\n"
        "consent: Jo agreed in writing, 2026-11-01\nreference_audio: ref.wav\nreference_text: Hello.\n"
        f"sha256: '{hashlib.sha256(recorded).hexdigest()}'\n"
    )
    assert client.get(f"{API}/voices/jo/recording").content == recorded
    page = client.get("/voices").text
    assert 'data-src="/api/v1/voices/jo/recording"' in page
    assert "Jo agreed in writing" in page
    assert client.get(f"{API}/voices/newsroom/recording").status_code == 404


def test_a_broken_voice_says_why_and_hides_no_other(desk: ConsoleDesk, client: httpx.Client) -> None:
    folder = desk.folder / "voices" / "broken"
    folder.mkdir(parents=True)
    (folder / "voice.yaml").write_text("name: <script>alert(1)</script>\n")
    page = client.get("/voices")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "cannot speak" in page.text
    assert "newsroom" in page.text
    assert client.get(f"{API}/voices/broken/recording").status_code == 422
    assert client.get(f"{API}/voice-samples/{'0' * 32}").status_code == 404
