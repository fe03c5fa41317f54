"""The reference pages name what there is: every key, every event, every command the scripts use."""

from __future__ import annotations

import re
from pathlib import Path

from lib.jobqueue import JobState
from lib.jobqueue.lifecycle import STATE_AFTER, TRANSITIONS, JobEvent
from lib.jobqueue.redis.keys import SUFFIXES
from tests.doubles import lua_scripts as scripts

DOCS = Path(__file__).parents[3] / "docs" / "reference"
KEYS_PAGE = (DOCS / "redis-keys.md").read_text(encoding="utf-8")
CLAIMS_PAGE = (DOCS.parent / "explanation" / "claims-and-leases.md").read_text(encoding="utf-8")
EVENTS_PAGE = (DOCS / "events.md").read_text(encoding="utf-8")


def test_every_key_is_documented() -> None:
    for suffix in SUFFIXES.values():
        named = f"`pab:jobs:{suffix}`" in KEYS_PAGE or f"`:{suffix.rpartition(':')[2]}`" in KEYS_PAGE
        assert named, suffix


def test_every_event_is_documented_with_the_state_it_leads_to() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", EVENTS_PAGE, re.MULTILINE))
    for (_, event), after in TRANSITIONS.items():
        if event.value in STATE_AFTER:
            assert after is not None
            assert rows[event.value].strip().endswith(f"→ {after.value}")
        elif event is not JobEvent.FORGOTTEN:
            assert rows[event.value].strip().endswith("unchanged")


def test_every_command_of_the_scripts_stands_in_the_list_for_permissions() -> None:
    listed = {word.upper() for word in re.findall(r"\+([a-z]+)", KEYS_PAGE.partition("## What a user")[2])}
    for name in [*scripts.names(), *scripts.SHARED]:
        used = set(re.findall(r"redis\.p?call\('([A-Z]+)'|\{ '([A-Z]{3,})'", scripts.source(name)))
        assert {first or second for first, second in used} <= listed, name


def diagram() -> str:
    """The transition table as a picture: an arrow per pair of states, with the events that take it."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (before, event), after in TRANSITIONS.items():
        ends = (before.value if before else "[*]", after.value if after else "[*]")
        arrows.setdefault(ends, []).append(event.value)
    lines = [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines])


def test_the_state_diagram_is_the_transition_table() -> None:
    drawn = re.findall(r"```mermaid\n(.*?)\n```", CLAIMS_PAGE, re.DOTALL)

    assert drawn == [diagram()]


def test_the_table_of_states_stands_whole_on_one_page() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", CLAIMS_PAGE.partition("```mermaid")[0], re.MULTILINE
    )

    assert sorted(rows) == sorted(state.value for state in JobState)


def test_poisons_rule_stands_on_one_page_and_the_others_lead_there() -> None:
    heading = "A job that kills its workers"
    assert CLAIMS_PAGE.count(f"## {heading}") == 1
    anchor = f"claims-and-leases.md#{heading.lower().replace(' ', '-')}"

    for page in (
        "reference/glossary.md",
        "reference/redis-keys.md",
        "how-to/operate.md",
        "explanation/architecture.md",
    ):
        assert anchor in (DOCS.parent / page).read_text(encoding="utf-8"), page
    counts = re.compile(r"kill(?:ed|s) (?:its|two|a) workers? (?:twice|on two)|two (?:hosts|machines) where")
    half = [
        str(page.relative_to(DOCS.parent))
        for page in sorted(DOCS.parent.rglob("*.md"))
        if "decisions" not in page.parts and counts.search(page.read_text(encoding="utf-8"))
    ]
    assert half == []
