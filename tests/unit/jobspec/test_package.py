"""What importing costs, and what the documentation says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lib.jobspec import load_job_file
from lib.jobspec.reference import fields_table

ROOT = Path(__file__).parents[3]


def test_importing_brings_neither_yaml_nor_redis_nor_pydantic() -> None:
    """Q1: an API that takes jobs as JSON pays for no YAML parser."""
    script = (
        "import lib.jobspec, sys; print(sorted({'yaml', 'redis', 'pydantic', 'typer'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )

    assert done.stdout.strip() == "[]"


def test_the_documented_table_is_the_one_that_validates() -> None:
    page = (ROOT / "docs/reference/jobs-yaml.md").read_text(encoding="utf-8")

    table = page.split("<!-- fields -->\n")[1].split("<!-- end of fields -->")[0]
    assert table == fields_table()


def test_the_example_is_valid_and_has_what_it_promises() -> None:
    """Q8: its first line tells editors where the schema is."""
    path = ROOT / "jobs.example.yaml"
    specs = {spec.output_name: spec for spec in load_job_file(path).specs}

    assert path.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=docs/reference/jobs.schema.json\n"
    )
    assert (ROOT / "docs/reference/jobs.schema.json").is_file()
    assert len(specs) >= 8
    assert len({name.split("/")[0] for name in specs}) == 2
    assert specs["topic/beat-001"].voice == "newsroom"
    assert (specs["topic/beat-002"].speaker, specs["topic/beat-002"].voice) == ("Ryan", None)
    assert "text_file: " in path.read_text(encoding="utf-8")
