"""A form that a page sends without a script: its fields, each once."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from lib.errors import UsageError

_MOST_FIELDS = 20


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send it (`application/x-www-form-urlencoded`, UTF-8).

    Raises:
        UsageError: it is none, or a field stands there twice.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise UsageError("a form is sent as application/x-www-form-urlencoded")
    try:
        told = (await request.body()).decode("ascii")
        pairs = parse_qsl(told, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # UnicodeError is one
        raise UsageError("that is no form that a browser sends") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UsageError("a field of the form stands there twice")
    return fields
