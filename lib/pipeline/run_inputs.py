"""What the runs of a pipeline may be given: said by its code, asked for by a page, and kept to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.errors import BadInput

#: How an input is asked for: a long text or a file's, a line, true or left out, or any JSON.
INPUT_KINDS: Final = ("text", "line", "flag", "json")
#: `one_of`: one of all that say so has to be given.
INPUT_NEEDS: Final = ("optional", "required", "one_of")


@dataclass(frozen=True, slots=True)
class RunInput:
    """One input: its name, what it is in a sentence, one of INPUT_KINDS, and one of INPUT_NEEDS."""

    name: str
    says: str
    kind: str = "text"
    need: str = "optional"


def check_inputs(dag: str, known: Sequence[RunInput], given: Mapping[str, Any]) -> None:
    """Refuse inputs that a pipeline does not know, or without which it has nothing to do.

    One that is null is not given. Where a pipeline says nothing about its inputs, all are right.

    Raises:
        BadInput: the sentence names the known ones.
    """
    if not known:
        return
    names = [each.name for each in known]
    strange = [name for name in given if name not in names]
    if strange:
        raise BadInput(f"{dag} has no input {strange[0][:100]!r}; there are {', '.join(names)}")
    told = {name for name, value in given.items() if value is not None}
    missing = [each.name for each in known if each.need == "required" and each.name not in told]
    if missing:
        raise BadInput(f"{dag} needs the input {missing[0]!r}; there are {', '.join(names)}")
    either = [each.name for each in known if each.need == "one_of"]
    if either and not told.intersection(either):
        raise BadInput(f"{dag} needs one of the inputs {', '.join(either)}; there are {', '.join(names)}")
