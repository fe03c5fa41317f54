"""Whether an engine can speak a text: asked before anything is loaded, rented or enqueued."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from lib.voices.engines import engine_facts
from lib.voices.errors import TextRefused, quoted
from lib.voices.facts import EngineFacts
from lib.voices.markup import LINK, PAUSE, without_markup
from lib.voices.words import words_of

_SHOWN: Final = 40
_ALNUM: Final = re.compile(r"[A-Za-z0-9]")
#: First words of names of single signs, 々 〇 ー, which belong to a script: ー is written in both of two.
_NAMED_OTHERWISE: Final = {"IDEOGRAPHIC": "CJK", "KATAKANA-HIRAGANA": "KATAKANA"}


def check_text(
    text: str,
    engine: str,
    chunk: bool = False,
    *,
    pronounce: Mapping[str, str] | None = None,
    language: str = "English",
) -> None:
    """Pass a text that `engine` can speak whole, its words said by `pronounce`; nothing is loaded.

    Raises:
        TextRefused: empty, without a speakable letter or digit, mostly in another script, with letters of
            the language that the engine cannot read, or longer than the engine's limit (without `chunk`, or
            at all).
        UnknownEngine: nothing installed provides the engine.
    """
    facts = engine_facts(engine)
    if not text or text.isspace():
        raise TextRefused("empty", "The text is empty; there is nothing to speak.")
    _check_length(text, facts, chunk)
    _check_read(text, facts, language)
    scripts = facts.scripts_in(language)
    speakable, foreign = _count(_as_said(text, facts), scripts)
    if speakable == 0 or foreign > speakable:  # signs may have names, and words be said by others: µ, ≈
        script = words_of(PAUSE.sub(" ", text), pronounce, language).script  # a break alone has no words
        speakable, foreign = _count(_as_said(script, facts), scripts)
    text = without_markup(text)
    where = f" with language: {language}" if facts.language_scripts else ""
    if speakable == 0:
        raise TextRefused(
            "no_speech",
            f"The text {quoted(_shorten(text))} holds no letter or digit that the engine {facts.name} "
            f"can speak{where} ({_named(scripts)} only).",
        )
    if foreign > speakable:
        raise TextRefused(
            "script",
            f"Most of the text {quoted(_shorten(text))} is in a script that the engine {facts.name} "
            f"cannot speak{where} ({foreign} of {foreign + speakable} letters; it speaks {_named(scripts)} "
            "only).",
        )


def unspoken_characters(text: str, engine: str, language: str = "English") -> str:
    """The letters of `text` that `engine` would leave out, each once, in order; empty for most texts."""
    facts = engine_facts(engine)
    scripts, text = facts.scripts_in(language), _as_said(text, facts)
    if text.isascii() and "LATIN" in scripts:
        return ""
    return "".join(dict.fromkeys(char for char in text if _kind(char, scripts) < 0))


def _as_said(text: str, facts: EngineFacts) -> str:
    """The text without markup; a word that the engine says by phonemes is a letter, whatever its script."""
    return without_markup(LINK.sub("a", text) if facts.phonemes and "](/" in text else text)


def _check_length(text: str, facts: EngineFacts, chunk: bool) -> None:
    length = len(text)
    if length > facts.max_chunked_characters:
        raise TextRefused(
            "too_long",
            f"The text has {length:,} characters; the engine {facts.name} takes at most "
            f"{facts.max_chunked_characters:,} in one job. Split it into several jobs.",
        )
    if not chunk and length > facts.max_characters:
        raise TextRefused(
            "too_long",
            f"The text has {length:,} characters; without chunk the engine {facts.name} takes at most "
            f"{facts.max_characters:,}. Set chunk: true, or split the text.",
        )


def _check_read(text: str, facts: EngineFacts, language: str) -> None:
    unread = facts.unread_in(language)
    if not unread or text.isascii():
        return
    found = "".join(dict.fromkeys(char for char in _as_said(text, facts) if _is_of(char, unread)))
    if found:
        *names, last = sorted(script.capitalize() for script in facts.scripts_in(language))
        scripts = f"{', '.join(names)} or {last}" if names else last
        raise TextRefused(
            "script",
            f"The engine {facts.name} cannot read {quoted(_shorten(found))} with language: {language}, and "
            f"would say another text without; write {quoted(_shorten(text))} in {scripts} letters.",
        )


def _count(text: str, scripts: frozenset[str]) -> tuple[int, int]:
    """How many letters and digits the scripts cover, and how many letters they do not."""
    speakable = foreign = 0
    if text.isascii():  # nearly every text; counting its letters would cost more than all else here
        return int(_ALNUM.search(text) is not None), 0
    for char in text:
        kind = _kind(char, scripts)
        if kind > 0:
            speakable += 1
        elif kind < 0:
            foreign += 1
    return speakable, foreign


@lru_cache(maxsize=4096)
def _kind(char: str, scripts: frozenset[str]) -> int:
    """1 for a letter or digit of the scripts, -1 for one of another script, 0 for all else."""
    if char.isascii():
        return int(char.isalnum())
    if not char.isalnum():
        return 0
    for plain in unicodedata.normalize("NFKC", char):  # ﬁ, 𝐛, ½ and full-width letters are Latin or digits
        if plain.isascii() and plain.isalnum():
            return 1
        if plain.isalnum() and _script_of(plain) in scripts:
            return 1
    return -1


@lru_cache(maxsize=4096)
def _is_of(char: str, scripts: frozenset[str]) -> bool:
    return char.isalnum() and any(
        _script_of(plain) in scripts for plain in unicodedata.normalize("NFKC", char)
    )


def _script_of(char: str) -> str:
    first = unicodedata.name(char, "").partition(" ")[0]
    return _NAMED_OTHERWISE.get(first, first)


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _named(scripts: frozenset[str]) -> str:
    return ", ".join(sorted(script.capitalize() for script in scripts)) + " letters and digits"
