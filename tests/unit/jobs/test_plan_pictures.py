"""What a plan says of pictures: how long, for how much, and who cannot draw them (I7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.jobs.plan import Plan, RegistryCheck, plan_job_file
from lib.picture_backends.names import SHIPPED_BACKENDS, PictureSettings
from lib.picture_backends.readiness import cannot_draw
from lib.voices import VoiceRegistry

FILE = """\
defaults: {voice: newsroom, kind: image, prompt: A pier.}
jobs:
- {output_name: said, kind: tts, text: Hello.}
- {output_name: large, backend: flux-dev-replicate, width: 2048, height: 1024}
- {output_name: usual, backend: flux-dev-replicate, seed: 7}
- {output_name: title}
"""


def planned(folder: Path, backends: PictureSettings = SHIPPED_BACKENDS, text: str = FILE) -> Plan:
    path = folder / "jobs.yaml"
    path.write_text(text)
    return plan_job_file(path, RegistryCheck(VoiceRegistry(), "hibari", backends=backends))


def test_pictures_have_a_time_and_a_price_and_their_sums(tmp_path: Path) -> None:
    shape = planned(tmp_path).to_json()

    assert shape["problems"] == []
    told = [
        job["picture"] and (job["picture"]["estimated_draw_s"], job["picture"]["price_usd"])
        for job in shape["jobs"]
    ]
    assert told == [None, (10.0, "0.025000"), (5.0, "0.025000"), (1.0, "0.000000")]
    totals = shape["totals"]
    assert (totals["estimated_draw_s"], totals["pictures_price_usd"]) == (16.0, "0.050000")


def test_the_file_that_the_page_shows_is_a_job_file(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/make-pictures.md").read_text(encoding="utf-8")

    plan = planned(tmp_path, text=page.partition("```yaml\n")[2].partition("```")[0])

    assert plan.problems == ()
    assert [part.facts.name for part in plan.pictures()] == ["card", "flux-schnell-local"]


def test_each_backend_is_told_in_a_sentence(tmp_path: Path) -> None:
    assert [part.sentence() for part in planned(tmp_path).pictures()] == [
        "card draws 1 picture in about 1.0s, for nothing but the machine's time.",
        "flux-dev-replicate draws 2 pictures in about 15.0s, for $0.0500.",
    ]


def test_a_price_that_is_not_known_makes_the_sum_unknown(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[dear]\nclass = "replicate"\nmodel = "a/b"\n')
    text = FILE.replace("{output_name: title}", "{output_name: title, backend: dear}")

    plan = planned(tmp_path, PictureSettings(backends_file=own), text)

    assert plan.totals()["pictures_price_usd"] is None
    assert "at a price that is not known" in plan.pictures()[0].sentence()


@pytest.mark.parametrize(
    ("names", "machines", "words"),
    [
        (("card", "mock"), None, []),
        (("flux-dev-replicate",), None, ["set REPLICATE_API_TOKEN"]),
        (("flux-schnell-local",), None, ["set FLUX_MODEL"]),
        (("oil",), None, ["there are: card"]),
        (("card", "mock"), ("mock",), ["IMAGEN_MACHINE_BACKENDS"]),
        (("mock",), ("flux-dev-replicate",), ["which no machine is given"]),
    ],
)
def test_who_cannot_draw_is_said_before_anything_is_enqueued(
    names: tuple[str, ...], machines: tuple[str, ...] | None, words: list[str]
) -> None:
    told = list(cannot_draw(names, SHIPPED_BACKENDS, machines))

    assert len(told) == len(words)
    assert all(word in sentence for word, sentence in zip(words, told, strict=True))
