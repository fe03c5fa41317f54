"""Each program brings its own set of packages when `./run` first runs it (Q24)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.unit.small_project import ROOT, SETS, Project, make_environment


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("made") / "environment")


@pytest.fixture
def project(tmp_path: Path, environment: Path) -> Project:
    return Project(tmp_path, environment)


class TestTheSetOfAProgram:
    """Each program brings what it needs itself, when it is first run."""

    @pytest.mark.parametrize(
        ("command", "brought"),
        [
            ("job-runner plan", "base"),
            ("job-runner", "base"),
            ("job-runner up jobs.yaml", "watcher"),  # which starts a watcher
            ("job-runner up --console", "console"),  # and the console
            ("job-runner up jobs.yaml --console --json", "console"),
            ("job-watcher run", "watcher"),
            ("job-watcher", "watcher"),
            ("job-watcher rehearse jobs.yaml", "vast"),
            ("job-pipeline demo", "pipeline"),
            ("job-console serve", "console"),
            ("voice-synth work", "synth"),
            ("image-synth generate fog", "images"),
            ("video-synth assemble t.json -o t.mp4", "video"),
            ("image-synth generate fog --sync --out fog.png", "imagen"),
            ("image-synth worker --once", "imagen"),
            ("image-synth init-db", "imagen"),
            ("job-runner join jobs.yaml --out show.mp3", "base"),
            ("job-runner join jobs.yaml --out show.m4b", "join"),
            ("voice-synth join list.json --out=show.m4a", "join"),
            ("voice-synth join list.json --out=show.wav", "synth"),
            ("python", "base"),
        ],
    )
    def test_is_what_a_bare_machine_gets(self, project: Project, command: str, brought: str) -> None:
        project.run(*command.split())
        assert project.files_installed() == [f"{brought}.txt"]
        assert "--editable" in project.installs()[-1]

    @pytest.mark.parametrize(
        ("environment_says", "file_says", "brought"),
        [
            ("vast", None, "vast"),
            (None, "PROVIDER=vast\n", "vast"),
            (None, 'A=1\nexport PROVIDER="vast"\n', "vast"),
            (None, "#PROVIDER=vast\n", "watcher"),
            ("local", "PROVIDER=vast\n", "watcher"),
        ],
    )
    def test_of_whoever_rents_has_the_sdk(
        self, project: Project, environment_says: str | None, file_says: str | None, brought: str
    ) -> None:
        if file_says is not None:
            (project.cwd / ".env").write_text(file_says)
        project.run(
            "job-watcher", "run", **({} if environment_says is None else {"PROVIDER": environment_says})
        )
        assert project.files_installed() == [f"{brought}.txt"]

    def test_is_added_when_it_is_first_run_and_nothing_else_is_touched(self, project: Project) -> None:
        project.run("true")
        kept = project.root / ".venv" / "kept"
        kept.touch()
        before = len(project.installs())

        err = project.run("job-watcher", "run")[2]

        assert project.files_installed() == ["base.txt", "watcher.txt"]
        assert "--require-hashes" in project.installs()[-1]
        assert len(project.installs()) == before + 1
        assert kept.exists()
        assert err == f"run: adding the packages of requirements/watcher.txt to {project.root}/.venv, once\n"
        assert project.run("job-watcher", "run") == (0, "", "")
        assert len(project.installs()) == before + 1

    def test_that_another_set_covers_is_there_already(self, project: Project) -> None:
        project.run("job-runner", "up")
        for command in ("job-watcher", "job-runner", "voice-synth"):
            project.run(command)
        assert project.files_installed() == ["watcher.txt"]

    def test_of_a_demo_that_speaks_is_followed_by_that_of_its_watcher(self, project: Project) -> None:
        project.run("job-pipeline", "demo", "--allow-placeholders", "--dag", "factory")
        assert project.files_installed() == ["pipeline.txt", "watcher.txt"]

    def test_of_the_large_voice_has_an_environment_of_its_own_with_what_the_program_needs(
        self, project: Project
    ) -> None:
        project.run("job-runner", RUN_REQUIREMENTS="qwen")
        project.run("job-watcher", "run", RUN_REQUIREMENTS="qwen")
        project.run("voice-synth", "work", RUN_REQUIREMENTS="qwen")

        assert project.files_installed() == ["qwen.txt", "base.txt", "watcher.txt"]
        assert (project.root / ".venv-qwen").is_dir()
        assert not (project.root / ".venv").exists()

    @pytest.mark.parametrize(
        ("environment_says", "file_says"), [("espeak", None), (None, "VOICE_ENGINE='espeak'  # for German\n")]
    )
    def test_of_the_voice_by_rules_is_added_where_the_settings_name_it(
        self, project: Project, environment_says: str | None, file_says: str | None
    ) -> None:
        if file_says is not None:
            (project.cwd / ".env").write_text(file_says)
        named = {} if environment_says is None else {"VOICE_ENGINE": environment_says}
        project.run("job-runner", "up", **named)
        project.run("voice-synth", "work", **named)

        assert project.files_installed() == ["watcher.txt", "espeak.txt"]
        assert not (project.root / ".venv-qwen").exists()

    @pytest.mark.parametrize("file_says", ["#VOICE_ENGINE=espeak\n", "VOICE_ENGINE=espeakers\n", ""])
    def test_of_the_voice_by_rules_is_not_added_otherwise(self, project: Project, file_says: str) -> None:
        (project.cwd / ".env").write_text(file_says)
        project.run("voice-synth", "work")
        (project.cwd / ".env").write_text("VOICE_ENGINE=espeak\n")
        project.run("voice-synth", "work", VOICE_ENGINE="hibari")  # which goes first

        assert project.files_installed() == ["synth.txt"]

    def test_of_the_voice_by_rules_comes_by_its_name_with_what_the_program_needs(
        self, project: Project
    ) -> None:
        project.run("job-runner", "plan", RUN_REQUIREMENTS="espeak")

        assert project.files_installed() == ["base.txt", "espeak.txt"]

    def test_of_the_tests_serves_every_program(self, project: Project) -> None:
        project.run("true", RUN_REQUIREMENTS="dev")
        for command in ("job-watcher", "job-runner", "voice-synth"):
            project.run(command)
        assert project.files_installed() == ["dev.txt"]

    @pytest.mark.parametrize("how", ["failed", "killed"])
    def test_that_could_not_be_added_leaves_the_others_usable(self, project: Project, how: str) -> None:
        project.run("true")
        if how == "killed":
            project.kill_in_the_middle("job-watcher")
        else:
            fail = Path(f"{project.log}.fail")
            fail.touch()
            assert project.run("job-watcher")[0] == 78
            fail.unlink()
        before = len(project.installs())

        assert project.run("echo", "fine") == (0, "fine\n", "")
        assert len(project.installs()) == before
        project.run("job-watcher")
        assert project.files_installed()[-1] == "watcher.txt"
        assert len(project.installs()) == before + 1

    def test_is_added_anew_where_pip_was_killed_over_a_package(self, project: Project) -> None:
        project.run("true")
        whole, half = (project.environment_folder() / f"{name}-1.dist-info" for name in ("whole", "half"))
        for info in (whole, half):
            info.mkdir()
            (info / "METADATA").touch()
        (whole / "RECORD").touch()

        project.run("job-watcher")

        assert whole.exists()
        assert not half.exists()

    def test_that_is_older_than_its_pins_is_no_longer_there_though_they_come_back(
        self, project: Project
    ) -> None:
        project.run("job-watcher")
        project.pin("watcher", "base==1", "voice==1", "sql==2")
        project.kill_in_the_middle("job-watcher")
        project.pin("watcher", "base==1", "voice==1", "sql==1")
        before = len(project.installs())

        project.run("job-watcher")

        assert len(project.installs()) == before + 1

    def test_an_environment_that_uv_was_in_is_made_anew(self, project: Project) -> None:
        # `uv sync` takes newer versions than the pinned ones and leaves the stamp as it is.
        project.run("true")
        (project.root / ".venv" / ".lock").touch()

        project.run("true")

        assert project.files_installed() == ["base.txt", "base.txt"]
        assert not (project.root / ".venv" / ".lock").exists()

    def test_that_does_not_exist_is_one_sentence_with_those_that_do(self, project: Project) -> None:
        status, out, err = project.run("true", RUN_REQUIREMENTS="test")
        assert (status, out, err.count("\n")) == (78, "", 1)
        assert all(name in err for name in SETS)

    def test_exists_for_every_program_and_is_written_by_the_lock_script(self) -> None:
        scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        table = (ROOT / "run").read_text().partition("set_of() {")[2].partition("esac")[0]
        sets = dict(re.findall(r'"([\w-]+) [^"]*"\*?\) echo (\w+)', table))
        assert (
            {"job-watcher", "job-pipeline", "voice-synth", "image-synth", "video-synth"}
            <= set(sets)
            <= set(scripts)
        )
        locked = re.findall(r"(?m)^lock (\w+)", (ROOT / "requirements/lock").read_text())
        assert {*sets.values(), "base"} < set(locked)
        assert set(locked) == {path.stem for path in (ROOT / "requirements").glob("*.txt")}
