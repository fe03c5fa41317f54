"""Numbers in names: models of makers ("Boeing 747-400") and versions of programs ("Python 3.11")."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.capitals import number_in_name, spelled
from lib.textnorm.context import STARTERS, is_plural, is_sentence_start, word_after, word_before, words_before
from lib.textnorm.numbers import SPORT
from lib.textnorm.rule import TokenRule
from lib.textnorm.tables import word_set

#: Makers whose things are named by numbers.
_MAKERS: Final = word_set("""
    Airbus Antonov Beechcraft Boeing Bombardier Canadair Cessna Comac Convair Dornier Douglas Embraer
    Fokker Gulfstream Ilyushin Learjet Lockheed Piper Sikorsky Sukhoi Tupolev Yakovlev Alfa Audi BMW
    Bentley Bugatti Chrysler Citroën Ferrari Fiat Jaguar Lamborghini Lancia Lotus Maserati Mazda McLaren
    Mercedes Nissan Opel Peugeot Porsche Renault Rover Saab Skoda Toyota Triumph Volvo Ducati Harley
    Honda Kawasaki Suzuki Yamaha Atari Commodore Intel Leica Minolta Motorola Nikon Nokia Pentium
    Polaroid ThinkPad Gibson Korg Moog Roland Volkswagen""")
_LEAST_MODEL: Final = 200
#: Before two numbers that are a range although the second is less.
_NO_MODELS: Final = word_set(
    "Room Rooms Page Pages Psalm Psalms Line Lines Flight Flights Route Area Highway"
)
#: Programs, languages, systems and standards that are told apart by versions.
_PROGRAMS: Final = word_set("""
    Python Java Ruby Perl PHP Node Rust Scala Kotlin Swift Lua Haskell Elixir Erlang TypeScript
    JavaScript Fortran Django Rails React Angular Vue Linux Ubuntu Debian Fedora Windows
    macOS iOS iPadOS Android Solaris FreeBSD Firefox Chrome Chromium Safari PostgreSQL
    Postgres MySQL MariaDB SQLite MongoDB Redis Kafka Kubernetes Docker Podman Git GCC Clang LLVM CMake
    CUDA PyTorch TensorFlow NumPy SciPy pandas OpenSSL OpenGL OpenCL Vulkan DirectX Bluetooth USB HDMI
    TLS SSL HTTP Excel Photoshop Blender GIMP Unreal Emacs Vim Apache Nginx Drupal WordPress""")
#: Words before numbers of which each part counts by itself: "release 1.10" comes after 1.9.
_VERSIONS: Final = word_set(
    "version release build firmware kernel section chapter clause paragraph rule exercise"
)


def _model(match: re.Match[str]) -> str | None:
    """A model and its make: "747-400", said in the names that people say numbers of things by."""
    before = word_before(match.string, match.start())
    if before not in _MAKERS and not _names_a_model(match, before):
        return None
    return f"{number_in_name(match['a'])}, {w.integer(match['b'])}"


def _names_a_model(match: re.Match[str], before: str) -> bool:
    """Whether two numbers behind a name, of which the second is less, are neither a range nor a score."""
    first, last = int(match["a"]), int(match["b"])
    return (
        before[:1].isupper()
        and not is_plural(word_after(match.string, match.end()))
        and before not in STARTERS
        and before not in _NO_MODELS
        and not is_sentence_start(match.string, match.start() - 1 - len(before))
        and first >= _LEAST_MODEL
        and first > last
        and not SPORT.intersection(words_before(match.string, match.start())[-8:])
    )


def _number_of_maker(match: re.Match[str]) -> str | None:
    text = match.string
    if word_before(text, match.start()) not in _MAKERS or is_plural(word_after(text, match.end())):
        return None
    return number_in_name(match["n"])


#: Other versions before it: "Python 3.11, 3.12 and 3.13".
_ROW: Final = re.compile(r"(?<=[a-zA-Z] )(?:\d{1,4}\.\d{1,4}(?:,| and| or|, and|, or| to) )+$")


def _version(match: re.Match[str]) -> str | None:
    row = _ROW.search(match.string, max(0, match.start() - 40), match.start())
    before = word_before(match.string, row.start() if row else match.start())
    if before not in _PROGRAMS and before.lower().removesuffix("s") not in _VERSIONS:
        return None
    return " point ".join(w.integer(part) for part in match[0].split("."))


def _many_of_maker(match: re.Match[str]) -> str | None:
    if word_before(match.string, match.start()) not in _MAKERS:
        return None
    return w.plural(number_in_name(match["n"]))


def _lettered_model(match: re.Match[str]) -> str:
    return f"{spelled(match['l'])} {number_in_name(match['a'])}, {w.integer(match['b'])}"


#: Letters and two numbers: "A320-200".
LETTERED_MODELS: Final = (
    TokenRule(
        "name",
        r"(?<![\w@#/.-])(?P<l>[A-Z]{1,3})-?(?P<a>\d{3})-(?P<b>\d{2,3})(?![\w-]|[.,]\d)",
        _lettered_model,
    ),
)
MODELS: Final = (
    TokenRule("name", r"(?<=[a-zA-Z] )(?P<n>\d{3})s(?![\w'’])", _many_of_maker),
    TokenRule("name", r"(?<=[a-zA-Z] )(?P<a>\d{3})-(?P<b>\d{1,3})(?![\w-]|[.,]\d|%)", _model),
    TokenRule(
        "name", r"(?<=[a-zA-Z] )(?P<n>\d{3})(?![\w%°$€£'’]|[.,:/-]\d| ?[-–] ?\d)", _number_of_maker, bare=True
    ),
    TokenRule(
        "version", r"(?<=[a-zA-Z,] )\d{1,4}\.\d{1,4}(?![\w%°$€£/:]|[.,]\d|[-–]\d| ?[x×])", _version, bare=True
    ),
)
