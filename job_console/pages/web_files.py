"""The files that pages load: our styles and scripts, at an address that changes with what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.responses import Response

from job_console.error_answers import NotFound

_FOLDER: Final = Path(__file__).parent.parent / "web" / "static"
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}

router = APIRouter(include_in_schema=False)


@cache
def _files() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


@cache
def _digest() -> str:
    """Of all of them together: a script names those it imports by their place beside it."""
    found = hashlib.sha256()
    for name, content in _files().items():
        found.update(f"{name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:16]


def address_of(name: str) -> str:
    """Where a browser finds a file. Raises KeyError where there is none: a template is wrong."""
    _files()[name]
    return f"/static/{_digest()}/{name}"


@router.get("/static/{digest}/{name}")
async def web_file(digest: Annotated[str, InPath(max_length=64)], name: str) -> Response:
    """A style or a script. Of an older page's address it is the one of now, and is not kept."""
    content = _files().get(name)
    if content is None:
        raise NotFound("no page of this console loads a file of that name")
    kept = _FOR_EVER if digest == _digest() else {}
    return Response(content, headers=kept, media_type=_TYPES[Path(name).suffix])
