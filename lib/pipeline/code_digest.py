"""What the code of a task is known by: the same on every host, whatever Python it has."""

from __future__ import annotations

import hashlib
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable
from types import CodeType
from typing import Any


def digest_of_code(*functions: Callable[..., Any]) -> str:
    """sha256 of what functions say, without comments, empty lines and their place in the file.

    Byte code would be another one for each version of Python: hosts that are brought to a newer one in turn
    would take the same pipeline for two. It counts where there is no source (code from a string).
    """
    digest = hashlib.sha256()
    for function in functions:
        plain = inspect.unwrap(function)
        try:
            digest.update(_bare(textwrap.dedent(inspect.getsource(plain))).encode())
        except (OSError, TypeError, IndentationError):
            _feed(digest.update, getattr(plain, "__code__", None))
        digest.update(b"\0")
    return digest.hexdigest()


def _bare(source: str) -> str:
    """Source without its comments, empty lines and spaces at the ends of lines."""
    lines = source.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):  # a lambda in the middle of something: then all of it counts
        pass
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _feed(update: Callable[[bytes], None], code: object) -> None:
    if not isinstance(code, CodeType):
        update(repr(type(code)).encode())
        return
    update(code.co_code)
    update(" ".join(code.co_names).encode())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _feed(update, constant)
        elif isinstance(constant, frozenset):  # its order is another one in each process
            update(repr(sorted(map(repr, constant))).encode())
        else:
            update(repr(constant).encode())
