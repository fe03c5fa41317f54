"""What routes take, checked before anything is asked: ids, names, texts, numbers."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from job_console.access.caller import ConsoleCaller
from job_console.error_answers import NobodyNamed
from job_console.openapi import errors
from job_console.ranged import TYPES
from job_console.route_services import ConsoleParts
from lib.errors import UsageError
from lib.pipeline.operator_names import LONGEST_OPERATOR, checked_operator
from lib.pipeline.runs import LONGEST_WORDS

NO_NUL = r"^[^\x00]*$"
RUN_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
STAGE_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
REQUEST_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,199}$"

#: Characters of a file's path below its run: four names of a hundred letters.
LONGEST_PATH: Final = 404

RunId = Annotated[str, Path(pattern=RUN_PATTERN, description="The id of a run.")]
StageName = Annotated[str, Path(pattern=STAGE_PATTERN, description="A stage of the run.")]
RequestId = Annotated[str, Path(pattern=REQUEST_PATTERN, description="The request id of a job.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Words = Annotated[str, Field(max_length=LONGEST_WORDS, pattern=NO_NUL)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_OPERATOR)]

_BYTES: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_KINDS: Final = {kind: _BYTES for kind in sorted({*TYPES.values(), "application/octet-stream"})}
#: What a route may answer that sends a file.
FILE_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The whole file; of a kind that a browser must not show, as a download.",
        "content": _KINDS,
    },
    206: {"description": "The range that was asked for.", "content": _KINDS},
    304: {"description": "It is what `If-None-Match` names."},
    **errors(401, 404, 416, 422, 429, 503),
}


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: For a body's whole numbers, behind their bounds: JSON calls 5.0 one, and Python does not.
WHOLE: Final = BeforeValidator(_whole)


class RequestBody(BaseModel):
    """A body of JSON that holds what is named here and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


async def _parts(request: Request) -> ConsoleParts:
    parts: ConsoleParts = request.app.state.parts
    return parts


Parts = Annotated[ConsoleParts, Depends(_parts)]


def operator_of(request: Request, given: str | None) -> str:
    """Who decides: who is named, else who logged in. It is noted for the audit log.

    Raises:
        NobodyNamed: it is not known, or the name does not print.
    """
    caller: ConsoleCaller = request.scope["state"]["caller"]
    name = given if given is not None else caller.operator
    try:
        checked = checked_operator(name or "")
    except UsageError:
        raise NobodyNamed("it must be known who decides: name yourself as `operator`") from None
    request.scope["state"]["operator"] = checked
    return checked
