"""Links for a decision: only what was signed is one, and only for what it says."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from job_console.access.session import session_of, sign_in
from lib.errors import BadConfiguration
from lib.pipeline.decision_links import DecisionLink, LinkMaker, console_base, read_link, signed
from lib.pipeline.model import GateRow

TOKEN = "a-token-that-nobody-guesses"
LINK = DecisionLink(
    run="ep-7", stage="script", number=12, seen="ab" * 32, operator="ann", expires_at=1_800_000_000
)


def opened(text: str) -> list[object]:
    body = text.partition(".")[0]
    found: list[object] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


class TestLinks:
    """A signed link is read back as it was; whatever else is none."""

    @pytest.mark.parametrize("operator", ["ann", "Зоя 🌊", "a<b>&\"'", "𝒜" * 100])
    def test_it_comes_back(self, operator: str) -> None:
        link = replace(LINK, operator=operator, run="r" * 64, stage="s" * 63)
        text = signed(link, TOKEN)
        assert read_link(text, TOKEN) == link
        assert all(letter.isalnum() or letter in "-_." for letter in text)

    def test_it_is_good_until_its_time_is_over(self) -> None:
        assert not LINK.is_over(LINK.expires_at - 1)
        assert LINK.is_over(LINK.expires_at)

    def test_nothing_of_it_can_be_changed(self) -> None:
        text = signed(LINK, TOKEN)
        body, _, signature = text.partition(".")
        values = opened(text)
        for place, other in enumerate([2, "ep-8", "audio", 13, "cd" * 32, "eve", 1_900_000_000]):
            told = [*values[:place], other, *values[place + 1 :]]
            letters = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
            assert read_link(f"{letters}.{signature}", TOKEN) is None
        for at in range(0, len(text), 7):
            other = "A" if text[at] != "A" else "B"
            assert read_link(text[:at] + other + text[at + 1 :], TOKEN) is None
        for wrong in (body, f"{body}.", f".{signature}", "", ".", f"{text}=", f"{text}\u00e9", f" {text}"):
            assert read_link(wrong, TOKEN) is None
        assert read_link("A" * 1_000_000, TOKEN) is None

    def test_another_token_ends_it(self) -> None:
        assert read_link(signed(LINK, TOKEN), f"{TOKEN}x") is None

    def test_it_holds_no_token_and_is_no_session(self) -> None:
        text = signed(LINK, TOKEN)
        assert TOKEN not in base64.urlsafe_b64decode(text.partition(".")[0] + "==").decode()
        assert session_of(text, TOKEN, 0.0) is None
        assert read_link(sign_in("ann", TOKEN, 0.0)[0], TOKEN) is None


class TestWhereTheConsoleIs:
    """A link crosses the network in TLS, or stays on this computer."""

    @pytest.mark.parametrize(
        ("url", "begins"),
        [
            ("https://console.example.org", "https://console.example.org/decide/"),
            ("https://console.example.org:8640/", "https://console.example.org:8640/decide/"),
            ("http://127.0.0.1:8640", "http://127.0.0.1:8640/decide/"),
            ("http://[::1]:8640", "http://[::1]:8640/decide/"),
            ("http://localhost:8640", "http://localhost:8640/decide/"),
        ],
    )
    def test_it_stands_before_each_link(self, url: str, begins: str) -> None:
        gate = GateRow(number=12, run="ep-7", task="script", attempt=1, seen=LINK.seen, opened_at=0.0)
        maker = LinkMaker(console_base(url), TOKEN, ["ann", "bob"], 60.0)
        ann, bob = maker.links_to(gate, LINK.expires_at - 60.0)
        assert read_link(ann["url"].removeprefix(begins), TOKEN) == LINK
        assert read_link(bob["url"].removeprefix(begins), TOKEN) == replace(LINK, operator="bob")
        assert (ann["operator"], ann["expires_at"][:10]) == ("ann", "2027-01-15")
        assert TOKEN not in repr(maker)

    @pytest.mark.parametrize("url", ["http://console.example.org", "http://10.0.0.1:8640"])
    def test_in_the_clear_none_is_made(self, url: str) -> None:
        with pytest.raises(BadConfiguration, match="https"):
            console_base(url)

    @pytest.mark.parametrize(
        "url",
        [
            "https://",
            "https://e.org/console",
            "https://a:b@example.org",
            "https://example.org/?a=b",
            "https://e.org/#x",
            "https://[x",
        ],
    )
    def test_what_is_no_plain_address_is_said(self, url: str) -> None:
        with pytest.raises(BadConfiguration, match="address of the console alone") as refused:
            console_base(url)
        assert "a:b" not in refused.value.message
