"""The program of the sample commands; a process of its own imports no test library with it."""

from __future__ import annotations

from lib.cli.program import CommandEntry, Program

SAMPLE = "tests.unit.cli.sample"
MISSING = ("extra", "foreign", "ours")
ENDS = ("bad", "said", "crash", "full", "refused", "lost", "long", "broken", "interrupt", "stop", "leave")
ENTRIES = (
    CommandEntry("greet", SAMPLE + ":command", "Greet someone."),
    CommandEntry("more", SAMPLE, "Further commands.", "Groups"),
    CommandEntry("read", SAMPLE + ":read", "Read a file."),
    CommandEntry("status", "lib.cli.no_such_module", "Not here."),
    *(CommandEntry(name, f"{SAMPLE}:{name}", f"End: {name}.", "Ends") for name in (*ENDS, *MISSING)),
)
EXAMPLES = ("sample greet --name ann",)
PROGRAM = Program("sample", "A program for tests.", "1.2.3", ENTRIES, examples=EXAMPLES)
