"""A phone that has a signed link and nothing else."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from lib.pipeline.decision_links import PATH, DecisionLink, link_to, signed
from lib.pipeline.gates import open_gates
from lib.pipeline.model import GateRow
from tests.doubles.console import TOKEN, ConsoleDesk, sound

FILES = {"script.md": b"The sea comes back.", "take.wav": sound(), "look.png": b"\x89PNG", "made.bin": b"x"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in tags]


def link_of(desk: ConsoleDesk, run: str = "r1", **changed: Any) -> DecisionLink:
    (gate,) = [gate for gate in open_gates(desk.ledger) if gate.run == run]
    link = link_to(gate, "ann", desk.parts.clock.now() + 3600)
    return replace(link, **changed) if changed else link


def address(link: DecisionLink) -> str:
    return PATH + signed(link, TOKEN)


def at_gate(desk: ConsoleDesk) -> GateRow:
    """The one gate that waits."""
    (gate,) = open_gates(desk.ledger)
    return gate
