"""A language model is asked for JSON; what it says is checked, and its key shows nowhere."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from job_pipeline.dags import video
from job_pipeline.stages.language_model import MOST_ANSWER, LanguageModel, UnusableAnswer
from lib.errors import BadConfiguration, JobRunnerError, TryAgain, Unavailable
from lib.pipeline.failures import SeenSomethingElse
from lib.pipeline.gate_inspection import approve_inspected
from lib.pipeline.gates import approve_gate, reject_gate
from lib.pipeline.runs import advance
from tests.unit.stages.conftest import Opened
from tests.unit.stages.fake_model import FakeModel, serving, writer

KEY = "sk-very-secret-123456"


def ask(url: str, **options: Any) -> Mapping[str, Any]:
    def read(value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "wanted" not in value:
            raise UnusableAnswer("wanted is missing.")
        return value

    return LanguageModel(url, "small", KEY, **options).ask("order", "question", read)


def test_it_is_asked_as_openai_is() -> None:
    with serving(lambda _: {"wanted": 1}) as fake:
        assert ask(fake.url) == {"wanted": 1}

    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert fake.asked[0] == {
        "model": "small",
        "messages": [{"role": "system", "content": "order"}, {"role": "user", "content": "question"}],
        "stream": False,
        "response_format": {"type": "json_object"},
    }


@pytest.mark.parametrize("first", ["no json", "[1]", '{"other": 1}', "", '{"a": ' * 100, '{"wanted": NaN'])
def test_a_useless_answer_is_asked_for_once_more_and_the_model_is_told_why(first: str) -> None:
    answers = iter([first, '```json\n{"wanted": 2}\n```'])
    with serving(lambda _: next(answers)) as fake:
        assert ask(fake.url) == {"wanted": 2}

    assert fake.asked[1]["messages"][2]["content"].startswith("That was no usable answer: ")


def test_two_useless_answers_are_a_failure_that_may_pass() -> None:
    with serving(lambda _: "no") as fake, pytest.raises(UnusableAnswer, match="answered with no JSON"):
        ask(fake.url)
    assert len(fake.asked) == 2


def test_a_server_without_json_mode_is_asked_without_it() -> None:
    def answer(request: Mapping[str, Any]) -> object:
        return (400, b"unknown field response_format") if "response_format" in request else {"wanted": 3}

    with serving(answer) as fake:
        assert ask(fake.url) == {"wanted": 3}


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (401, BadConfiguration, "LLM_API_KEY"),
        (402, BadConfiguration, "no credit"),
        (404, BadConfiguration, "LLM_MODEL"),
        (400, BadConfiguration, "too long"),
        (302, BadConfiguration, "redirects are not followed"),
        (429, TryAgain, "busy"),
        (503, TryAgain, "busy"),
    ],
)
def test_a_refusal_says_what_to_look_at_and_nothing_of_what_was_said(
    status: int, kind: type[JobRunnerError], word: str
) -> None:
    told = f"your key {KEY} is wrong".encode()
    with serving(lambda _: (status, told)) as fake, pytest.raises(kind) as caught:
        ask(fake.url)

    assert f"answered {status}" in caught.value.message
    assert word in caught.value.message
    assert KEY not in caught.value.message
    assert len(fake.asked) == 1


def test_an_answer_without_end_is_left() -> None:
    with (
        serving(lambda _: (200, b" " * (MOST_ANSWER + 1))) as fake,
        pytest.raises(UnusableAnswer, match="4 MiB"),
    ):
        ask(fake.url)


def test_who_does_not_answer_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
        with pytest.raises(Unavailable, match="took too long"):  # it accepts, and is silent
            ask(url, silent_s=0.05)
    with pytest.raises(Unavailable, match=r"LLM_BASE_URL\) does not answer"):
        ask(url)


def test_whoever_speaks_no_http_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"hello " + KEY.encode() + b"\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(Unavailable) as caught:
            ask(f"http://127.0.0.1:{server.getsockname()[1]}/v1")
        thread.join()
    assert KEY not in caught.value.message


@pytest.mark.parametrize(
    ("url", "key", "told"),
    [
        (f"http://ann:{KEY}@127.0.0.1/v1", "", "LLM_BASE_URL holds a login"),
        ("http://127.0.0.1:9/v1", f"{KEY} \n", r"LLM_API_KEY \(hidden\) holds a blank"),
    ],
)
def test_a_key_in_the_wrong_place_or_form_is_refused_and_not_shown(url: str, key: str, told: str) -> None:
    with pytest.raises(BadConfiguration, match=told) as caught:
        LanguageModel(url, "small", key).ask("order", "question", dict)

    assert KEY not in caught.value.message
    assert KEY not in repr(LanguageModel("http://127.0.0.1/v1", "small", KEY))


@pytest.fixture
def used_model(monkeypatch: pytest.MonkeyPatch) -> Any:
    with serving(writer) as fake:
        monkeypatch.setenv("LLM_BASE_URL", fake.url)
        monkeypatch.setenv("LLM_API_KEY", KEY)
        yield fake


@pytest.mark.usefixtures("parts_are_missing")
def test_after_an_edit_the_model_is_asked_about_what_changed(
    open_studio: Opened, used_model: FakeModel
) -> None:
    studio = open_studio(video.dag)
    studio.start(beats=["The sea is wide.", "It has 3 colours."], verbatim=True)

    def until_assets() -> list[str]:
        begin = len(used_model.asked)
        studio.work(allow_placeholders=True)
        for gate in ("script", "storyboard"):
            approve_gate(studio.ledger, "r1", gate, operator="ann")
            studio.work(allow_placeholders=True)
        questions = [request["messages"][1]["content"] for request in used_model.asked[begin:]]
        return [question.partition("The scenes:\n")[2] for question in questions if "The scenes:" in question]

    assert [len(question.splitlines()) for question in until_assets()] == [2, 2]
    approve_gate(studio.ledger, "r1", "assets", operator="ann")
    advance(studio.ledger, "r1", operator="ann", stage="script")
    studio.work(allow_placeholders=True)
    file = studio.place() / "script.txt"
    file.write_text(file.read_text().replace("3 colours", "4 colours"))
    with pytest.raises(SeenSomethingElse):
        approve_inspected(studio.ledger, "r1", "script", folder=studio.place(), operator="ann")

    asked = until_assets()
    assert asked[0].splitlines() == ["1: It has 4 colours."]
    board = json.loads((studio.place() / "storyboard.json").read_text())
    assert [scene["picture"] for scene in board["scenes"]] == ["A picture of 0.", "A picture of 1."]

    advance(studio.ledger, "r1", operator="ann", stage="storyboard", instruction="more boats")
    begin = len(used_model.asked)
    studio.work(allow_placeholders=True)
    assert (
        len(used_model.asked[begin]["messages"][1]["content"].partition("The scenes:\n")[2].splitlines()) > 1
    )


@pytest.mark.usefixtures("parts_are_missing")
def test_every_text_stage_asks_the_model_and_says_so(open_studio: Opened, used_model: FakeModel) -> None:
    studio = open_studio(video.dag)
    studio.start(script="# Sea\n\nThe sea is wide. It has 3 colours.")
    studio.work(allow_placeholders=True)
    for gate in ("script", "storyboard", "assets"):
        approve_gate(studio.ledger, "r1", gate, operator="ann")
        studio.work(allow_placeholders=True)

    files = {path.name: path.read_text() for path in studio.place().glob("*.[tj]*")}
    assert "Source: llm." in files["outline.txt"]
    assert "1. One\n   What comes first." in files["outline.txt"]
    assert json.loads(files["research.json"])["claims"] == [
        {"claim": "The sea has 3 colours.", "doubt": "Count them.", "verified": False}
    ]
    assert "I was told: The sea is wide. It has 3 colours." in files["script.txt"]
    board = json.loads(files["storyboard.json"])
    assert (board["source"], board["scenes"][0]["picture"]) == ("llm", "A picture of 0.")
    plan = json.loads(files["asset_plan.json"])
    assert (plan["source"], plan["assets"][0]["prompt"]) == ("llm", "A prompt of 0.")
    ledger = (studio.folder / "pipeline.db").read_bytes() + json.dumps(used_model.asked).encode()
    assert KEY.encode() not in ledger
    assert not [name for name, text in files.items() if KEY in text]


def test_the_note_of_a_rejection_is_told_to_the_model(open_studio: Opened, used_model: FakeModel) -> None:
    studio = open_studio(video.dag)
    studio.start(topic="the wide sea")
    studio.work()
    reject_gate(studio.ledger, "r1", "script", operator="ann", notes="no puns")
    advance(studio.ledger, "r1", operator="ann", instruction="no puns")
    studio.work()

    assert "I was told: - no puns." in (studio.place() / "script.txt").read_text()
    assert "The topic: the wide sea" in used_model.asked[2]["messages"][1]["content"]


def test_beats_and_a_verbatim_script_are_no_matter_for_a_model(
    open_studio: Opened, used_model: FakeModel
) -> None:
    studio = open_studio(video.dag)
    studio.start("r1", beats=["The sea is wide.", {"text": "And deep.", "speaker": "Vivian"}])
    studio.start("r2", script="The sea is wide.", verbatim=True)
    studio.work()

    for run in ("r1", "r2"):
        text = (studio.place(run) / "script.txt").read_text()
        assert "Source: user." in text
        assert "The sea is wide." in text
    advance(studio.ledger, "r1", operator="ann", stage="script", instruction="edit")
    studio.work()
    assert "[beat-002]\nEdited: And deep." in (studio.place("r1") / "script.txt").read_text()


def test_a_model_that_is_away_is_a_failure_that_is_tried_again(
    open_studio: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda _: (429, b"")) as fake:
        monkeypatch.setenv("LLM_BASE_URL", fake.url)
        studio = open_studio(video.dag)
        studio.start(topic="sea")
        studio.work()

    task = studio.task("outline")
    assert (task.state, task.error) == (
        "failed",
        "The language model (LLM_BASE_URL) answered 429: it is busy or broken just now.",
    )
