"""Payload and fingerprint (Q9)."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from lib.jobspec import InvalidJobSpec, fingerprint, from_payload, normalize_job_spec, to_payload
from lib.jobspec.fields import STORED
from lib.jobspec.names import CAPTION_SUFFIXES, MAX_TAKES, take_name
from tests.unit.jobspec.jobs import RAW_JOBS, raw_job

CHANGED: dict[str, Any] = {
    "request_id": "other",
    "output_name": "other",
    "text": "Other.",
    "voice": "narrator",
    "language": "German",
    "profile": "fast",
    "variants": 2,
    "select_best": True,
    "chunk": True,
    "seed": 1,
    "format": "flac",
    "priority": "high",
    "not_before": 5.0,
    "max_attempts": 4,
    "timeout_s": 9,
    "callback_data": {"a": 1},
    "pronounce": {"Ouse": "ooz"},
    "speed": 1.1,
    "loudness": -16.0,
    "sample_rate": 48_000,
    "gap_after": 0.5,
    "batch": "night",
    "kind": "image",
    "prompt": "A pier.",
    "backend": "card",
    "width": 640,
    "height": 480,
}
WITHOUT_EFFECT = {
    "priority",
    "not_before",
    "max_attempts",
    "timeout_s",
    "callback_data",
    "gap_after",
    "batch",
}


@given(raw=RAW_JOBS)
def test_a_payload_gives_the_same_job_back_through_json(raw: dict[str, Any]) -> None:
    spec = normalize_job_spec(raw)

    again = from_payload(json.loads(json.dumps(to_payload(spec))))

    assert again == spec
    assert again.fingerprint == spec.fingerprint


def test_a_payload_leaves_defaults_out() -> None:
    assert to_payload(normalize_job_spec(raw_job())) == {
        "request_id": "topic:beat-001",
        "output_name": "topic/beat-001",
        "text": "Hello.",
        "voice": "newsroom",
    }


def test_a_payload_with_an_unknown_key_is_refused() -> None:
    payload = to_payload(normalize_job_spec(raw_job())) | {"pitch": 2, "text_file": "a.txt"}

    with pytest.raises(InvalidJobSpec) as caught:
        from_payload(payload)

    assert [problem.field for problem in caught.value.problems] == ["pitch", "text_file"]


def test_a_payload_that_was_tampered_with_passes_the_same_rules() -> None:
    payload = to_payload(normalize_job_spec(raw_job())) | {"output_name": "../../etc/cron.d/x"}

    with pytest.raises(InvalidJobSpec, match="may not lead elsewhere"):
        from_payload(payload)


def test_a_fingerprint_is_a_version_and_a_sha_256_of_canonical_json() -> None:
    """Q9. This very value stands in queues; when it changes, every known job becomes a conflict."""
    spec = normalize_job_spec(raw_job(text="Grüße.", seed=7))
    canonical = (
        '{"output_name":"topic/beat-001","request_id":"topic:beat-001","seed":7,'
        '"text":"Grüße.","voice":"newsroom"}'
    )

    assert fingerprint(spec) == spec.fingerprint == "v1:" + hashlib.sha256(canonical.encode()).hexdigest()
    assert re.fullmatch(r"v1:[0-9a-f]{64}", spec.fingerprint)


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({}, "494aa4f27c9d21d3e4f2478d098694c14040cce6f8dd9a3c6eeccf87de059fa6"),
        (
            {"text": "Grüße.", "voice": ..., "speaker": "Ryan", "seed": 7, "variants": 3}
            | {"select_best": True, "chunk": True},
            "623105557793fc0334140ffda3d4d436e2a5614ff321b705586bcd806df1ae6c",
        ),
        (
            {"output_name": "a", "request_id": "x:1", "text": "One.\nTwo.", "voice": "v"}
            | {"language": "German", "profile": "quality", "format": "opus", "priority": "high"}
            | {"not_before": 5, "max_attempts": 9, "timeout_s": 60, "callback_data": {"a": 1}},
            "eb17487f38a2986f3307ebaf31b9241b65539664b68397c8302b4b1afeba64bf",
        ),
    ],
)
def test_a_fingerprint_of_a_known_job_never_changes(fields: dict[str, Any], known: str) -> None:
    """Q9. As it was before the table had fields for pronunciation, level and pictures."""
    assert normalize_job_spec(raw_job(**fields)).fingerprint == f"v1:{known}"


def test_every_field_is_tried_that_can_be_stored() -> None:
    assert set(CHANGED) | {"speaker"} == {entry.name for entry in STORED}


@pytest.mark.parametrize("field", sorted(CHANGED))
def test_a_fingerprint_changes_exactly_with_what_changes_the_output(field: str) -> None:
    """Q9."""
    spec = normalize_job_spec(raw_job())

    other = replace(spec, **{field: CHANGED[field]})

    assert (other.fingerprint == spec.fingerprint) is (field in WITHOUT_EFFECT)


def test_the_table_leaves_out_of_the_fingerprint_exactly_the_stated_fields() -> None:
    """Q9."""
    assert {entry.name for entry in STORED if not entry.in_fingerprint} == WITHOUT_EFFECT


def test_a_stated_default_and_a_missing_field_have_one_fingerprint() -> None:
    """Q9."""
    stated = normalize_job_spec(raw_job(language="English", variants=1, format="wav", seed=None))

    assert stated.fingerprint == normalize_job_spec(raw_job()).fingerprint


def test_text_and_text_file_of_the_same_bytes_have_one_fingerprint(tmp_path: Any) -> None:
    """Q9."""
    (tmp_path / "a.txt").write_text("Hello.")

    spec = normalize_job_spec(raw_job(text=..., text_file="a.txt"), base_dir=tmp_path)

    assert spec.fingerprint == normalize_job_spec(raw_job()).fingerprint


def test_any_byte_of_the_text_changes_the_fingerprint() -> None:
    """Q9."""
    texts = ["Hello.", "Hello. ", "Hello.\n", "hello.", "Hello．"]

    assert len({normalize_job_spec(raw_job(text=text)).fingerprint for text in texts}) == len(texts)


@pytest.mark.parametrize("name", ["a" * 161, "t/" + "b" * 161, "/".join(["a" * 98] * 4 + ["b" * 97])])
def test_a_name_that_was_accepted_before_there_were_captions_is_still_read(name: str) -> None:
    stored = raw_job(output_name=name, request_id="long")

    assert from_payload(stored).output_name == name
    assert len(take_name(name.rpartition("/")[2], MAX_TAKES, max(CAPTION_SUFFIXES, key=len)).encode()) <= 255
    with pytest.raises(InvalidJobSpec, match=r"bytes"):
        normalize_job_spec(stored)
    for longer in (f"{name}b", f"c/{name}b"):
        with pytest.raises(InvalidJobSpec, match=r"bytes"):
            from_payload({**stored, "output_name": longer})
