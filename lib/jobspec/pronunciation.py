"""`pronounce` and `lexicon`: how words are said, as a mapping in the job and as a file beside the YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lib.errors import BadInput
from lib.jobspec.problems import BROKEN, Refused, shown
from lib.jobspec.rules import Rule, as_text
from lib.jobspec.textfile import read_file

if TYPE_CHECKING:
    from lib.textnorm.lexicon_use import LexiconUse

MAX_PRONOUNCE_BYTES: Final = 64 * 1024  # as JSON, after merging
_LONGEST_WORD: Final = 100
_LONGEST_SAYING: Final = 200
_MOST_TOLD: Final = 20  # faulty lines of a lexicon
_PAGE: Final = "docs/reference/pronunciation.md"
_LETTER: Final = re.compile(r"[^\W_]")
_BRACKET: Final = re.compile(r"[\[\]()]")
_PHONEMES: Final = re.compile(r"/[^/()\[\]]*[^/()\[\]\s][^/()\[\]]*/")
_UNSAID: Final = re.compile(r"[^\w\s'’,.!?-]|[_ˈˌː]")


def pronounce_rule() -> Rule:
    """A mapping from words to how they are said. Its size is judged after merging, by `check_size`."""
    schema = {
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": _LONGEST_WORD},
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": _LONGEST_SAYING},
    }
    return Rule("a mapping from words to respellings or /phonemes/, at most 64 KiB", schema, _check)


def check_size(value: Mapping[str, str]) -> None:
    """Refuse more than 64 KiB as compact JSON in UTF-8."""
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_PRONOUNCE_BYTES:
        raise Refused(f"is {size} bytes of JSON with the lexicon; at most {MAX_PRONOUNCE_BYTES} are allowed")


class Sayings(dict[str, str]):
    """How words are said, in the order of the words; `places` says where a lexicon has those it gave.

    Not to be changed: the jobs of a file share it.
    """

    __slots__ = ("_use", "places")

    def __init__(self, entries: Mapping[str, str], places: Mapping[str, str]) -> None:
        super().__init__(entries)
        self.places = places  # by word: "words.txt" line 3
        self._use: LexiconUse | None = None

    def used_in(self, text: str) -> dict[str, str]:
        """What is said of the words that stand in the text: nothing else of it makes a difference there."""
        if not self:
            return {}
        if self._use is None:
            from lib.textnorm.lexicon_use import LexiconUse  # most jobs have no such words

            self._use = LexiconUse(self)
        return self._use.of(text)


def all_sayings(given: Mapping[str, str], lexicon: str | None, base_dir: Path | None) -> Sayings:
    """What is said of words beside the file `lexicon` under `base_dir` and in it; `given`, checked, wins.

    In the order of the words, so that a fingerprint does not depend on that of the lines. The jobs of a file
    that say the same share one mapping, which nobody may change: thousands of them may have one lexicon.

    Raises:
        Refused: the file cannot be read, lines of it are no entries, or all together are too much.
    """
    content = "" if lexicon is None else read_file(lexicon, base_dir)
    found = _together(content, lexicon or "", tuple(given.items()))
    if isinstance(found, Refused):
        raise _again(found)
    return found


def _again(refused: Refused) -> Refused:
    """The same once more: one that was raised keeps where it was."""
    anew = Refused(refused.message, refused.suggestion)
    anew.others = tuple(map(_again, refused.others))
    return anew


@lru_cache(maxsize=16)
def _together(content: str, name: str, given: tuple[tuple[str, str], ...]) -> Sayings | Refused:
    """The sayings of lexicon and job, or what is wrong with them: that is not looked for again either."""
    try:
        lexicon, own = parse_lexicon(content, name), dict(given)
        places = {word: place_in(name, entry.line) for word, entry in lexicon.items() if word not in own}
        found = Sayings(dict(sorted({**_bare(lexicon), **own}.items())), places)
        check_size(found)
    except Refused as refused:
        return refused
    return found


def sayings(given: Mapping[str, str], lexicon: str = "", name: str = "") -> dict[str, str]:
    """What is said of words beside the lexicon and in it, in the order of the words; `given` wins.

    Raises:
        lib.errors.BadInput: lines of the lexicon (which errors call `name`) or a saying are none.
    """
    try:
        found = {**_bare(parse_lexicon(lexicon, name)), **_check(given)}
        check_size(found)
    except Refused as refused:
        raise BadInput("\n".join(map(_sentence, (refused, *refused.others)))) from None
    return dict(sorted(found.items()))


def _sentence(refused: Refused) -> str:
    place = f"{refused.path[0]}: " if refused.path else ""
    advice = f"; {refused.suggestion}" if refused.suggestion else ""
    return f"{place}{refused.message}{advice}."


class LexiconEntry(NamedTuple):
    """One entry of a lexicon."""

    saying: str
    line: int  # from 1


def place_in(name: str, line: int) -> str:
    """A line of a lexicon in words."""
    return f"{shown(name)} line {line}"


def _bare(lexicon: Mapping[str, LexiconEntry]) -> dict[str, str]:
    return {word: entry.saying for word, entry in lexicon.items()}


def parse_lexicon(content: str, name: str) -> dict[str, LexiconEntry]:
    """The entries in the content of the file `name`.

    Raises:
        Refused: lines are no entries; each message names its line, and the first few of many are told.
    """
    entries: dict[str, LexiconEntry] = {}
    refusals: list[Refused] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            word, saying = _entry(line)
            if word in entries:
                raise Refused(f" says {shown(word)} a second time, first in line {entries[word].line}")
            entries[word] = LexiconEntry(saying, number)
        except Refused as refused:
            refusals.append(Refused(place_in(name, number) + refused.message, refused.suggestion))
    if refusals:
        told, more = refusals[:_MOST_TOLD], len(refusals) - _MOST_TOLD
        if more > 0:
            told.append(Refused(f"{shown(name)} has {more} more lines that are no entries"))
        told[0].others = tuple(told[1:])
        raise told[0]
    return entries


def _entry(line: str) -> tuple[str, str]:
    """The word and the saying of a line; a refusal goes on behind the line's name."""
    word, colon, saying = (part.strip() for part in line.partition(":"))
    if not colon:
        raise Refused(" is no entry; write the word, a colon, and how it is said")
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":  # as in YAML; it would match nothing
        raise Refused(" has quotes, which are no part of a word", f"write {shown(word[1:-1])} bare")
    try:
        return _word(word), _saying(saying)
    except Refused as refused:
        raise Refused(f": {refused.message}", refused.suggestion) from None


def _check(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(f"must be a mapping from words to how they are said, not {shown(value)}")
    checked: dict[str, Any] = {}
    refusals: list[Refused] = []
    for word, saying in value.items():
        if saying is BROKEN:
            continue
        try:
            said_of = _word(word)
            if said_of in checked:
                raise Refused(f"{shown(said_of)} stands twice, once with blanks around it", "keep one")
            checked[said_of] = _saying(saying)
        except Refused as refused:
            path = (word,) if isinstance(word, str) else ()
            refusals.append(Refused(refused.message, refused.suggestion, path))
    if refusals:
        refusals[0].others = tuple(refusals[1:])
        raise refusals[0]
    return checked


def _word(value: object) -> str:
    word = as_text(value)
    if not word.strip() or not word.isprintable() or len(word) > _LONGEST_WORD:
        raise Refused(f"{shown(word)} is no word; it has 1 to {_LONGEST_WORD} characters on one line")
    if not _LETTER.search(word) or _BRACKET.search(word):
        raise Refused(f"{shown(word)} is no word; it has a letter or digit, and no brackets")
    return word.strip()


def _saying(value: object) -> str:
    saying = as_text(value).strip()
    if not saying or not saying.isprintable() or len(saying) > _LONGEST_SAYING:
        raise Refused(f"must be 1 to {_LONGEST_SAYING} characters on one line, not {shown(saying)}")
    if saying.startswith("/"):
        if not _PHONEMES.fullmatch(saying):
            raise Refused(
                f"{shown(saying)} begins with / and is not phonemes between two of them", f"see {_PAGE}"
            )
        return saying
    strange = "".join(dict.fromkeys(_UNSAID.findall(saying)))
    if strange:
        raise Refused(
            f"{shown(saying)} has {shown(strange)}, which nobody can say",
            f"write plain words, or phonemes between two slashes; see {_PAGE}",
        )
    if not _LETTER.search(saying):
        raise Refused(f"{shown(saying)} holds nothing to say; write at least one letter")
    return saying
