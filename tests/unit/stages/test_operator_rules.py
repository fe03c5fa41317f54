"""What the operator's file may say, and how it is laid over what is shipped (P12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.pipeline.graph import Graph, GraphStage
from lib.pipeline.model import GateRule
from lib.pipeline.operator_rules import InvalidRules, OperatorRules, load_rules, shipped_rules
from lib.pipeline.runs import StageRules
from tests.unit.house import ROOT

STAGES = ("outline", "script", "audio", "spin")


def rules(folder: Path, text: str) -> OperatorRules:
    file = folder / "rules.yaml"
    file.write_text(text, encoding="utf-8")
    return load_rules(file, stages=STAGES)


def stage_rules(found: OperatorRules, *stages: GraphStage) -> StageRules:
    return found.stage_rules(Graph("show", stages, "0" * 64), timeout_s=120.0, max_attempts=10)


def test_a_wheel_ships_the_file_that_stands_in_the_clone() -> None:
    assert (ROOT / "conf/operator.yaml").read_bytes() == (ROOT / "lib/pipeline/operator.yaml").read_bytes()


def test_what_is_shipped_has_the_promised_minutes() -> None:
    shipped = shipped_rules()

    assert shipped.stage_timeouts == {
        "outline": 30,
        "research": 45,
        "script": 60,
        "storyboard": 120,
        "assets": 180,
        "animatics": 90,
        "audio": 60,
        "assemble": 120,
        "acceptance": 30,
    }
    assert {stage: gate["timeout_minutes"] for stage, gate in shipped.gates.items()} == {
        "script": 60,
        "storyboard": 120,
        "assets": 120,
        "audio": 60,
    }
    found = stage_rules(
        shipped, GraphStage("script", gate=True), GraphStage("audio"), GraphStage("other", gate=True)
    )
    assert found.gates == {"script": GateRule(timeout_s=3600.0), "audio": None, "other": GateRule()}
    assert found.timeouts_s == {"script": 3600.0, "audio": 3600.0}


def test_the_operators_time_goes_before_the_codes_and_a_shipped_one_after_it(tmp_path: Path) -> None:
    spin, audio = GraphStage("spin", timeout_s=1.0), GraphStage("audio", timeout_s=2.0)

    assert stage_rules(shipped_rules(), spin, audio).timeouts_s == {}
    found = rules(tmp_path, "pipeline: {stage_timeouts: {spin: 0.5, audio: 60}}")
    assert stage_rules(found, spin, audio).timeouts_s == {"spin": 30.0}
    assert stage_rules(found, GraphStage("audio")).timeouts_s == {"audio": 3600.0}


def test_gates_come_and_go_by_the_file(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "gates:\n"
        "  script: {required: false}\n"
        "  spin: {required: true, timeout_minutes: 1, on_timeout: reject}\n"
        "  audio: {auto_approve: true}\n",
    )

    gates = stage_rules(
        found, GraphStage("script", gate=True), GraphStage("spin"), GraphStage("audio", gate=True)
    ).gates
    assert gates == {
        "script": None,
        "spin": GateRule(timeout_s=60.0, on_timeout="reject"),
        "audio": GateRule(auto_approve=True, timeout_s=3600.0),
    }


def test_who_narrates_is_the_files_or_the_shipped_one(tmp_path: Path) -> None:
    assert rules(tmp_path, "").narration == {"voice": "newsroom", "chunk": True}
    assert rules(tmp_path, "narration: {speaker: Ryan, speed: 1.1}").narration == {
        "chunk": True,
        "speaker": "Ryan",
        "speed": 1.1,
    }


def test_the_file_is_looked_for_in_the_working_folder_and_one_that_is_given_goes_before(
    tmp_path: Path,
) -> None:
    assert load_rules(None, stages=STAGES, folder=tmp_path).source == "as shipped"
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/operator.yaml").write_text("pipeline: {stage_timeouts: {spin: 7}}")
    (tmp_path / "mine.yaml").write_text("pipeline: {stage_timeouts: {spin: 8}}")

    usual = load_rules(None, stages=STAGES, folder=tmp_path)
    assert (usual.source, usual.stage_timeouts["spin"]) == ("conf/operator.yaml", 7)
    assert load_rules(tmp_path / "mine.yaml", stages=STAGES, folder=tmp_path).stage_timeouts["spin"] == 8
    assert usual.to_json()["pipeline"]["stage_timeouts"]["audio"] == 60


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "gates:\n  scrip: {required: true}",
            'rules.yaml:2: gates.scrip: is no stage; did you mean "script"?',
        ),
        (
            "pipeline:\n  stage_timeouts:\n    acts: 3",
            "rules.yaml:3: pipeline.stage_timeouts.acts: is no stage; ",
        ),
        ("gates:\n  1: {}", "rules.yaml:2: gates.1: is no stage; there are audio, outline, script, spin"),
        ("gate: {}", 'rules.yaml:1: gate: is no known key; did you mean "gates"?'),
        (
            "gates:\n  script:\n    timeout: 3",
            "rules.yaml:3: gates.script.timeout: is no known key; did you mean",
        ),
        (
            "gates:\n  script:\n    required: 'yes'",
            "rules.yaml:3: gates.script.required: must be true or false",
        ),
        ("gates:\n  script:\n    timeout_minutes: 0", "rules.yaml:3: gates.script.timeout_minutes: "),
        ("gates:\n  script:\n    on_timeout: shout", "rules.yaml:3: gates.script.on_timeout: "),
        ("pipeline: {timeouts: {}}", "rules.yaml:1: pipeline.timeouts: is no known key; did you mean"),
        ("pipeline:\n  stage_timeouts: {audio: .inf}", "rules.yaml:2: pipeline.stage_timeouts.audio: "),
        (
            "narration:\n  voice: newsroom\n  sped: 2",
            "rules.yaml:3: narration.sped: is no known field; did you",
        ),
        ("narration:\n  lexicon: words.txt", "rules.yaml:2: narration.lexicon: is not read here; "),
        ("- a", "rules.yaml:1: holds a list; write a mapping with gates, pipeline, narration"),
        ("gates: [", "rules.yaml:2: is no valid YAML: "),
        (
            "gates: {script: {required: true, required: false}}",
            "rules.yaml:1: gates.script.required: stands twice",
        ),
    ],
)
def test_what_is_wrong_is_one_line_that_names_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidRules) as caught:
        rules(tmp_path, text)

    assert caught.value.exit_status == 78
    assert str(caught.value).count("\n") == 0
    assert told in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidRules) as caught:
        rules(tmp_path, "gates: {scrip: {on: 1}}\npipeline: 3\n")

    assert [problem.line for problem in caught.value.problems] == [1, 1, 2]
    assert "has 3 problems; nothing of it was used." in str(caught.value)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"gates: \xff", b"a: " + b"[" * 10_000, b"\x00", b"&a [*a]"])
def test_no_bytes_do_more_than_be_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "rules.yaml").write_bytes(data)

    with pytest.raises(InvalidRules, match=r"rules\.yaml"):
        load_rules(tmp_path / "rules.yaml", stages=STAGES)


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "no.yaml", "cannot be read: No such file"), (tmp_path, "is no file")):
        with pytest.raises(InvalidRules, match=why):
            load_rules(path, stages=STAGES)
