"""The fields as a Markdown table, for docs/reference/jobs-yaml.md."""

from __future__ import annotations

import json

from lib.jobspec.fields import FIELDS, Field


def fields_table() -> str:
    """One row for each field: name, what it must be, its default, what it is for."""
    lines = [
        "| field | value | default | in `defaults` | changes the output | what it is |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(field) for field in FIELDS.values()]
    return "\n".join(lines) + "\n"


def _row(field: Field) -> str:
    default = "" if field.default in (None, "") else f"`{json.dumps(field.default).strip(chr(34))}`"
    cells = (
        f"`{field.name}`",
        field.rule.expects,
        default,
        "yes" if field.in_defaults else "no",
        "yes" if field.in_fingerprint else "no",
        field.described(),
    )
    return f"| {' | '.join(cells)} |"
