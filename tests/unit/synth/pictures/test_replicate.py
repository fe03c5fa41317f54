"""The backend `replicate` against a double of its server: what it orders, pays for, fetches and says."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.errors import BadConfiguration, JobRunnerError
from lib.picture_backends.names import PictureSettings
from lib.png import check_png
from synth.pictures.backend import BackendUnavailable, BadOrder, PaidInVain, Picture, PictureOrder
from synth.pictures.open_backend import open_backend
from synth.pictures.replicate import ReplicateBackend
from tests.unit.synth.pictures.conftest import ORDER
from tests.unit.synth.pictures.replicate_server import TOKEN, FakeReplicate

MODEL = "black-forest-labs/flux-dev"
ORDERS = f"/v1/models/{MODEL}/predictions"


def backend(server: FakeReplicate, clock: ManualClock, **options: Any) -> ReplicateBackend:
    told = {"model": MODEL, "url": server.url, "token": TOKEN, "usd_per_picture": 0.025, **options}
    return ReplicateBackend("flux-dev-replicate", told, clock, lambda: 1.0)


def refused(server: FakeReplicate, clock: ManualClock, **options: Any) -> JobRunnerError:
    with pytest.raises(JobRunnerError) as caught:
        backend(server, clock, **options).draw(ORDER)
    assert "\n" not in caught.value.message
    assert TOKEN not in caught.value.message
    return caught.value


# --- a picture -------------------------------------------------------------------------------------


def test_a_picture_is_ordered_fetched_and_priced(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    picture = backend(server, clock, steps=20, guidance=3.5).draw(ORDER)

    assert picture == Picture(
        server.png, 128, 128, 7, "flux-dev-replicate", MODEL, picture.seconds, cost_usd=0.025
    )
    order = server.ordered[0]
    assert (order.method, order.path) == ("POST", ORDERS)
    assert order.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (order.headers["Prefer"], order.headers["Cancel-After"]) == ("wait=60", "301s")
    assert order.body["input"] == {
        **{"prompt": ORDER.prompt, "seed": 7, "output_format": "png", "num_outputs": 1, "go_fast": False},
        **{"aspect_ratio": "1:1", "megapixels": "0.25", "num_inference_steps": 20, "guidance": 3.5},
    }


def test_the_token_goes_to_the_api_alone(server: FakeReplicate, clock: ManualClock) -> None:
    """I1: the file lies with somebody else."""
    server.files["/files/p0.png"] = (302, {"Location": "/elsewhere.png"}, b"")
    backend(server, clock).draw(ORDER)

    files = [each for each in server.seen if each.path in ("/files/p0.png", "/elsewhere.png")]
    assert len(files) == 2
    assert all("Authorization" not in each.headers for each in files)


@pytest.mark.parametrize(
    ("width", "height", "aspect", "megapixels"),
    [
        (1920, 1080, "16:9", "1"),
        (1080, 1920, "9:16", "1"),
        (512, 384, "4:3", "0.25"),
        (4096, 64, "21:9", "0.25"),
    ],
)
def test_a_model_that_knows_ratios_is_asked_for_the_nearest_and_the_size_is_made_here(
    server: FakeReplicate, clock: ManualClock, width: int, height: int, aspect: str, megapixels: str
) -> None:
    """I1."""
    pytest.importorskip("PIL")
    picture = backend(server, clock).draw(PictureOrder("Fog.", width, height))

    told = server.ordered[0].body["input"]
    assert (told["aspect_ratio"], told["megapixels"]) == (aspect, megapixels)
    assert check_png(picture.png) == (picture.width, picture.height) == (width, height)


def test_a_model_that_knows_pixels_is_told_them(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    backend(server, clock, size="pixels").draw(ORDER)
    assert server.ordered[0].body["input"] == {
        **{"prompt": ORDER.prompt, "seed": 7, "output_format": "png", "width": 128, "height": 128}
    }


def test_a_slow_picture_is_asked_after_until_it_is_there(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    server.orders, server.polls = ["starting"], ["starting", 502, "processing", "succeeded"]
    picture = backend(server, clock).draw(ORDER)

    assert server.count("GET", "/p0") == 4
    assert picture.seconds == pytest.approx(0.5 + 1.0 + 1.5 + 2.0)


# --- money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["lost", "garbled"])
def test_an_order_whose_reply_is_lost_is_found_and_not_paid_for_twice(
    server: FakeReplicate, clock: ManualClock, way: str
) -> None:
    """I1."""
    server.orders = [way]
    picture = backend(server, clock).draw(ORDER)

    assert (len(server.made), server.count("POST", ORDERS)) == (1, 1)
    assert picture.png == server.png


def test_an_order_that_never_arrived_is_placed_again(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    server.orders = ["dropped", "ok"]
    backend(server, clock).draw(ORDER)
    assert (len(server.made), server.count("POST", ORDERS)) == (1, 2)


def test_without_the_list_nothing_is_ordered_again(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    server.orders, server.lists = ["lost"], [200, 500, 500, 500]
    error = refused(server, clock)

    assert isinstance(error, PaidInVain)
    assert "might be paid for twice" in error.message
    assert server.count("POST", ORDERS) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"input": {"prompt": "Another."}},
        {"seed": 8},
        {"model": "somebody/else"},
        {"status": "failed"},
        {"created_at": "2020-01-01T00:00:00Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_order_of_another_is_not_taken_for_ours(
    server: FakeReplicate, clock: ManualClock, change: dict[str, Any]
) -> None:
    """I1."""
    backend(server, clock).draw(ORDER)
    told = server.made[0]["input"]
    server.made[0].update({"input": told | change} if "seed" in change else change)
    server.orders = ["dropped", "ok"]
    backend(server, clock).draw(ORDER)
    assert len(server.made) == 2


def test_a_picture_that_was_returned_is_not_taken_for_the_next(
    server: FakeReplicate, clock: ManualClock
) -> None:
    """I1: two orders of the same are two pictures, as long as nothing is lost."""
    drawer = backend(server, clock)
    drawer.draw(ORDER)
    server.orders = ["dropped", "ok"]
    drawer.draw(ORDER)
    assert len(server.made) == 2


def test_a_picture_that_takes_too_long_is_cancelled(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    server.orders = ["starting"]
    error = refused(server, clock, within_s=30.0)

    assert isinstance(error, BackendUnavailable)
    assert "within 30 s" in error.message
    assert server.made[0]["status"] == "canceled"
    assert clock.monotonic() <= 30


@pytest.mark.parametrize("way", ["starting", "lost"])
def test_ctrl_c_cancels_what_nobody_waits_for(
    server: FakeReplicate, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """I1."""

    def interrupt(seconds: float) -> None:
        server.made[0]["status"] = "processing"
        raise KeyboardInterrupt

    server.orders = [way]
    monkeypatch.setattr(clock, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        backend(server, clock).draw(ORDER)
    assert server.made[0]["status"] == "canceled"


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, BadConfiguration, "REPLICATE_API_TOKEN"),
        (402, BadConfiguration, "credit"),
        (403, BadConfiguration, "REPLICATE_API_TOKEN"),
        (404, BadConfiguration, MODEL),
        (422, BadOrder, "guidance is too large"),
        (302, BadConfiguration, "redirect"),
    ],
)
def test_a_refusal_is_one_line_and_is_not_asked_again(
    server: FakeReplicate, clock: ManualClock, status: int, kind: type[JobRunnerError], words: str
) -> None:
    """I1."""
    server.orders = [status]
    server.detail = f"input: guidance is\ntoo large\x1b[0m for {TOKEN}"
    error = refused(server, clock)

    assert type(error) is kind
    assert words in error.message
    assert str(status) in error.message
    assert len(server.ordered) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_server_is_asked_again_and_later(
    server: FakeReplicate, clock: ManualClock, status: int
) -> None:
    """I1."""
    server.orders = [status, status, "ok"]
    backend(server, clock).draw(ORDER)
    assert server.count("POST", ORDERS) == 3
    assert clock.monotonic() >= 3.0  # 1 and 2 seconds


def test_a_server_that_stays_busy_is_given_up(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    server.orders = [429] * 9
    error = refused(server, clock)
    assert isinstance(error, BackendUnavailable)
    assert "429" in error.message
    assert server.count("POST", ORDERS) == 5


def test_a_server_is_left_alone_as_long_as_it_asks_for(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    server.orders, server.headers = [429, "ok"], {"Retry-After": "45"}
    backend(server, clock).draw(ORDER)
    assert clock.monotonic() == pytest.approx(45.0)


def test_a_server_that_is_away_is_said(server: FakeReplicate, clock: ManualClock) -> None:
    """I1."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        error = refused(server, clock, url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
    assert isinstance(error, BackendUnavailable)
    assert "Connection refused" in error.message


@pytest.mark.parametrize(
    ("said", "kind"),
    [("NSFW content detected. Try another.", BadOrder), ("Prediction interrupted", BackendUnavailable)],
)
def test_a_prediction_that_fails_says_why(
    server: FakeReplicate, clock: ManualClock, said: str, kind: type[JobRunnerError]
) -> None:
    """I1."""
    server.orders, server.polls, server.error = ["starting"], ["failed"], said
    error = refused(server, clock)
    assert type(error) is kind
    assert said.rstrip(".") in error.message


@pytest.mark.parametrize("token", ["", "with a blank", "line\nbreak"])
def test_without_a_token_that_can_be_one_nothing_is_asked(
    server: FakeReplicate, clock: ManualClock, token: str
) -> None:
    """I1."""
    error = refused(server, clock, token=token)
    assert isinstance(error, BadConfiguration)
    assert "REPLICATE_API_TOKEN" in error.message
    assert server.seen == []


def test_the_token_is_in_no_repr() -> None:
    """I1."""
    settings = PictureSettings(replicate_token=TOKEN)
    drawer = open_backend("flux-dev-replicate", settings)
    assert isinstance(drawer, ReplicateBackend)
    assert TOKEN not in repr(settings)
    assert TOKEN not in repr(drawer)
    assert TOKEN not in repr(vars(drawer)["_client"])


# --- what is fetched ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "is no PNG"),
        (b"", "is no PNG"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "is no PNG"),
    ],
)
def test_what_is_no_picture_is_said_with_what_it_cost(
    server: FakeReplicate, clock: ManualClock, body: bytes, words: str
) -> None:
    """I1."""
    server.png = body
    error = refused(server, clock)
    assert isinstance(error, PaidInVain)
    assert words in error.message
    assert "prediction p0" in error.message
    assert error.spent_usd == 0.025


def test_a_file_server_that_stumbles_is_asked_again(server: FakeReplicate, clock: ManualClock) -> None:
    """I1: the picture is paid for."""
    drawer = backend(server, clock)
    server.files["/files/p0.png"] = (503, {}, b"")
    with pytest.raises(BackendUnavailable, match="503"):
        drawer.draw(ORDER)
    assert server.count("GET", ".png") == 5
    assert len(server.made) == 1


def test_a_file_that_ends_too_early_is_fetched_again(server: FakeReplicate, clock: ManualClock) -> None:
    """I1: the picture is paid for, and half of it is no reason to say that it is none."""
    cut = {"Content-Length": str(len(server.png)), "Connection": "close"}
    server.files["/files/p0.png"] = (200, cut, server.png[:100])
    error = refused(server, clock)
    assert "cannot be fetched" in error.message
    assert server.count("GET", ".png") == 5


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("file:///etc/passwd", "plain http"),
        ("http://user:word@127.0.0.1/x.png", "plain http"),
        ("/round", "redirects"),
        (["", 3], "plain http"),
        ({"url": "x"}, "named no file"),
    ],
)
def test_a_file_is_fetched_from_plain_addresses_only(
    server: FakeReplicate, clock: ManualClock, output: Any, words: str
) -> None:
    """I1."""
    server.files["/round"] = (302, {"Location": "/round"}, b"")
    server.output = f"{server.url}{output}" if output == "/round" else output
    assert words in refused(server, clock).message


def test_a_redirect_away_from_tls_is_not_followed(server: FakeReplicate) -> None:
    """I1."""
    from synth.pictures.replicate.client import ReplicateClient

    with pytest.raises(ValueError, match="plain https"):
        ReplicateClient("https://api.example", TOKEN).fetch(f"{server.url}/files/p0.png", 100)
    assert server.seen == []


@pytest.mark.parametrize("promised", [10, 10**12])
def test_a_file_beyond_all_bounds_is_left_in_the_middle(
    server: FakeReplicate, clock: ManualClock, promised: int
) -> None:
    """I1."""
    server.files["/files/p0.png"] = (200, {"Content-Length": str(promised)}, b"x" * 1500)
    told = {"model": MODEL, "url": server.url, "token": TOKEN}
    drawer = ReplicateBackend("mine", told, clock, lambda: 1.0, most_bytes=1000)
    with pytest.raises(BackendUnavailable, match="is no PNG" if promised == 10 else "too large"):
        drawer.draw(ORDER)
