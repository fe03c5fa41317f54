"""`job-watcher simulate`: what a newcomer reads before spending anything."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from job_watcher.commands import simulate
from job_watcher.simulation.estimate import estimate, usual_day
from job_watcher.simulation.outcome import outcome_of
from job_watcher.simulation.world import World
from lib.errors import UsageError
from lib.fleet import Caps, Policy
from lib.jobs.plan import RegistryCheck, plan_job_file
from lib.jobspec import load_job_file
from lib.voices import VoiceRegistry

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "jobs.example.yaml"
SCHEMA = ROOT / "docs/reference/json/job-watcher-simulate.json"


def test_it_says_what_a_batch_costs_when_it_is_done_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.command(EXAMPLE, seeds=5) == 0
    text = capsys.readouterr().out
    for words in (
        "cost",
        "done after",
        "worst",
        "rented because: 9 jobs",
        "given back because",
        "nothing was rented",
    ):
        assert words in text


def test_its_json_keeps_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    simulate.command(EXAMPLE, seeds=3, json_=True)
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    assert float(found["expected_cost_usd"]) <= float(found["worst_cost_usd"])
    assert found["expected_finish_s"] <= found["worst_finish_s"]
    assert found["machines"]


def shape(capsys: pytest.CaptureFixture[str], path: Path = EXAMPLE, **options: Any) -> Any:
    capsys.readouterr()
    simulate.command(path, json_=True, **options)
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    return found


def test_each_machines_cost_can_be_checked_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    machines = [item for worst in (False, True) for item in shape(capsys, seeds=12, worst=worst)["machines"]]
    assert any(item["fee_usd"] != "0.000000" for item in machines)
    for item in machines:
        hours = {name: item[name] / 3600 for name in ("run_s", "standing_s")}
        reckoned = hours["run_s"] * float(item["usd_per_hour"])
        reckoned += hours["standing_s"] * float(item["standing_usd_per_hour"]) + float(item["fee_usd"])
        assert reckoned == pytest.approx(float(item["cost_usd"]), abs=0.00001)
        assert item["standing_s"] > 0  # it booted


@pytest.mark.parametrize(
    ("limits", "setting"),
    [({"MAX_DPH": "0.01"}, "MAX_DPH"), ({"SPEND_CAP_BATCH": "0.001"}, "SPEND_CAP_BATCH")],
)
def test_limits_that_forbid_every_machine_are_named_with_what_would_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, limits: dict[str, str], setting: str
) -> None:
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    simulate.command(EXAMPLE, seeds=3)
    text, warnings = capsys.readouterr()
    assert f"{setting} is $" in text
    assert "all jobs stay unfinished" in text
    assert "never" in text
    assert "3d00h" not in text
    assert "promise" not in warnings

    found = shape(capsys, seeds=3)
    (only,) = found["forbidden_by"]
    assert only["setting"] == setting
    assert (found["expected_finish_s"], found["middle_day"]["unfinished"]) == (None, 9)
    assert setting in found["middle_day"]["reasons"][0]

    monkeypatch.setenv(setting, only["needed_usd"])
    assert not shape(capsys, seeds=3)["forbidden_by"]


def test_jobs_left_by_a_capped_day_are_no_broken_promise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEND_CAP_BATCH", "0.12")
    text = "word " * 400
    lines = (f"  - {{output_name: a/b-{i}, speaker: Ryan, text: {text}}}\n" for i in range(90))
    path = tmp_path / "long.yaml"
    path.write_text("jobs:\n" + "".join(lines))
    assert simulate.command(path, seeds=1, speed=1.0) == 0
    text, warnings = capsys.readouterr()
    assert "promise" not in warnings
    assert "jobs stay unfinished: SPEND_CAP_BATCH is $0.1200, of which $0." in text


def test_the_limits_are_those_of_the_settings_and_options_go_before_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEND_CAP_HOUR", "0.001")
    assert shape(capsys, seeds=1)["forbidden_by"][0]["setting"] == "SPEND_CAP_HOUR"
    assert not shape(capsys, seeds=1, cap_hour="2")["forbidden_by"]
    monkeypatch.setenv("SPEND_CAP_HOUR", "2")
    usual = shape(capsys, seeds=1)["machines"][0]
    monkeypatch.setenv("IDLE_HOLD_SECONDS", "1500")
    assert shape(capsys, seeds=1)["machines"][0]["run_s"] > usual["run_s"] + 1000
    monkeypatch.setenv("MAX_MACHINES", "0")
    assert shape(capsys, seeds=1)["forbidden_by"][0]["setting"] == "MAX_MACHINES"
    assert not shape(capsys, seeds=1, max_machines=1)["forbidden_by"]


def test_the_shown_day_is_named_and_the_worst_one_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    simulate.command(EXAMPLE, seeds=12)
    text = capsys.readouterr().out
    middle, worst = shape(capsys, seeds=12), shape(capsys, seeds=12, worst=True)
    assert middle["shown_day"] == middle["middle_day"]["day"]
    assert worst["shown_day"] == worst["worst_day"]["day"] != middle["shown_day"]
    assert f"Shown is day {middle['shown_day']}, the one of median cost: $" in text
    assert f"The worst is day {worst['shown_day']}: $" in text
    cost = sum(float(item["cost_usd"]) for item in worst["machines"])
    assert cost == pytest.approx(float(worst["worst_day"]["cost_usd"]), abs=0.00001)


def test_why_jobs_failed_on_a_day_is_told() -> None:
    specs = load_job_file(EXAMPLE).specs
    day = usual_day(specs, 0, Policy(), Caps())
    days = (World(replace(day, taste=replace(day.taste, bad_hosts=1.0)), seed) for seed in range(25, 60))
    for world in days:
        world.run()
        found = outcome_of(world, 0, ())
        if found.failed:
            break
    assert found.reasons == (f"{found.failed} jobs failed: The engine failed.",)


def test_plan_and_simulate_guess_the_same_length_of_audio(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "takes.yaml"
    path.write_text(
        "jobs:\n"
        "  - {output_name: a/one, speaker: Ryan, text: 'Some words to be spoken three times.', variants: 3}\n"
        "  - {output_name: a/two, voice: newsroom, text: 'And some to be spoken once.'}\n"
    )
    plan = plan_job_file(path, RegistryCheck(VoiceRegistry(), "hibari"))
    assert shape(capsys, path, seeds=1)["audio_s"] == plan.totals()["estimated_audio_s"] > 0
    assert plan.totals()["estimated_audio_s"] == round(sum(job.work.audio_s for job in plan.jobs), 1)


def test_the_picture_is_sound_and_names_the_reasons(tmp_path: Path) -> None:
    simulate.command(EXAMPLE, seeds=2, picture=tmp_path / "day.svg")
    root = ET.parse(tmp_path / "day.svg").getroot()
    titles = [item.text or "" for item in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any("Rented because" in title for title in titles)


@pytest.mark.parametrize("amount", ["-1", "0", "nan", "much", "1e9"])
def test_a_cap_that_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(UsageError, match="--cap-hour"):
        simulate.command(EXAMPLE, cap_hour=amount)


def test_another_kind_of_picture_is_refused() -> None:
    with pytest.raises(UsageError, match=r"must end in \.svg"):
        simulate.command(EXAMPLE, picture=Path("day.png"))


def test_the_same_question_has_the_same_answer() -> None:
    specs = load_job_file(EXAMPLE).specs
    first, second = (estimate(specs, days=4, policy=Policy(), caps=Caps()).to_json() for _ in range(2))
    assert first == second


def test_the_first_day_has_no_trouble() -> None:
    specs = load_job_file(EXAMPLE).specs
    day = usual_day(specs, 0, Policy(), Caps())
    assert not day.faults
    assert day.taste.bad_hosts == 0.0
