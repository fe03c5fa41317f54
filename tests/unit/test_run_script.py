"""`./run` (Q24) and the Makefile (Q23): an environment that makes itself, and recipes that stay silent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.unit.small_project import ROOT, Project, make_environment

INSTALLS_OF_BASE = 3  # its packages, the build tools, the project

OLD_PYTHON = f"""#!/bin/sh
exec {sys.executable} -c 'import sys; sys.version_info = (3, 10, 9); exec(sys.argv[1])' "$2"
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("made") / "environment")


@pytest.fixture
def project(tmp_path: Path, environment: Path) -> Project:
    return Project(tmp_path, environment)


class TestRun:
    def test_makes_the_environment_and_runs_the_command_in_it(self, project: Project) -> None:
        status, out, err = project.run("python", "-c", "import sys; print(sys.prefix)")
        assert (status, out) == (0, f"{project.root}/.venv\n")
        assert err == f"run: installing into {project.root}/.venv, once; this takes about a minute\n"

    def test_installs_only_what_is_hashed_and_then_the_project(self, project: Project) -> None:
        project.run("true")
        base, build, ours = project.installs()
        assert "--require-hashes" in base
        assert base.endswith("requirements/base.txt")
        assert "--require-hashes" in build
        assert build.endswith("requirements/build.txt")
        assert "--no-deps --no-build-isolation --editable" in ours

    def test_the_second_time_installs_nothing_and_says_nothing(self, project: Project) -> None:
        project.run("true")
        assert project.run("echo", "hello") == (0, "hello\n", "")
        assert len(project.installs()) == INSTALLS_OF_BASE

    def test_gives_the_commands_own_status_and_arguments(self, project: Project) -> None:
        project.run("true")
        assert project.run("sh", "-c", 'echo "$1"; exit 7', "sh", "two words")[:2] == (7, "two words\n")

    def test_stays_in_the_callers_folder(self, project: Project) -> None:
        assert project.run("pwd")[1] == f"{project.cwd}\n"

    def test_changed_requirements_are_installed_into_it(self, project: Project) -> None:
        project.run("true")
        kept = project.root / ".venv" / "kept"
        kept.touch()
        project.pin("base", "base==2", "voice==2")
        project.pin("synth", "voice==2")
        project.run("true")
        assert len(project.installs()) == 2 * INSTALLS_OF_BASE
        assert kept.exists()

    def test_a_half_made_environment_is_made_anew(self, project: Project) -> None:
        left = project.root / ".venv" / "bin"
        left.mkdir(parents=True)
        (left / "left").touch()
        assert project.run("echo", "fine")[1] == "fine\n"
        assert not (left / "left").exists()

    @pytest.mark.parametrize("is_update", [False, True], ids=["the first", "an update"])
    def test_an_installation_killed_in_the_middle_is_made_anew(
        self, project: Project, is_update: bool
    ) -> None:
        if is_update:
            project.run("true")
            project.pin("base", "base==2", "voice==2")
            project.pin("synth", "voice==2")
        project.kill_in_the_middle()
        left = project.root / ".venv" / "left"
        left.touch()
        before = len(project.installs())

        assert project.run("echo", "fine")[:2] == (0, "fine\n")

        assert not left.exists()
        assert len(project.installs()) == before + INSTALLS_OF_BASE

    def test_a_moved_folder_gets_an_environment_of_its_own(self, project: Project) -> None:
        project.run("true")
        project.root = project.root.rename(project.root.with_name("moved"))
        assert project.run("python", "-c", "import sys; print(sys.prefix)")[1] == f"{project.root}/.venv\n"
        assert len(project.installs()) == 2 * INSTALLS_OF_BASE

    def test_two_at_once_install_once(self, project: Project) -> None:
        both = [project.start("echo", "fine") for _ in range(2)]
        assert [process.communicate(timeout=60)[0] for process in both] == ["fine\n", "fine\n"]
        assert len(project.installs()) == INSTALLS_OF_BASE

    def test_the_tests_environment_serves_users_but_not_the_reverse(self, project: Project) -> None:
        project.run("true")
        project.run("true", RUN_REQUIREMENTS="dev")
        project.run("true")
        assert project.files_installed() == ["base.txt", "dev.txt"]

    def test_shows_pips_words_only_when_it_fails(self, project: Project) -> None:
        fail = Path(f"{project.log}.fail")
        fail.touch()
        status, out, err = project.run("true")
        assert (status, out) == (78, "")
        assert "no network here\n" in err
        assert err.endswith("mend what is said above and run the command again\n")
        fail.unlink()
        assert project.run("true")[0] == 0

    def test_an_old_python_is_passed_over_and_none_is_one_sentence(self, project: Project) -> None:
        needed = ["dirname", "cat", "cksum", "tr", "grep", "mktemp", "rm", "mv", "sh"]
        for tool in needed:
            (project.tools / tool).symlink_to(str(shutil.which(tool)))
        project.add_python(OLD_PYTHON)
        status, out, err = project.run("true", PATH=str(project.tools))
        assert (status, out) == (78, "")
        assert err.startswith("run: Python 3.11 or later is needed and was not found; ")
        assert err.count("\n") == 1

    def test_a_python_without_venv_is_one_sentence(self, project: Project) -> None:
        project.add_python(
            f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n'
        )
        status, _, err = project.run("true")
        assert status == 78
        assert "has no venv module; install it (Debian and Ubuntu: apt install python3-venv)\n" in err

    def test_a_command_that_does_not_exist_is_one_sentence_with_the_programs(self, project: Project) -> None:
        project.run("true")
        status, out, err = project.run("job-runer", "plan")
        assert (status, out, err.count("\n")) == (127, "", 1)
        assert err.startswith("run: there is no command job-runer; ")
        scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        assert all(program in err for program in scripts)

    @pytest.mark.parametrize("depth", [1, 2])
    def test_works_through_links_from_another_folder(self, project: Project, depth: int) -> None:
        elsewhere = project.root.parent / "else where"
        elsewhere.mkdir()
        (elsewhere / "link 1").symlink_to(project.root / "run")
        (elsewhere / "link 2").symlink_to("link 1")
        done = subprocess.run(
            [f"./link {depth}", "python", "-c", "import sys, os; print(sys.prefix, os.getcwd())"],
            cwd=elsewhere,
            env=project.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout == f"{project.root}/.venv {elsewhere}\n"

    def test_a_python_may_have_a_space_in_its_path(self, project: Project) -> None:
        python = project.tools / "my python"
        (project.tools / "python3").rename(python)
        project.add_python(OLD_PYTHON)
        assert project.run("echo", "fine", PYTHON=str(python))[1] == "fine\n"
        assert project.installs()

    def test_an_environment_of_another_user_is_left_alone(self, environment: Path) -> None:
        folder = Path(tempfile.mkdtemp())  # where every user may go
        try:
            folder.chmod(0o755)
            project = Project(folder, environment)
            theirs = project.root / ".venv" / "theirs"
            theirs.mkdir(parents=True)
            theirs.parent.chmod(0o555)
            nobody = 65534 if os.geteuid() == 0 else None  # root may write anywhere
            done = subprocess.run(
                [str(project.root / "run"), "true"],
                env=project.environ,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                user=nobody,
            )
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
            assert f"{project.root}/.venv cannot be written by " in done.stderr
            assert theirs.exists()
        finally:
            (folder / "a project" / ".venv").chmod(0o755)
            shutil.rmtree(folder)

    def test_without_a_command_says_how_to_use_it(self, project: Project) -> None:
        status, _, err = project.run()
        assert status == 2
        assert err.startswith("usage: ./run COMMAND")


RECIPES = [
    ("jobs-plan FILE=my.yaml", "plan my.yaml"),
    ("jobs-plan", "plan jobs.example.yaml"),
    ("jobs-enqueue FILE=my.yaml ARGS=--wait", "enqueue my.yaml --wait"),
    ("jobs-status ARGS=--json", "status --json"),
    ("jobs-history ARGS=--limit=5", "history --limit=5"),
    ("jobs-result ID=topic:beat-001 ARGS=--json", "result topic:beat-001 --json"),
    ("jobs-report FILE=my.yaml ARGS=--json", "report my.yaml --json"),
    ("jobs-retry ID=topic:beat-001 ARGS=--yes", "retry topic:beat-001 --yes"),
    ("jobs-flush ARGS=--hard", "flush --hard"),
]


class TestMake:
    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--no-print-directory", *words]
        told = ("ARGS", "FILE", "ID", "MFLAGS", "RUN", "WATCH")  # by a make that runs these tests
        environ = {
            name: value
            for name, value in os.environ.items()
            if name not in told and not name.startswith("MAKE")
        }
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    @pytest.mark.parametrize(("words", "command"), RECIPES)
    def test_a_recipe_is_silent_and_runs_just_its_command(self, words: str, command: str) -> None:
        done = self.make(*words.split(), "RUN=echo")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"job-runner {command}\n"

    def test_what_an_outer_make_was_told_does_not_arrive(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"ARGS": "-x", "MAKEFLAGS": "-- ARGS=-x", "FILE": "other.yaml"}.items():
            monkeypatch.setenv(name, value)
        assert self.make("jobs-plan", "RUN=echo").stdout == "job-runner plan jobs.example.yaml\n"

    @pytest.mark.parametrize("target", ["jobs-result", "jobs-retry"])
    def test_a_missing_id_is_a_sentence(self, target: str) -> None:
        done = self.make(target, "RUN=echo")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"make {target} needs ID=" in done.stderr

    def test_help_lists_every_target_for_people(self) -> None:
        listed = {line.split()[0] for line in self.make().stdout.splitlines()}
        jobs = [
            "plan",
            "enqueue",
            "status",
            "history",
            "result",
            "report",
            "retry",
            "flush",
            "dashboard",
            "logs",
        ]
        assert {"help", "check", "test", "soak", "format", "lock", "bench"} <= listed
        assert {f"jobs-{name}" for name in jobs} <= listed
