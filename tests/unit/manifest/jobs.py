"""Job specifications for these tests."""

from __future__ import annotations

from typing import Any

from lib.jobspec import JobSpec, normalize_job_spec


def spec(output_name: str = "topic/beat-001", text: str = "Good evening.", **fields: Any) -> JobSpec:
    """A valid job; `speaker` is Ryan unless a voice is given."""
    who = {} if "voice" in fields else {"speaker": "Ryan"}
    return normalize_job_spec({"output_name": output_name, "text": text, **who, **fields})


def several() -> list[JobSpec]:
    """Jobs that use every field, in more than one alphabet."""
    return [
        spec("topic/beat-001", "Good evening.\nThis is the news.", voice="newsroom"),
        spec("topic/beat-002", "Zweitens: Größe. “Quoted”, naïve — done.", variants=3, select_best=True),
        spec("Ünïcode/帯", "Third.", request_id="third", seed=7, chunk=True, format="opus"),
        spec("deep/er/and/deeper", "Fourth.", callback_data={"z": 1, "a": {"y": [1, None], "b": "é"}}),
        spec("p", "Fifth.", profile="fast", format="mp3", priority="high", not_before=1_800_000_000),
    ]
