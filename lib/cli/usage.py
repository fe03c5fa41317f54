"""What is wrong with a command line, in our words: the libraries that read it have words of their own."""

from __future__ import annotations

import re
from typing import Any, Final

_LIBRARY: Final = re.compile(r"\b(?:Value|Assertion) error, ")
_OPTIONS: Final = re.compile(r" \(Possible options: ([^)]*)\)")
_EXTRA: Final = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)")
#: What the converter of values calls a fault, and what it is to people; {} is what was typed.
_FAULTS: Final = {
    "int_parsing": "{} is no whole number",
    "int_type": "{} is no whole number",
    "int_from_float": "{} is no whole number",
    "float_parsing": "{} is no number",
    "float_type": "{} is no number",
    "finite_number": "{} is no number",
    "bool_parsing": "{} is neither true nor false",
    "path_type": "{} is no path",
}
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "{} is too small; the least is {}"),
    "greater_than": ("gt", "{} is too small; it must be above {}"),
    "less_than_equal": ("le", "{} is too large; the most is {}"),
    "less_than": ("lt", "{} is too large; it must be below {}"),
}


def usage_sentence(error: Any) -> str:
    """The sentence of an error of the command-line library, with the page to look at."""
    fault = _fault_of(error)
    words = " ".join(str(error.format_message()).split()).rstrip(".")
    if fault is not None:
        head, colon, _ = words.partition(": ")
        words = f"{head}: {fault}" if colon else fault
    words = _OPTIONS.sub(lambda found: f" (did you mean {_either(found[1])}?)", _LIBRARY.sub("", words))
    extra = _EXTRA.fullmatch(words)
    if extra:
        words = f"More arguments than it takes: {extra[1]}"
    sentence = words[:1].lower() + words[1:] if words[1:2].islower() else words
    context = getattr(error, "ctx", None)
    return f"{sentence}; see '{context.command_path} --help'" if context else sentence


def _either(options: str) -> str:
    return " or ".join(option.strip() for option in options.split(","))


def _fault_of(error: Any) -> str | None:
    """What the converter of values found, where it is the cause; None for what is none of `_FAULTS`."""
    errors = getattr(error.__cause__, "errors", None)
    if not callable(errors):
        return None
    found: dict[str, Any] = errors(include_url=False)[0]
    kind, typed = str(found.get("type")), repr(found.get("input"))
    if kind in _FAULTS:
        return _FAULTS[kind].format(typed)
    if kind in _BOUNDS and str(found.get("input")).lower() != "nan":
        name, words = _BOUNDS[kind]
        return words.format(_bare(found.get("input")), _bare(found.get("ctx", {}).get(name)))
    return f"{typed} is no number" if kind in _BOUNDS else None


def _bare(value: Any) -> str:
    """A number as people write it: 0, not 0.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)
