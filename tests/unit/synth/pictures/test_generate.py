"""`image-synth generate` and `usage`: files, sums of money and sentences."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.errors import Unavailable
from lib.png import check_png
from synth.commands import image_generate
from synth.image_main import PROGRAM
from synth.imagen.sync import SyncedPicture
from synth.pictures.backend import Picture
from synth.pictures.mock import MockBackend
from synth.pictures.presets import PRESETS
from synth.pictures.usage import PictureUse, UsageLog, sums
from tests.e2e.home import check_shape
from tests.unit.synth.pictures.replicate_server import TOKEN, FakeReplicate, serving

FOG = ("generate", "A lighthouse in the fog.")


class Desk:
    """A folder to work in and a data folder, both new."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.data, self._capsys = folder, folder / "data", capsys
        self.err = ""

    def run(self, *words: str, status: int = 0) -> str:
        ended = PROGRAM.run(list(words))
        out, self.err = self._capsys.readouterr()
        assert ended == status, self.err
        return out

    def json(self, *words: str, schema: str) -> Any:
        value = json.loads(self.run(*words, "--json"))
        check_shape(schema, value)
        return value

    def refused(self, *words: str, status: int) -> str:
        out = self.run(*words, status=status)
        assert out == ""
        assert self.err.count("\n") == 1
        assert self.err.startswith("error: ")
        return self.err

    @property
    def lines(self) -> list[dict[str, Any]]:
        file = self.data / "picture-usage.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOBS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IMAGEN_BACKEND", "mock")
    return Desk(tmp_path, capsys)


@pytest.fixture
def replicate(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeReplicate]:
    import time

    fake = FakeReplicate(time.time)
    with serving(fake):
        monkeypatch.setenv("REPLICATE_URL", fake.url)
        monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
        yield fake


# --- the file -------------------------------------------------------------------------------------


def test_a_picture_goes_into_its_file_and_is_told(desk: Desk) -> None:
    """I1."""
    out = desk.run(*FOG, "--seed", "7", "--width", "128", "--height", "72", "--out", "fog.png")

    assert out == "fog.png\n"
    assert re.match(r"Drawn by mock in \d+\.\d\d s: ", desk.err)
    assert "128 x 72, seed 7," in desk.err
    assert desk.err.endswith("free.\n")
    assert check_png((desk.folder / "fog.png").read_bytes()) == (128, 72)


def test_as_json_it_has_its_documented_shape(desk: Desk) -> None:
    """I1."""
    value = desk.json(*FOG, "--seed", "7", "--preset", "photo", schema="image-synth-generate")

    assert (value["file"], value["seed"], value["preset"], value["cost_usd"]) == (
        *("picture.png", 7, "photo", "0.000000"),
    )
    assert (value["image_id"], value["storage_path"]) == (None, None)
    assert value["bytes"] == (desk.folder / "picture.png").stat().st_size


def test_without_a_seed_each_picture_is_another_and_its_seed_is_told(desk: Desk) -> None:
    """I1."""
    first = desk.json(*FOG, "--out", "a.png", schema="image-synth-generate")
    other = desk.json(*FOG, "--out", "b.png", schema="image-synth-generate")
    again = desk.json(*FOG, "--out", "c.png", "--seed", str(first["seed"]), schema="image-synth-generate")

    assert first["seed"] != other["seed"]
    assert first["sha256"] == again["sha256"] != other["sha256"]


def test_a_file_is_not_written_over_without_force(desk: Desk) -> None:
    """I1."""
    (desk.folder / "fog.png").write_text("mine")
    assert "--force" in desk.refused(*FOG, "--out", "fog.png", status=65)
    assert (desk.folder / "fog.png").read_text() == "mine"
    assert desk.lines == []  # nobody drew

    desk.run(*FOG, "--out", "fog.png", "--force")
    check_png((desk.folder / "fog.png").read_bytes())


def test_a_file_that_came_meanwhile_is_not_written_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """I1."""
    draw = MockBackend.draw

    def slowly(self: MockBackend, order: Any) -> Picture:
        (desk.folder / "fog.png").write_text("mine")
        return draw(self, order)

    monkeypatch.setattr(MockBackend, "draw", slowly)
    assert "came to be" in desk.refused(*FOG, "--out", "fog.png", status=65)
    assert (desk.folder / "fog.png").read_text() == "mine"
    assert [path.name for path in desk.folder.iterdir() if path.is_file()] == ["fog.png"]


@pytest.mark.parametrize(
    ("out", "status", "words"),
    [
        ("fog.jpg", 2, "must end with .png"),
        ("folder.png", 65, "is a folder"),
        ("no/fog.png", 78, "No such file"),
        ("link.png", 65, "exists"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_said_before_anything_is_drawn(
    desk: Desk, out: str, status: int, words: str
) -> None:
    """I1."""
    (desk.folder / "folder.png").mkdir()
    (desk.folder / "link.png").symlink_to("/nowhere")
    assert words in desk.refused(*FOG, "--out", out, status=status)
    assert desk.lines == []


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("generate", ""), 65, "prompt is empty"),
        (("generate", "a" * 100_000), 65, "100000 characters"),
        ((*FOG, "--width", "63"), 65, "width"),
        ((*FOG, "--height", "8192"), 65, "height"),
        ((*FOG, "--seed", "-1"), 65, "seed"),
        ((*FOG, "--backend", "paint"), 65, "card, flux-dev-replicate, flux-schnell-local, mock"),
        ((*FOG, "--preset", "paint"), 2, "photo, illustration"),
        ((*FOG, "--backend", "flux-dev-replicate"), 78, "REPLICATE_API_TOKEN"),
        ((*FOG, "--backend", "flux-schnell-local"), 78, "FLUX_MODEL"),
        ((*FOG, "--sync"), 78, "IMAGEN_WORKER_DATABASE_URL"),
    ],
)
def test_what_is_wrong_is_one_line(desk: Desk, words: tuple[str, ...], status: int, said: str) -> None:
    """I1."""
    assert said in desk.refused(*words, status=status)
    assert not (desk.folder / "picture.png").exists()
    assert desk.lines == []


def test_a_pictures_row_and_object_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """I1: what they hold is tested with the store itself."""
    synced = SyncedPicture("an-id", "bucket", "2026-11-30/fog-7.png", "/srv/bucket/fog-7.png", "owner")
    monkeypatch.setattr(image_generate, "open_store", lambda stack: lambda prompt, picture: synced)

    value = desk.json(*FOG, "--sync", schema="image-synth-generate")

    assert (value["image_id"], value["storage_path"]) == ("an-id", "2026-11-30/fog-7.png")
    assert "Stored as /srv/bucket/fog-7.png" in desk.err


def test_a_picture_that_could_not_be_synced_is_said_to_be_in_its_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1: it may have been paid for."""

    def refuses(prompt: str, picture: Picture) -> SyncedPicture:
        raise Unavailable("The store does not answer.")

    monkeypatch.setattr(image_generate, "open_store", lambda stack: refuses)

    assert desk.run(*FOG, "--sync", "--out", "fog.png", status=69) == ""
    assert "The picture lies in fog.png; it is not" in desk.err
    assert check_png((desk.folder / "fog.png").read_bytes()) == (1024, 1024)


# --- usage and cost -------------------------------------------------------------------------------


def test_each_order_is_a_line_without_its_prompt(desk: Desk) -> None:
    """I1."""
    desk.run(*FOG, "--seed", "7", "--preset", "photo")

    (line,) = desk.lines
    assert (line["backend"], line["outcome"], line["seed"], line["cost_usd"]) == ("mock", "done", 7, 0.0)
    assert line["characters"] == len(f"{FOG[1]} {PRESETS['photo']}")
    assert "lighthouse" not in json.dumps(line)
    assert stat.S_IMODE(os.stat(desk.data / "picture-usage.jsonl").st_mode) == 0o600


def test_money_is_recorded_and_added_up_and_no_token_is_anywhere(
    desk: Desk, replicate: FakeReplicate
) -> None:
    """I1."""
    replicate.png = MockBackend("mock").draw(image_order()).png
    words = (*FOG, "--backend", "flux-dev-replicate", "--width", "128", "--height", "128")
    value = desk.json(*words, schema="image-synth-generate")
    assert value["cost_usd"] == "0.025000"
    assert "$0.0250" in desk.err

    replicate.png = b"no picture"
    assert "is no PNG" in desk.refused(*words, "--force", status=69)
    replicate.orders = [401]
    desk.refused(*words, "--force", status=78)

    usage = desk.json("usage", schema="image-synth-usage")
    assert usage["backends"] == [
        {
            **{"backend": "flux-dev-replicate", "pictures": 1, "failed": 1, "unpriced": 0},
            **{"cost_usd": "0.050000", "seconds": usage["backends"][0]["seconds"]},
        }
    ]
    assert TOKEN not in json.dumps(desk.lines) + desk.err + json.dumps(value)


def image_order() -> Any:
    from synth.pictures.backend import PictureOrder

    return PictureOrder("Fog.", 128, 128)


def test_usage_without_a_picture_says_so(desk: Desk) -> None:
    """I1."""
    assert desk.run("usage") == "No picture was generated here yet.\n"
    assert desk.json("usage", "--since", "7d", schema="image-synth-usage")["backends"] == []


def test_usage_since_a_day_leaves_out_what_was_before(desk: Desk) -> None:
    """I1."""
    log = UsageLog(desk.data)
    for day in ("2026-11-01", "2026-11-20"):
        log.add(use(at=f"{day}T00:00:00.000Z"))
    assert (
        desk.json("usage", "--since", "2026-11-10", schema="image-synth-usage")["backends"][0]["pictures"]
        == 1
    )
    assert desk.json("usage", schema="image-synth-usage")["backends"][0]["pictures"] == 2


def test_a_usage_that_cannot_be_recorded_costs_no_picture(desk: Desk) -> None:
    """I1."""
    desk.data.mkdir()
    (desk.data / "picture-usage.jsonl").mkdir()
    desk.run(*FOG, "--out", "fog.png")
    assert "warning: The usage of this picture is not recorded" in desk.err
    assert (desk.folder / "fog.png").exists()


def use(**changes: Any) -> PictureUse:
    told: dict[str, Any] = {
        **{
            "at": "2026-11-30T00:00:00.000Z",
            "backend": "b",
            "model": "",
            "width": 64,
            "height": 64,
            "seed": 0,
        },
        **{"characters": 1, "seconds": 1.0, "cost_usd": 0.1, "outcome": "done", "error": ""},
    }
    return PictureUse(**told | changes)


def test_money_is_added_exactly_and_what_is_not_known_is_counted() -> None:
    """I1."""
    (row,) = sums([use(), use(), use(), use(cost_usd=None), use(outcome="failed", cost_usd=None)])
    assert (str(row.cost_usd), row.pictures, row.failed, row.unpriced) == ("0.3", 4, 1, 1)


@pytest.mark.parametrize(
    "line",
    [
        b'{"at": "2026-11-30T0',
        b"[1]",
        b"{}",
        b"\xff",
        b'{"at": "never"}',
        json.dumps({**{f: 0 for f in PictureUse.__slots__}, "at": "soon"}).encode(),
        json.dumps({**{f: 0 for f in PictureUse.__slots__}, "at": 3}).encode(),
        json.dumps(
            {**{f: 0 for f in PictureUse.__slots__}, "at": "2026-11-30T00:00:00Z", "seconds": "x"}
        ).encode(),
    ],
)
def test_half_a_line_is_passed_over(tmp_path: Path, line: bytes) -> None:
    """I1: a full disk leaves one."""
    log = UsageLog(tmp_path)
    log.add(use())
    with log.path.open("ab") as file:
        file.write(line + b"\n")
    log.add(use(backend="c"))
    assert [each.backend for each in log.uses()] == ["b", "c"]
