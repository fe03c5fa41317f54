"""`job-watcher simulate`: what a newcomer reads before spending anything."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from job_watcher.commands import simulate
from job_watcher.rehearsal.estimate import estimate, usual_day
from lib.errors import UsageError
from lib.fleet import Caps, Policy
from lib.jobspec import load_job_file

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
