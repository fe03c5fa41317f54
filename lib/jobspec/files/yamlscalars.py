"""What an unquoted YAML scalar means: text, a number, a truth value, null or a date."""

from __future__ import annotations

import re
from typing import Any, Final

from yaml import ScalarNode
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.resolver import Resolver

from lib.jobspec.problems import Refused

_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_STRING_TAG: Final = "tag:yaml.org,2002:str"
_VALUE_TAG: Final = "tag:yaml.org,2002:value"
# The characters that a word with a meaning of its own can start with; the longest such word is "false".
_WORD_STARTS: Final = frozenset("yYnNtTfFoO~<=")
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_LONGEST_WORD: Final = 5
# No number or date that a job can use is longer, and some long ones take minutes to convert.
_LONGEST_NUMBER: Final = 120
# What YAML reads in another base than ten although no letter says so: nobody who writes it means that.
_OCTAL: Final = re.compile(r"[-+]?0[0-7_]+")
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_REMEMBERED: Final = 40
_UNREMEMBERED: Final = object()


class AnotherBase(Refused):
    """A number that YAML reads in base 8 or 60. `number` is how it is written in base 10."""

    def __init__(self, message: str, number: str) -> None:
        super().__init__(message, advice(number))
        self.number = number


def advice(number: str, *, as_text: bool = True, as_number: bool = True) -> str:
    """What to write for a value of another base in a place that takes texts, numbers or both."""
    if not as_number:
        return "put quotes around it"
    if not as_text:
        return f"write {number}"
    return f"put quotes around it if it is text, or write {number} for the number"


class Scalars:
    """Gives unquoted scalars the meaning they have for `yaml.safe_load`, remembering short ones.

    Numbers that are read in base 8 or 60 without looking like it are refused: `010` is 8 there, `12:30` 750.
    """

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._resolver: Any = Resolver()
        self._constructor: Any = SafeConstructor()

    def resolve(self, text: str) -> Any:
        """Return the value of an unquoted scalar.

        Raises:
            Refused: a merge key, a number too long to mean one or in a base that it does not show, or a date
                that does not exist.
        """
        first = text[:1]
        if first not in _NUMBER_STARTS and text and (len(text) > _LONGEST_WORD or first not in _WORD_STARTS):
            return text
        value = self._known.get(text, _UNREMEMBERED)
        if value is _UNREMEMBERED:
            value = self._construct(text)
            if len(text) <= _REMEMBERED:
                self._known[text] = value
        return value

    def _construct(self, text: str) -> Any:
        tag = self._resolver.resolve(ScalarNode, text, (True, False))
        if tag in (_STRING_TAG, _VALUE_TAG):
            return text
        if tag == _MERGE_TAG:
            raise Refused("is a YAML merge key (<<), which is not supported", "use defaults")
        if len(text) > _LONGEST_NUMBER:
            raise Refused(f"is a number of {len(text)} characters", "put quotes around it if it is text")
        try:
            value = self._constructor.construct_object(ScalarNode(tag, text))
            _check_base(text, value)
            return value
        except (ConstructorError, ValueError, OverflowError):
            raise Refused("looks like a number or date but is none", "put quotes around it") from None


def _check_base(text: str, value: object) -> None:
    """Refuse a number whose base shows only to those who know YAML by heart."""
    if _OCTAL.fullmatch(text):
        how, decimal = "begins with a zero, so YAML reads it in base 8", text.replace("_", "").lstrip("+-0")
        sign = "-" if text.startswith("-") else ""
        meant = f"{sign}{decimal or '0'}"
    elif _BASE_60.fullmatch(text):
        how, meant = "has a colon, so YAML reads it in base 60", str(value)
    else:
        return
    raise AnotherBase(f"is written {text}, which {how}, as {value}", meant)
