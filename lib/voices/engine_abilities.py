"""Whether an engine can say it the way a job asks: phonemes and speed. Asked before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lib.textnorm.model import Warned
from lib.voices.engines import engine_facts
from lib.voices.errors import SayingRefused, SpeedRefused, quoted
from lib.voices.markup import LINK

#: Where the phonemes stand, for sentences.
PRONUNCIATION_PAGE = "docs/reference/pronunciation.md"


def check_speed(speed: float, engine: str) -> None:
    """Pass a speed that `engine` can speak at.

    Raises:
        SpeedRefused: it has one pace, or not this one.
        UnknownEngine: nothing installed provides the engine.
    """
    speeds = engine_facts(engine).speeds
    if speed == 1.0:
        return
    if speeds is None:
        raise SpeedRefused(f"The engine {engine} speaks at its own pace only; leave out the speed {speed:g}.")
    if not speeds[0] <= speed <= speeds[1]:
        raise SpeedRefused(
            f"The engine {engine} speaks at a speed from {speeds[0]:g} to {speeds[1]:g}, not {speed:g}."
        )


def check_sayings(text: str, pronounce: Mapping[str, str], engine: str) -> None:
    """Pass phonemes, of `pronounce` and of links in the text, that `engine` can say.

    An engine that reads no phonemes says the words as they are written: nothing is refused.

    Raises:
        SayingRefused: it names the sign, the word and the page with those there are.
        UnknownEngine: nothing installed provides the engine.
    """
    for refused in refused_sayings(text, pronounce, engine):
        raise refused


def refused_sayings(text: str, pronounce: Mapping[str, str], engine: str) -> Iterator[SayingRefused]:
    """Every word for which `engine` would be given phonemes that it cannot say, as `check_sayings` raises it.

    Raises:
        UnknownEngine: nothing installed provides the engine.
    """
    facts = engine_facts(engine)
    if not facts.phonemes:
        return
    for field, word, phonemes in _phonemes(text, pronounce):
        unknown = facts.unknown_phonemes(phonemes)
        if unknown:
            signs = ", ".join(quoted(sign) for sign in unknown[:5])
            yield SayingRefused(
                field,
                word,
                f"The engine {engine} cannot say {signs}, which stands in /{phonemes[:60]}/ for "
                f"{quoted(word)}; the signs it can say: {PRONUNCIATION_PAGE}.",
            )


def unread_phonemes(text: str, pronounce: Mapping[str, str], engine: str) -> tuple[str, ...]:
    """The words that phonemes are given for and that `engine` says as they are written, each once."""
    if engine_facts(engine).phonemes:
        return ()
    return tuple(dict.fromkeys(word for _, word, _ in _phonemes(text, pronounce)))


def phoneme_warnings(text: str, engine: str) -> tuple[Warned, ...]:
    """Where the text gives phonemes that `engine` cannot say, for which it would refuse a job.

    Raises:
        UnknownEngine: nothing installed provides the engine.
    """
    facts = engine_facts(engine)
    if not facts.phonemes or "](/" not in text:
        return ()
    found = []
    for link in LINK.finditer(text):
        unknown = facts.unknown_phonemes(link[2])
        if unknown:
            signs = ", ".join(quoted(sign) for sign in unknown[:5])
            message = f"The engine {engine} cannot say {signs}; a job with this text is refused."
            remedy = f"Write the signs of {PRONUNCIATION_PAGE}."
            found.append(Warned("phonemes", link[0], link.start(), link.end(), message, remedy))
    return tuple(found)


def _phonemes(text: str, pronounce: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The field, word and phonemes of each word that has some."""
    for word, saying in pronounce.items():
        if saying.startswith("/"):
            yield "pronounce", word, saying.strip("/")
    if "](/" in text:
        for link in LINK.finditer(text):
            yield "text", link[1], link[2]
