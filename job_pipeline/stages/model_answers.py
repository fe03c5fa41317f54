"""Reads the JSON that a language model answered with: each value is there, of its kind and not too long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from job_pipeline.stages.language_model import UnusableAnswer
from job_pipeline.stages.prose import clean, is_speakable


def text_in(value: Mapping[str, Any], key: str, most: int, *, where: str = "") -> str:
    """The text under a key, on one line, of `most` characters at most and with something in it.

    Raises:
        UnusableAnswer: there is none.
    """
    found = value.get(key)
    text = " ".join(clean(found).split()) if isinstance(found, str) else ""
    if not is_speakable(text) or len(text) > most:
        raise UnusableAnswer(f"{where}{key} must be a text of 1 to {most} characters.")
    return text


def objects_in(value: Mapping[str, Any], key: str, most: int) -> list[Mapping[str, Any]]:
    """The objects of the list under a key, 1 to `most` of them.

    Raises:
        UnusableAnswer: it is no such list.
    """
    found = value.get(key)
    if not isinstance(found, list) or not 1 <= len(found) <= most:
        raise UnusableAnswer(f"{key} must be a list of 1 to {most} objects.")
    if not all(isinstance(item, dict) for item in found):
        raise UnusableAnswer(f"{key} must hold objects alone.")
    return found


def texts_in(value: Mapping[str, Any], key: str, count: int, most: int, *, where: str = "") -> list[str]:
    """The texts of the list under a key, 1 to `count` of them, each of `most` characters at most.

    Raises:
        UnusableAnswer: it is no such list.
    """
    found = value.get(key)
    if not isinstance(found, list) or not 1 <= len(found) <= count:
        raise UnusableAnswer(f"{where}{key} must be a list of 1 to {count} texts.")
    return [
        text_in({key: item}, key, most, where=f"{where}number {number + 1} of ")
        for number, item in enumerate(found)
    ]
