"""SQL as it lies in a package's own file: named statements, each with a line that says what it does.

A statement begins with `-- name: what_it_is` and a line `-- ` of description; parameters are `:named`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from sqlalchemy import TextClause, text

_NAME: Final = re.compile(r"^-- name: (\w+)\n(-- .+\n)+", re.MULTILINE)


@cache
def load_statements(package: str, file: str) -> Mapping[str, TextClause]:
    """The statements of `file` in `package`, by name.

    Raises:
        ValueError: two have the same name, or one is empty or has no description.
    """
    source = (resources.files(package) / file).read_text(encoding="utf-8")
    heads = list(_NAME.finditer(source))
    ends = [*(head.start() for head in heads), len(source)][1:]
    found = {
        head.group(1): source[head.end() : end].strip().removesuffix(";")
        for head, end in zip(heads, ends, strict=True)
    }
    if len(found) != source.count("-- name:") or not all(found.values()):
        raise ValueError(
            f"{package}/{file} has a statement without a name of its own, a description or a body"
        )
    return MappingProxyType({name: text(body) for name, body in found.items()})
