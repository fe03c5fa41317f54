"""A bench of the engine on a GPU stands in the place of the guess of its speed (V12, W9)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from job_watcher.bench_results import bench_results
from job_watcher.provisioning.adapters import summary
from job_watcher.provisioning.offers_now import offers_now
from lib.fleet import Caps, Offer, Policy, Speeds
from lib.providers.rental import RentalProvider
from tests.unit.fleet.things import offer
from tests.unit.provisioning.bench import NINE


def lay(data: Path, name: str, gpu: str | None = "RTX 3060", **speeds: object) -> Path:
    """A result as `voice-synth bench --json` prints it, in the folder for such."""
    folder = data / "speeds"
    folder.mkdir(exist_ok=True)
    machine = {"cpu": "some", "cpus": 8, "gpu": gpu and f"NVIDIA GeForce {gpu}", "gpu_class": gpu}
    told = {"machine": machine, "measured": [], "speeds": speeds}
    (folder / name).write_text(json.dumps(told))
    return folder / name


def test_without_a_bench_nothing_is_known(tmp_path: Path) -> None:
    assert bench_results(tmp_path).speeds == {}


def test_each_engine_and_gpu_is_known_and_the_newer_file_wins(tmp_path: Path) -> None:
    old = lay(tmp_path, "z.json", qwen3=2.0, hibari=90.0)
    os.utime(old, (1, 1))
    lay(tmp_path, "a.json", qwen3=2.5)
    lay(tmp_path, "b.json", "RTX 4090", qwen3=6.0)
    (tmp_path / "speeds" / "notes.txt").write_text("of nobody's concern")

    assert bench_results(tmp_path).speeds == {
        ("qwen3", "RTX 3060"): 2.5,
        ("hibari", "RTX 3060"): 90.0,
        ("qwen3", "RTX 4090"): 6.0,
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is no result of voice-synth bench"),
        ("[]", "is no result of voice-synth bench"),
        ('{"speeds": {"qwen3": 1}}', "is no result of voice-synth bench"),
        ('{"machine": {"gpu_class": null}, "speeds": {"qwen3": 1}}', "was not measured on a GPU"),
        ('{"machine": {"gpu_class": "X"}, "speeds": {}}', "has no speed"),
        ('{"machine": {"gpu_class": "X"}, "speeds": {"qwen3": 0}}', "says '0' of the engine 'qwen3'"),
        ('{"machine": {"gpu_class": "X"}, "speeds": {"qwen3": "2"}}', "which is no speed"),
        ('{"machine": {"gpu_class": "X"}, "speeds": {"qwen3": true}}', "which is no speed"),
        (
            '{"machine": {"gpu_class": "X"}, "speeds": {"qwen3": 1e999}}',
            "nothing is reckoned by it",
        ),
    ],
)
def test_what_is_no_result_is_one_sentence_with_its_file(tmp_path: Path, content: str, why: str) -> None:
    file = lay(tmp_path, "mine.json")
    file.write_text(content)
    lay(tmp_path, "good.json", "RTX 4070", qwen3=9.0)
    speeds, (told,) = bench_results(tmp_path)
    assert speeds == {("qwen3", "RTX 4070"): 9.0}  # and the others count all the same
    assert told.startswith(f"{file} ")
    assert why in told


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "speeds" / "x.json").mkdir(parents=True)
    assert "is no regular file" in bench_results(tmp_path).refused[0]


class Market:
    """Two GPUs of the same promise and price."""

    def offers(self, *, interruptible: bool) -> Sequence[Offer]:
        found = [
            offer(id="a", gpu="RTX 3060", machine_id="a"),
            offer(id="b", gpu="RTX 4070", machine_id="b"),
        ]
        return [] if interruptible else found


def shown(**about: Any) -> dict[str, tuple[float, bool, bool]]:
    market = cast(RentalProvider, Market())
    found = offers_now(market, Policy(speed=2.0), Caps(), "qwen3", None, NINE, **about)
    return {each.score.offer.id: (each.score.speed, each.measured, each.chosen) for each in found}


def test_offers_are_scored_by_it_until_jobs_tell(tmp_path: Path) -> None:
    assert shown() == {"a": (2.0, False, True), "b": (2.0, False, False)}
    lay(tmp_path, "mine.json", "RTX 4070", qwen3=9.0)
    assert shown(benched=bench_results(tmp_path).speeds) == {"a": (2.0, False, False), "b": (9.0, True, True)}

    speeds = Speeds(benched=bench_results(tmp_path).speeds)
    speeds.measured("qwen3", "RTX 4070", 30.0, 10.0)
    assert speeds.of("qwen3", "RTX 4070", 1.0, 2.0) == 3.0


def test_a_gpu_is_known_by_the_name_that_its_driver_has(tmp_path: Path) -> None:
    lay(tmp_path, "mine.json", "A100-SXM4-80GB", qwen3=9.0)
    speeds = Speeds(benched=bench_results(tmp_path).speeds)
    assert speeds.of("qwen3", "A100 SXM4", 1.0, 2.0) == 9.0
    assert speeds.of("qwen3", "H100 SXM", 1.0, 2.0) == 2.0
    assert speeds.of("hibari", "A100 SXM4", 1.0, 2.0) == 2.0


@pytest.mark.parametrize(
    ("offered", "benched"),
    [
        ("Titan V", "RTX 4090"),
        ("TITAN RTX", "RTX 4090"),
        ("RTX 4070 Ti", "RTX 4070"),
        ("Q RTX 6000", "RTX 6000 Ada Generation"),
        ("L40", "L40S"),
        ("", "RTX 4090"),
    ],
)
def test_another_gpu_is_guessed_at(offered: str, benched: str) -> None:
    assert Speeds(benched={("qwen3", benched): 9.0}).known("qwen3", offered) is None


@pytest.mark.parametrize(
    ("offered", "benched"),
    [
        ("RTX 4090", "NVIDIA GeForce RTX 4090"),
        ("H100 SXM", "H100 80GB HBM3"),
        ("RTX 6000Ada", "RTX 6000 Ada Generation"),
        ("RTX 4070S", "RTX 4070 SUPER"),
        ("Q RTX 8000", "Quadro RTX 8000"),
        ("RTX 4090D", "RTX 4090 D"),
    ],
)
def test_the_same_gpu_is_known_however_it_is_written(offered: str, benched: str) -> None:
    assert Speeds(benched={("qwen3", benched): 9.0}).known("qwen3", offered) == 9.0


def test_plan_prices_with_it(tmp_path: Path) -> None:
    """`plan` reads the market that the leading watcher shows."""
    lay(tmp_path, "mine.json", "RTX 4070", qwen3=9.0)
    classes = summary(Market().offers(interruptible=False), Speeds(benched=bench_results(tmp_path).speeds))
    assert {item.gpu: dict(item.speeds) for item in classes} == {"RTX 3060": {}, "RTX 4070": {"qwen3": 9.0}}
