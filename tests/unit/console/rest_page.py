"""docs/reference/rest.md, made from the OpenAPI.

When the routes changed: python -m tests.unit.console.rest_page
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from job_console.app import build_api

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "rest.md"
_HEAD = Path(__file__).with_name("rest_head.md").read_text(encoding="utf-8")


def page() -> str:
    """The whole page."""
    document = build_api().openapi()
    return _HEAD + "".join(_sections(document["paths"]))


def _sections(paths: dict[str, Any]) -> Iterator[str]:
    tags: dict[str, list[tuple[str, str, Any]]] = {}
    for path, methods in paths.items():
        for method, about in methods.items():
            tags.setdefault(about["tags"][0], []).append((method.upper(), path, about))
    for tag, routes in tags.items():
        yield f"## {tag.capitalize()}\n\n"
        for method, path, about in routes:
            yield f"### `{method} {path}`\n\n{' '.join(about['description'].split())}\n\n"
            yield from _inputs(about)
            yield from _answers(about)
            yield "\n"


def _inputs(about: dict[str, Any]) -> Iterator[str]:
    rows = [
        f"| `{each['name']}` | {each['in']} | {each.get('description', '')} |\n"
        for each in about.get("parameters", [])
    ]
    if rows:
        yield "| parameter | where | |\n|---|---|---|\n"
        yield from rows
        yield "\n"
    if body := about.get("requestBody"):
        kinds = ", ".join(f"`{kind}`" for kind in body["content"])
        yield f"Body ({kinds}): {body.get('description') or _body(body)}\n\n"


def _body(body: dict[str, Any]) -> str:
    schema = body["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    fields = build_api().openapi()["components"]["schemas"][name]
    required = fields.get("required", [])
    words = [
        f"`{field}`{' (required)' if field in required else ''}{_about(told)}"
        for field, told in fields["properties"].items()
    ]
    return "; ".join(words) + "."


def _about(field: dict[str, Any]) -> str:
    words = str(field.get("description", "")).rstrip(".")
    return f": {words}" if words else ""


def _answers(about: dict[str, Any]) -> Iterator[str]:
    failures = []
    for status, answer in about["responses"].items():
        if int(status) >= 400:
            failures.append(status)
            continue
        shape = _shape(answer)
        yield f"- **{status}** {answer['description']}{shape}\n"
    if failures:
        yield f"- errors: {', '.join(sorted(failures))}\n"


def _shape(answer: dict[str, Any]) -> str:
    content = answer.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/").partition("/")[0]
        return f" [{name}.json](json/{name}.json)"
    if "properties" in schema:
        return f" An object of {', '.join(f'`{name}`' for name in schema['properties'])}."
    return f" `{next(iter(content))}`" if len(content) == 1 else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
