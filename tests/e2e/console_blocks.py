"""Runs the ```console blocks of a documentation page and holds their output against what the page shows.

    python tests/e2e/console_blocks.py            # compare every page that has such blocks
    python tests/e2e/console_blocks.py --write    # write the output into the pages that differ
    python tests/e2e/console_blocks.py --write docs/how-to/operate.md    # only this one

All blocks of a page run in order in one new home with `jobs.example.yaml` and its texts in the current
folder. A block's lines that begin with `$ ` are commands; what follows up to the next command is the
output (both streams). `<!-- file: NAME -->` writes the next block into a file, `<!-- run: COMMAND -->` runs
something that the reader need not see. What changes from run to run (times, durations, process ids, hashes,
folders) is masked on both sides before comparing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
HOME_SHOWN = "/home/ada"
_STEP = re.compile(
    r"<!-- run: (?P<hidden>.+?) -->"
    r"|<!-- file: (?P<name>\S+) -->\n+```\w+\n(?P<text>.*?)```"
    r"|```console\n(?P<block>.*?)```",
    re.DOTALL,
)
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "HASH"),
    (re.compile(r"[\w.-]+-\d+-[0-9a-f]{8}"), "WATCHER"),
    (re.compile(r"/\S*/redis-\w+\.sock"), "SOCKET"),
    (re.compile(r"~?\d+(\.\d+)? ?(s|ms|m\d\ds|KiB|MiB|GiB|B)\b"), "QUANTITY"),
    (re.compile(r"\d+\.\d+|\d{5,}|\d+ of \d+ pieces"), "NUMBER"),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"─+"), "─"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A command whose output is not what the page shows."""

    command: str
    shown: str
    found: str

    def __str__(self) -> str:
        return f"$ {self.command}\n--- the page shows\n{self.shown}\n--- it printed\n{self.found}\n"


class Session:
    """A reader's terminal: an empty home, the example file, the project's programs on the path."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.home = folder / "home"
        self.desk = self.home / "show"
        self.desk.mkdir(parents=True)
        shutil.copy(ROOT / "jobs.example.yaml", self.desk)
        shutil.copytree(ROOT / "narration", self.desk / "narration")
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        path = f"{programs}:{PROGRAMS}:/usr/bin:/bin"
        # One worker: of several, which job ends first is another one each time.
        one = {"LOCAL_WORKERS": "1"}
        self.environ = {**kept, **one, "HOME": str(self.home), "PATH": path, "COLUMNS": "100"}

    def run(self, command: str) -> str:
        """Both streams, in the order a terminal would show them."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.desk,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout.replace(str(self.home), HOME_SHOWN).rstrip("\n")

    def close(self) -> None:
        """Stop the embedded server of this home."""
        self.run("job-runner down")


def masked(text: str) -> str:
    """`text` without what differs between two runs."""
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return "\n".join(line.strip() for line in text.splitlines()).strip()


def commands_of(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with the output shown after it."""
    command, shown = None, []  # type: str | None, list[str]
    for line in block.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(shown)
            command, shown = line[2:], []
        else:
            shown.append(line)
    if command is not None:
        yield command, "\n".join(shown)


def run_page(page: str, programs: Path = PROGRAMS) -> tuple[str, list[Difference]]:
    """Run a page's blocks with the programs of that folder.

    Returns the page with its true output, and what differed.
    """
    differences: list[Difference] = []
    with tempfile.TemporaryDirectory(prefix="jr-docs-") as folder:
        session = Session(Path(folder), programs)

        def step(match: re.Match[str]) -> str:
            if match["name"]:
                (session.desk / match["name"]).write_text(match["text"], encoding="utf-8")
                return match[0]
            if match["hidden"]:
                session.run(match["hidden"])
                return match[0]
            lines = []
            for command, shown in commands_of(match["block"]):
                found = session.run(command)
                if masked(found) != masked(shown):
                    differences.append(Difference(command, shown, found))
                lines += [f"$ {command}", *([found] if found else [])]
            return "```console\n" + "\n".join(lines) + "\n```"

        try:
            return _STEP.sub(step, page), differences
        finally:
            session.close()


def all_pages() -> list[Path]:
    """Every page with console blocks, by name."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("job_runner/*.md")]
    return sorted(path for path in found if "```console" in path.read_text(encoding="utf-8"))


def main(words: list[str]) -> int:
    """Compare or write pages; the exit status is 1 when a page differs and was not written."""
    write, status = "--write" in words, 0
    for path in [Path(word) for word in words if not word.startswith("-")] or all_pages():
        page, differences = run_page(path.read_text(encoding="utf-8"))
        if not differences:
            continue
        print(f"{path}:\n" + "\n".join(map(str, differences)))
        if write:
            path.write_text(page, encoding="utf-8")
        else:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
