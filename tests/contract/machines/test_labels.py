"""Labels: whose a machine is, and until when, readable with an empty database (W4)."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.machines.labels import MachineLabel, own_label, parse_label

TOKEN_LETTERS = string.ascii_letters + string.digits + "_-"
OURS = "jw|studio|3|Zm9vYmFyX2|x1790000000"

owners = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,38}[a-z0-9])?", fullmatch=True)
tokens = st.text(TOKEN_LETTERS, min_size=8, max_size=64)
labels = st.builds(
    MachineLabel, owners, st.integers(1, 10**12 - 1), tokens, st.integers(1, 10**12 - 1).map(float)
)


def test_a_label_says_owner_epoch_token_and_expiry() -> None:
    assert MachineLabel("studio", 3, "Zm9vYmFyX2", 1_790_000_000.9).text() == OURS
    assert parse_label(OURS) == MachineLabel("studio", 3, "Zm9vYmFyX2", 1_790_000_000.0)


@given(labels)
def test_every_label_reads_back_as_itself_and_fits(label: MachineLabel) -> None:
    assert parse_label(label.text()) == label
    assert own_label(label.text(), label.owner) == label
    assert len(label.text()) <= 142


@given(st.text())
def test_no_other_text_is_ours(text: str) -> None:
    found = parse_label(text)

    assert found is None or found.text() == text


@given(labels, st.integers(0, 141), st.characters())
def test_a_label_with_another_letter_is_another_label_or_none(
    label: MachineLabel, at: int, letter: str
) -> None:
    text = label.text()
    at %= len(text)
    other = text[:at] + letter + text[at + 1 :]

    found = parse_label(other)

    assert found is None or (found.text() == other and (found == label) == (other == text))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "my own machine",
        "jw",
        OURS + "\n",
        " " + OURS,
        OURS.upper(),
        OURS.replace("jw|", "xjw|"),
        OURS.replace("|3|", "|03|"),
        OURS.replace("|3|", "|0|"),
        OURS.replace("|3|", "|-3|"),
        OURS.replace("|3|", "|\N{ARABIC-INDIC DIGIT THREE}|"),
        OURS.replace("|3|", "|3|3|"),
        OURS.replace("|x", "|"),
        OURS.replace("x1790000000", "x"),
        OURS.replace("x1790000000", "x1790000000.5"),
        OURS.replace("Zm9vYmFyX2", "short"),
        OURS.replace("Zm9vYmFyX2", "t" * 65),
        OURS.replace("studio", ""),
        OURS.replace("studio", "-studio"),
        OURS.replace("studio", "s" * 41),
    ],
)
def test_what_is_not_exactly_of_our_form_is_foreign(text: str | None) -> None:
    assert parse_label(text) is None


def test_another_deployments_machine_is_foreign() -> None:
    assert own_label(OURS, "studio") is not None
    assert own_label(OURS, "studio-2") is None
    assert own_label(OURS.replace("studio", "studio-2"), "studio") is None


@pytest.mark.parametrize(
    "parts",
    [
        ("Studio", 1, "token-00000001", 5.0),
        ("studio|x", 1, "token-00000001", 5.0),
        ("", 1, "token-00000001", 5.0),
        ("studio", 0, "token-00000001", 5.0),
        ("studio", 1, "to|ken-0001", 5.0),
        ("studio", 1, "token-00000001", 0.9),
        ("studio", 1, "token-00000001", float("inf")),
        ("studio", 1, "token-00000001", float("nan")),
    ],
)
def test_a_label_that_would_not_read_back_is_never_made(parts: tuple[str, int, str, float]) -> None:
    with pytest.raises(ValueError, match="no label can hold owner"):
        MachineLabel(*parts)
