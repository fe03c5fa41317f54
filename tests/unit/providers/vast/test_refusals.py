"""What Vast means when it refuses."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest

from lib.providers.rental import (
    AccountFault,
    NoCredit,
    NoOffer,
    PassingTrouble,
    ProviderError,
    RateLimited,
    RefusedForGood,
)
from lib.providers.vast.refusals import Cause, error_of, read_refusal

NOW = 1_700_000_000.0


def told(**parts: object) -> str:
    return json.dumps({"success": False, **parts})


CAUSES = [
    (404, told(error="invalid_args", msg="404/3603: no_such_ask Instance type by id 9 is not available."),
     Cause.OFFER_GONE),
    (410, told(error="no_such_ask", msg="410/3907: no_such_ask Instance type 9 is no longer available."),
     Cause.OFFER_GONE),
    (400, told(error="no_such_ask"), Cause.OFFER_GONE),
    (200, told(msg="Instance type is no longer available."), Cause.OFFER_GONE),
    (400, told(error="insufficient_credit", msg="Your account lacks credit; see billing."), Cause.CREDIT),
    (400, told(error="spend_rate_limit"), Cause.SPEND_LIMIT),
    (403, told(error="spend_rate_limit"), Cause.SPEND_LIMIT),
    (400, told(error="invalid_args", msg="disk"), Cause.REFUSED),
    (401, told(error="auth_error", msg="Invalid user key"), Cause.KEY),
    (404, told(error="auth_error", msg="Invalid user key"), Cause.KEY),
    (404, told(msg="Session expired. Please log in again."), Cause.KEY),
    (401, "Two Factor Authentication required", Cause.KEY),
    (403, told(error="forbidden", msg="missing permission"), Cause.SCOPE),
    (410, told(error="deprecated_endpoint", msg="/api/v0/instances/ is deprecated."), Cause.RETIRED),
    (404, told(error="no_such_instance", msg="Instance 5 not found."), Cause.NO_SUCH_INSTANCE),
    (404, told(error="not_found", msg="Instance 5 not found."), Cause.NO_SUCH_INSTANCE),
    (404, told(error="not_found", msg="Not found."), Cause.REFUSED),
    (404, "<html>not found</html>", Cause.ODD),
    (404, "", Cause.ODD),
    (429, "API requests too frequent: endpoint threshold=4.5", Cause.RATE),
    (502, "<html>not available</html>", Cause.SERVER),
    (500, told(error="no_such_ask"), Cause.SERVER),
    (200, told(), Cause.ODD),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "cause"), CAUSES)
def test_a_refusal_is_told_by_its_status_and_its_body(status: int, body: str, cause: Cause) -> None:
    assert read_refusal(status, body, {}, NOW).cause is cause


@pytest.mark.parametrize("body", ["[" * 100_000, "null", "[1]", '"x"', "\x00\xff", "{" * 5000])
def test_a_body_that_is_no_object_is_no_trouble(body: str) -> None:
    assert read_refusal(400, body, {}, NOW).cause is Cause.ODD


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (told(detail="API requests too frequent endpoint threshold=4.5"), {}, 4.5),
        ("slow down", {"Retry-After": "7"}, 7.0),
        ("slow down", {"Retry-After": formatdate(NOW + 90, usegmt=True)}, 90.0),
        (told(retry_after=11), {}, 11.0),
        (told(error="search_quota_exceeded"), {"X-RateLimit-Reset": str(NOW + 3600)}, 3600.0),
        ("slow down", {"Retry-After": "nan"}, None),
        ("slow down", {"Retry-After": "-4"}, None),
        ("slow down", {"Retry-After": "1e99"}, 86_400.0),
        ("slow down", {}, None),
    ],
)
def test_when_to_come_again_is_read_wherever_it_stands(
    body: str, headers: dict[str, str], seconds: float | None
) -> None:
    refusal = read_refusal(429, body, headers, NOW)
    assert refusal.after_s == seconds
    error = error_of(refusal, "it")
    assert isinstance(error, RateLimited)
    assert error.after_s == seconds


@pytest.mark.parametrize(
    ("cause", "kind", "fault"),
    [
        (Cause.KEY, RefusedForGood, AccountFault.KEY),
        (Cause.SCOPE, RefusedForGood, AccountFault.SCOPE),
        (Cause.CREDIT, NoCredit, AccountFault.CREDIT),
        (Cause.SPEND_LIMIT, RefusedForGood, AccountFault.SPEND_LIMIT),
        (Cause.RETIRED, RefusedForGood, AccountFault.PROTOCOL),
        (Cause.OFFER_GONE, NoOffer, None),
        (Cause.NO_ANSWER, PassingTrouble, None),
        (Cause.SERVER, PassingTrouble, None),
        (Cause.UNREADABLE, PassingTrouble, None),
        (Cause.REFUSED, ProviderError, None),
        (Cause.ODD, ProviderError, None),
    ],
)
def test_each_cause_has_its_error(cause: Cause, kind: type[Exception], fault: AccountFault | None) -> None:
    status = {Cause.SERVER: 502}.get(cause, 400)
    refusal = read_refusal(status, "x", {}, NOW)
    error = error_of(type(refusal)(cause, refusal.words), "offer 9")
    assert type(error) is kind
    assert "offer 9" in error.message
    assert getattr(error, "fault", None) is fault


@pytest.mark.parametrize(
    ("contract", "read"), [(12, 12), (True, None), ("12", None), (-1, None), (0, None), (None, None)]
)
def test_a_rental_that_a_refusal_names_is_kept(contract: object, read: int | None) -> None:
    assert read_refusal(400, told(new_contract=contract), {}, NOW).contract == read


def test_what_is_told_is_one_short_line() -> None:
    words = read_refusal(400, told(error="x", msg="a\nb\x1b[31m" + "c" * 5000), {}, NOW).words
    assert words.isprintable()
    assert len(words) <= 200
    assert read_refusal(502, "<html><h1>502</h1>", {}, NOW).words == "502"
