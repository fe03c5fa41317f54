"""How words are said, from the command line and a lexicon file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lib.errors import UsageError
from lib.jobspec import printable, sayings


def read_sayings(
    pronounce: Sequence[str], lexicon: Path | None, read: Callable[[Path], str]
) -> dict[str, str]:
    """The words of `--pronounce` (which win) and of the lexicon.

    Raises:
        UsageError: an option is not WORD=SAYING.
        lib.errors.BadInput: a word or saying is none, or the lexicon cannot be read.
    """
    given: dict[str, str] = {}
    for option in pronounce:
        word, equals, saying = option.rpartition("=")
        if not equals:
            raise UsageError(f"--pronounce takes WORD=SAYING, as in Ouse=ooz; not {option!r}.")
        given[word.strip()] = saying.strip()
    if lexicon is None:
        return sayings(given)
    return sayings(given, read(lexicon), printable(str(lexicon)))
