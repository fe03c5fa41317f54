"""Marks of the model's tokenizer in a text that somebody wrote: they must not steer the model.

The package puts a text between `<|im_start|>` and `<|im_end|>` and has the whole tokenized with its special
tokens. One that stands in the text would end it there, or begin a turn of its own.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(r"<(?=\||/?tts_|/?think>|/?tool_)")


def unmarked(text: str) -> str:
    """The text with a blank in what could be a mark: it is read as signs, and nothing is left out."""
    return _MARK.sub("< ", text) if "<" in text else text
