"""What the rules of the house ask of a Python file, read once for all of them.

A parsed tree is far larger than its file and hangs full of cycles: kept for 480 files, trees slow down
every later round of the garbage collector, so only what the rules ask for is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Function(NamedTuple):
    """A function or method, and how many lines it has."""

    name: str
    line: int
    lines: int


class Module(NamedTuple):
    """One Python file."""

    is_postponing: bool  # holds no code, or begins with the future import of annotations
    functions: tuple[Function, ...]
    classes: tuple[str, ...]  # those of the module itself
    printing: tuple[int, ...]  # lines that write to the process's own streams
    # Top-level names of everything imported anywhere, inside functions too; a relative one keeps its dots.
    imported: frozenset[str]


@cache
def module_of(path: Path) -> Module:
    """What the file at `path` holds."""
    return read(path.read_text(encoding="utf-8"))


def read(code: str) -> Module:
    """What a module of this code holds."""
    tree = ast.parse(code)
    functions, printing, imported = [], [], set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name, lineno=line) | ast.AsyncFunctionDef(name=name, lineno=line):
                functions.append(Function(name, line, (node.end_lineno or line) - line + 1))
            case ast.Call(func=ast.Name(id="print"), lineno=line):
                printing.append(line)
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr", lineno=line):
                printing.append(line)
            case ast.Import() | ast.ImportFrom():
                imported.update(_imported(node))
    classes = tuple(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    return Module(_is_postponing(tree), tuple(functions), classes, tuple(printing), frozenset(imported))


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    else:
        yield "." * node.level + (node.module or "").partition(".")[0]


def _is_postponing(tree: ast.Module) -> bool:
    code = [node for node in tree.body if not isinstance(node, ast.Expr)]
    return not code or (isinstance(code[0], ast.ImportFrom) and code[0].module == "__future__")


def calls_of(name: str, *places: str) -> Iterator[tuple[str, ast.Call]]:
    """Where the files below `places` call `name`."""
    for place in places:
        for path in sorted((ROOT / place).rglob("*.py")):
            code = path.read_text(encoding="utf-8")
            if name not in code:  # most files: to parse them all takes seconds
                continue
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                    yield str(path.relative_to(ROOT)), node
