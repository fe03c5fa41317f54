"""What a status of Replicate means for whoever ordered, and what of its words may be shown."""

from __future__ import annotations

from lib.errors import BadConfiguration, JobRunnerError
from lib.redact import Redactor
from synth.pictures.backend import BackendUnavailable, BadOrder
from synth.pictures.replicate.client import HttpAnswer

_MOST_SAID = 300


def is_busy(status: int) -> bool:
    """Whether the same request may be answered otherwise a little later."""
    return status in (408, 409, 425, 429) or status >= 500


def refusal(answer: HttpAnswer, model: str, token: str) -> JobRunnerError:
    """The error for a status that a retry does not mend."""
    said = f"Replicate answered {answer.status}"
    detail = _detail(answer, token)
    words = f" ({detail})" if detail else ""
    if answer.status in (401, 403):
        return BadConfiguration(f"{said}: it does not accept the token; look at REPLICATE_API_TOKEN.")
    if answer.status == 402:
        return BadConfiguration(f"{said}: the account has no credit left; add some at Replicate.")
    if answer.status == 404:
        return BadConfiguration(f"{said}: it has no model {model}, or REPLICATE_URL is no Replicate server.")
    if answer.status in (400, 413, 422):
        return BadOrder(f"{said}: it does not take what was asked{words}.")
    if 300 <= answer.status < 400:
        return BadConfiguration(f"{said}: its API does not redirect; look at REPLICATE_URL.")
    return BackendUnavailable(f"{said}{words}.")


def seen_text(text: str, token: str) -> str:
    """Words of the server on one line, short, without the token in any form."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * _MOST_SAID]).split())
    return Redactor([token] if token else []).hide(plain)[:_MOST_SAID].rstrip(" .")


def _detail(answer: HttpAnswer, token: str) -> str:
    try:
        value = answer.json()
    except ValueError:
        return ""
    said = value.get("detail") or value.get("title") if isinstance(value, dict) else None
    return seen_text(said, token) if isinstance(said, str) else ""
