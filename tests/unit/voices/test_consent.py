"""A consent that somebody could be asked about passes, in the words that people write (V5)."""

from __future__ import annotations

import pytest

from lib.voices.consent import GIVEN_ELSEWHERE, consent_fault


@pytest.mark.parametrize(
    "consent",
    [
        "Jo Doe agreed in writing on 2026-11-02 to narration by us.",
        "My own voice; I agreed to its use in my podcasts, 3 March 2026",
        "Signed release: contracts/jo-doe-release.pdf",
        "jo-doe-release.PDF",
        "https://example.org/releases/17 (Jo Doe)",
        "\u7530\u4e2d\u82b1\u5b50\u304c2026\u5e743\u6708\u306b\u540c\u610f\u6e08\u307f",
        GIVEN_ELSEWHERE,
    ],
)
def test_what_says_who_to_what_and_when_or_names_a_document_passes(consent: str) -> None:
    assert consent_fault(consent) is None


@pytest.mark.parametrize(
    ("consent", "lacks"),
    [
        ("yes", "does not say who agreed, to what and when"),
        ("Yes, of course, 2026", "does not say who agreed, to what and when"),
        ("2026-11-02", "does not say who agreed, to what and when"),
        ("Jo", "does not say who agreed, to what and when"),
        ("Jo Doe agreed to narration by us", "does not say when"),
        ("Jo Doe agreed to it, file 120260", "does not say when"),
        ("\u540c\u610f", "does not say who agreed, to what and when"),
        ("todo", "nothing is spoken with a person's voice before they agreed"),
        ("TODO: ask Jo Doe in 2026", "nothing is spoken with a person's voice before they agreed"),
        ("pending: Jo Doe, release.pdf, 2026", "nothing is spoken with a person's voice before they agreed"),
        (
            "Jo Doe refused on 2026-11-02 by mail",
            "nothing is spoken with a person's voice before they agreed",
        ),
        ("Jo Doe has not agreed as of 2026", "nothing is spoken with a person's voice before they agreed"),
        (" . ", "nothing is spoken with a person's voice before they agreed"),
    ],
)
def test_what_nobody_could_be_asked_about_is_refused_and_says_how_to_write_it(
    consent: str, lacks: str
) -> None:
    fault = consent_fault(consent)
    assert fault is not None
    assert lacks in fault
    assert "\n" not in fault
