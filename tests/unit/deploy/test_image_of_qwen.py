"""The image of the engine qwen3, as its file says it: no container is built here, so nothing of it ran."""

from __future__ import annotations

import re

from lib.bundle import requirements_text
from lib.bundle.machine_facts import NEWEST_PYTHON, OLDEST_PYTHON
from lib.voices import engine_facts
from tests.unit.deploy.test_image import stages, the
from tests.unit.deploy.tools import DEPLOY, ROOT, output_of, tool

FILE = "Dockerfile.qwen"
VENV = "/app/.venv-qwen"


def settings_of(stage: str) -> dict[str, str]:
    """What the stage's ENV sets."""
    return dict(word.split("=", 1) for word in the(stage, "ENV", FILE).split())


def test_its_packages_are_the_engines_own_set_by_their_hashes() -> None:
    (install,) = (line for line in stages(FILE)["environment"] if line.startswith("RUN"))

    assert "RUN_REQUIREMENTS=qwen ./run job-watcher --version" in install
    assert engine_facts("qwen3").requirements == "qwen"
    assert f"venv=$root/{VENV.removeprefix('/app/')}" in (ROOT / "run").read_text(encoding="utf-8")
    assert "pip install" not in "".join(line for lines in stages(FILE).values() for line in lines)


def test_a_watcher_over_ssh_finds_the_program_in_its_environment() -> None:
    """`lib.bundle.image` compares what lies in the environment of the program that is found by its name."""
    links = [line for line in stages(FILE)["machine"] if "ln -s" in line]

    assert links == [f"RUN ln -s {VENV}/bin/voice-synth /usr/local/bin/voice-synth"]


def test_the_program_is_process_1_and_knows_its_environment() -> None:
    assert the("machine", "USER", FILE) == "10001:10001"
    assert the("machine", "ENTRYPOINT", FILE) == '["/app/run"]'
    assert the("machine", "HEALTHCHECK", FILE).endswith('CMD ["/app/deploy/probe", "livez"]')
    told = settings_of("machine")
    assert (told["RUN_REQUIREMENTS"], told["VOICE_ENGINE"], told["LOCAL_WORKERS"]) == ("qwen", "qwen3", "1")


def test_no_weights_get_into_what_is_built_when_nothing_is_named() -> None:
    assert list(stages(FILE))[-1] == "qwen"
    assert stages(FILE)["qwen"] == ["FROM machine AS qwen"]
    assert settings_of("with-weights") == {engine_facts("qwen3").weights_setting: "/models"}


def test_python_and_cuda_are_those_of_the_set() -> None:
    """The image has no CUDA of its own: the packages of torch bring what the driver must be able to run."""
    (found,) = re.findall(r"^ARG PYTHON_IMAGE=python:3\.(\d+)-", (DEPLOY / FILE).read_text(), re.MULTILINE)
    assert OLDEST_PYTHON <= (3, int(found)) <= NEWEST_PYTHON
    (brought,) = re.findall(r"^cuda-toolkit==(\d+\.\d+)\.", requirements_text("qwen"), re.MULTILINE)
    assert float(brought) == engine_facts("qwen3").least_cuda


def test_hadolint_finds_nothing() -> None:
    assert output_of(tool("hadolint"), DEPLOY / FILE) == ""
