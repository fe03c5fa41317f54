"""The process that holds the library of eSpeak NG: `python -I -S library_host.py LIBRARY FOLDER_OF_ITS_DATA`.

The library keeps a state from one text to the next, so that the same text sounds a little different the next
time. Therefore each text is spoken by a child of its own, which begins with the state of a fresh library; one
that crashes or hangs over a text takes nothing else with it. Nothing of ours and no thread is in here: a fork
copies little, and is safe.

On stdin comes one text as a line of JSON: `text`, `voice`, `rate` (words a minute), `pitch` and `range` (0 to
100, 50 is the voice's own), `volume`. On stdout goes a line of JSON, `error` or `words` (the place of each in
characters, from 1, and ms) and `bytes`, and then so many bytes of samples: signed, 16 bits, of the rate that
the first line of all tells. It ends with its stdin.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any, BinaryIO, Final

_IN_ONE_PIECE, _DO_NOT_EXIT = 2, 0x8000  # speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS and an option
_UTF8, _WITH_ITS_END = 1, 0x1000  # of a text; without espeakENDPAUSE it ends inside of its last sound
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4  # its parameters
_END_OF_LIST, _WORD = 0, 1  # its events
_WITHIN_S: Final = 60  # for one text: far more than the longest takes


class _Event(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_CALLBACK: Final = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Library:
    """The library, begun and never used: a child of this process speaks with it once."""

    def __init__(self, path: str, folder: str) -> None:
        self._samples = bytearray()
        self._words: list[tuple[int, int]] = []
        self._callback = _CALLBACK(self._hear)  # the library keeps only its address
        self._lib = ctypes.CDLL(path)
        # Its names of files have 160 characters at most: from here they are short, wherever the folder lies.
        os.chdir(folder)
        self.sample_rate: int = self._lib.espeak_Initialize(_IN_ONE_PIECE, 0, b".", _DO_NOT_EXIT)
        place = ctypes.c_char_p()
        self._lib.espeak_Info.restype = ctypes.c_char_p
        self.version: str = (
            self._lib.espeak_Info(ctypes.byref(place)).split(b" ")[0].decode("ascii", "replace")
        )
        if self.sample_rate <= 0 or not (place.value or b"").startswith(b"."):
            raise OSError("the library does not find its data there")
        self._lib.espeak_SetSynthCallback(self._callback)
        self._lib.espeak_ListVoices(None)  # reads a file for each voice, here once and not in every child

    def speak(self, asked: dict[str, Any]) -> bytes:
        """What goes to stdout for one text. Raises ValueError: there is no such voice, or it was refused."""
        if self._lib.espeak_SetVoiceByName(asked["voice"].encode()) != 0:
            raise ValueError(f"it has no voice {asked['voice']}")
        for number, name in ((_RATE, "rate"), (_VOLUME, "volume"), (_PITCH, "pitch"), (_RANGE, "range")):
            self._lib.espeak_SetParameter(number, int(asked[name]), 0)
        text = asked["text"].replace("\0", " ").encode("utf-8", "replace")
        size, flags = ctypes.c_size_t(len(text) + 1), _UTF8 | _WITH_ITS_END
        status = self._lib.espeak_Synth(text, size, 0, 0, 0, flags, None, None)
        if status != 0:
            raise ValueError(f"it refused the text with status {status}")
        head = {"words": self._words, "bytes": len(self._samples)}
        return _line(head) + self._samples

    def _hear(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        index = 0
        while events and events[index].type != _END_OF_LIST:
            event = events[index]
            if event.type == _WORD:
                self._words.append((event.text_position, event.audio_position))
            index += 1
        return 0


def _answer(library: Library, asked: dict[str, Any]) -> bytes:
    """What goes to stdout for one text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(_WITHIN_S)  # unheeded, it ends the child
        _speak_and_exit(library, asked, writer)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        return said
    why = (
        f"signal {signal.Signals(-status).name} ended it" if status < 0 else f"it ended with status {status}"
    )
    return _line({"error": why})


def _speak_and_exit(library: Library, asked: dict[str, Any], writer: int) -> None:
    status = 1
    try:
        try:
            said = library.speak(asked)
        except ValueError as error:
            said = _line({"error": str(error)})
        with open(writer, "wb") as pipe:
            pipe.write(said)
        status = 0
    finally:
        os._exit(status)  # whatever happened: the loop of the parent is not the child's


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def main(path: str, folder: str, texts: BinaryIO, answers: BinaryIO) -> None:
    """Speak until `texts` ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever asks goes on to the end of a text, and ends this then
    try:
        library = Library(path, folder)
    except (OSError, AttributeError) as error:
        answers.write(_line({"error": " ".join(str(error).split())}))
        return
    answers.write(_line({"rate": library.sample_rate, "version": library.version}))
    answers.flush()
    for line in texts:
        answers.write(_answer(library, json.loads(line)))
        answers.flush()


if __name__ == "__main__":
    with open(os.dup(1), "wb") as own:
        os.dup2(2, 1)  # what the library may print is no answer
        main(sys.argv[1], sys.argv[2], sys.stdin.buffer, own)
