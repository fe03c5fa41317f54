"""The process that holds a recogniser: `python -I recognizer_host.py FOLDER_OF_THE_MODEL`.

It is another one than the worker's, so that both have a core where there are two, and no crash of a native
library takes the worker with it. It gives way to the engine (`nice`), uses one thread, and never asks the
network: the model is a folder.

On stdin comes a line of JSON, `samples` (how many), `language` (ISO 639-1), `timed` (whether words need their
times), `careful` (a wider search) and `marked` (whether it says how far it has come, as it does beyond a
window), and then so many float32 samples of 16 kHz. On stdout goes a line of JSON: `words`, each
`[text, start, end]` in seconds, or `error`. The first line of all tells `languages`, or `error` or what
package is `missing`. It ends with its stdin, also in the middle of a window.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, Final

_GIVES_WAY: Final = 5  # of 19
_RATE: Final = 16_000
_CAREFUL_BEAMS: Final = 5
#: Behind the last word that was heard: no more than the margin of a take and what a time may be off. To hear
#: it by itself would cost another window, and a recogniser puts an "And" there.
_MARGIN_S: Final = 0.35
#: What a model of Whisper hears at once. Where that is all there is, it need not say how far it has come: its
#: marks of time cost a fifteenth of a window, and a last word after one near the end would be left out.
_WINDOW_S: Final = 30
#: Bytes of what was heard for each of its own when packed, the package's own limit; takes of eight lines have
#: 1.5. Without marks of time it repeats a sentence that was said five times for ever, over what follows.
_MOST_COMPRESSED: Final = 2.4
_NEEDED: Final = ("model.bin", "tokenizer.json")
#: Numbers and signs may be written in many ways, words in one: so they are written as words. Behind a hyphen,
#: as in "COVID-19", it would go on with a digit, and so not at all.
_NOT_WORDS: Final = re.compile(r"[-0-9$£€¥%&+=@#°*/]")


class WhisperModelFolder:
    """A model of Whisper in the format of CTranslate2, loaded."""

    def __init__(self, folder: str) -> None:
        from faster_whisper import WhisperModel

        for name in _NEEDED:  # the package would ask the network for the second
            if not (Path(folder) / name).is_file():
                raise OSError(f"the folder has no {name}")
        self._model = WhisperModel(
            folder, device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
        )
        many = self._model.model.is_multilingual
        self.languages = sorted(self._model.supported_languages) if many else ["en"]
        tokenizer = self._model.hf_tokenizer
        texts = range(tokenizer.token_to_id("<|endoftext|>"))
        self._unwritten = [-1, *(each for each in texts if _NOT_WORDS.search(tokenizer.decode([each])))]

    def hear(self, samples: Any, asked: dict[str, Any]) -> list[tuple[str, float, float]]:
        """The words in `samples`."""
        marked = asked["marked"] or len(samples) > _WINDOW_S * _RATE
        words, goes_round = self._words(samples, asked, marked=marked)
        again = goes_round and not marked and not asked["careful"]  # with care it was heard with marks before
        return self._words(samples, asked, marked=True)[0] if again else words

    def _words(
        self, samples: Any, asked: dict[str, Any], *, marked: bool
    ) -> tuple[list[tuple[str, float, float]], bool]:
        """And whether they go round in a circle."""
        segments, _ = self._model.transcribe(
            samples,
            language=asked["language"],
            beam_size=_CAREFUL_BEAMS if asked["careful"] else 1,
            temperature=0.0,
            condition_on_previous_text=False,
            suppress_tokens=self._unwritten,
            word_timestamps=asked["timed"],
            without_timestamps=not marked,
        )
        words: list[tuple[str, float, float]] = []
        goes_round = False
        heard_to = len(samples) / _RATE - _MARGIN_S
        for segment in segments:  # each window is heard when its first segment is asked for
            goes_round |= segment.compression_ratio > _MOST_COMPRESSED
            if asked["timed"]:
                words += [(word.word, float(word.start), float(word.end)) for word in segment.words or ()]
            else:
                words += [(word, float(segment.start), float(segment.end)) for word in segment.text.split()]
            if segment.end >= heard_to:
                break
        return words, goes_round


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def _end_with(asker: int) -> None:
    """End this process once the writer of the pipe `asker` is gone: a window may take minutes more."""
    hung_up = select.poll()
    hung_up.register(asker, 0)
    hung_up.poll()
    os._exit(0)


def main(folder: str, asked: BinaryIO, answers: BinaryIO) -> None:
    """Hear until `asked` ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever asks ends this
    os.nice(_GIVES_WAY)
    threading.Thread(target=_end_with, args=(asked.fileno(),), daemon=True).start()
    try:
        import numpy as np

        recognizer = WhisperModelFolder(folder)
    except ModuleNotFoundError as error:
        answers.write(_line({"missing": error.name}))
        return
    except Exception as error:  # whatever the packages raise over a folder that is no model
        answers.write(_line({"error": _said(error)}))
        return
    answers.write(_line({"languages": recognizer.languages}))
    answers.flush()
    for line in asked:
        wish = json.loads(line)
        samples = np.frombuffer(asked.read(wish["samples"] * 4), np.float32)
        try:
            said = _line({"words": recognizer.hear(samples, wish)})
        except Exception as error:  # over one window; others can be heard
            said = _line({"error": _said(error)})
        answers.write(said)
        answers.flush()


if __name__ == "__main__":
    # whoever asked may be gone before the answer comes
    with contextlib.suppress(BrokenPipeError), open(os.dup(1), "wb") as own:
        os.dup2(2, 1)  # what a library may print is no answer
        main(sys.argv[1], sys.stdin.buffer, own)
