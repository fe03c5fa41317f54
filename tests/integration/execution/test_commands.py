"""compile, execute-manifest and run as a user meets them, with a quick engine but where speech counts."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests import warm
from tests.integration.execution.conftest import Machine, audio

_THREE = (
    {"output_name": "a/one", "text": "This is the first."},
    {"output_name": "a/two", "text": "This is the second.", "format": "flac"},
    {"output_name": "three", "text": "This is the third."},
)


def _three(machine: Machine, **changes: Any) -> Path:
    return machine.jobs(*({**job, **changes} for job in _THREE))


class TestCompileAndExecute:
    def test_the_audio_lies_where_the_manifest_says(self, machine: Machine, tmp_path: Path) -> None:
        """Q11, Q12. The third is real speech, of the engine that its voice names."""
        jobs = machine.jobs(*_THREE[:2], {**_THREE[2], "voice": "newsroom", "speaker": None})
        machine.run("compile", jobs, "--out", "out")
        ended = machine.run("execute-manifest", "out/manifest.json", "--json")

        assert sorted(audio(tmp_path / "out")) == ["a/one.wav", "a/two.flac", "three.wav"]
        assert set(ended.states().values()) == {"done"}
        for job in ended.json["jobs"]:
            assert job["attempts"] == 1
            assert job["work_seconds"] > 0
            assert job["error"] is None
            info = soundfile.info(str(tmp_path / "out" / job["file"]))
            assert info.duration == pytest.approx(job["audio_seconds"], abs=0.01)
            record = json.loads((tmp_path / "out" / job["output_name"] / "result.json").read_text())
            assert record["sha256"] == job["sha256"]

    def test_the_record_on_disk_is_the_one_printed_and_latest_points_to_it(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        """Q12."""
        ended = machine.run("run", _three(machine), "--out", "out", "--json")

        on_disk = json.loads((tmp_path / "out/execution.json").read_text())
        assert {**on_disk, "pages": ["out/a/listen.html", "out/listen.html"]} == ended.json
        assert json.loads((machine.data / "executions/latest").read_text()) == on_disk
        assert on_disk["totals"] == {
            **{"jobs": 3, "waiting": 0, "running": 0, "done": 3, "skipped": 0, "failed": 0}
        }

    def test_what_is_done_for_the_same_inputs_is_skipped(self, machine: Machine, tmp_path: Path) -> None:
        """Q12."""
        machine.run("run", _three(machine), "--out", "out")
        before = machine.spoken()
        (tmp_path / "out").rename(tmp_path / "moved")  # a moved folder stays what it is

        again = machine.run("execute-manifest", "moved", "--json")

        assert set(again.states().values()) == {"skipped"}
        assert machine.spoken() == before
        assert again.json["jobs"][0]["sha256"] is not None

    def test_what_is_gone_harmed_or_changed_is_spoken_again(self, machine: Machine, tmp_path: Path) -> None:
        machine.run("run", _three(machine), "--out", "out")
        (tmp_path / "out/a/one.wav").write_bytes(b"")
        changed = machine.jobs(*_THREE[:2], {**_THREE[2], "text": "This is new."})

        again = machine.run("run", changed, "--out", "out", "--json")

        assert again.states() == {"a:one": "done", "a:two": "skipped", "three": "done"}

    def test_force_speaks_everything_again(self, machine: Machine) -> None:
        machine.run("run", _three(machine), "--out", "out")
        again = machine.run("run", _three(machine), "--out", "out", "--force", "--json")

        assert set(again.states().values()) == {"done"}
        assert set(machine.spoken().values()) == {2}

    def test_several_workers_speak_each_job_once(self, machine: Machine, tmp_path: Path) -> None:
        jobs = machine.jobs(*({"output_name": f"n{i}", "text": f"Number {i}."} for i in range(12)))
        machine.run("run", jobs, "--out", "out", "--jobs", "2")

        assert len(audio(tmp_path / "out")) == 12
        assert set(machine.spoken().values()) == {1}

    def test_a_run_leaves_nothing_but_its_results(self, machine: Machine, tmp_path: Path) -> None:
        machine.run("run", _three(machine), "--out", "out")

        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            *("a", "three", "three.wav", "three.peaks.json", "manifest.json", "execution.json"),
            *("three.srt", "three.vtt", "three.captions.json", "listen.html"),
        }


@pytest.mark.parametrize("audio_format", ["wav", "flac", "mp3", "opus"])
def test_the_argv_of_the_manifest_gives_the_same_audio_as_the_spool(
    machine: Machine, tmp_path: Path, audio_format: str
) -> None:
    """Q11, V9: one builder makes both."""
    machine.environ["VOICE_ENGINE"] = "hibari"
    text = "The same words, in “two” ways.\nAnd a second line: naïve, 3.5 %."
    jobs = machine.jobs(
        {"output_name": "x/y", "text": text, "format": audio_format, "variants": 2, "seed": 5}
    )
    machine.run("run", jobs, "--out", "spool")
    machine.run("compile", jobs, "--out", "direct")
    argv = json.loads((tmp_path / "direct/manifest.json").read_text())["jobs"][0]["argv"]
    assert argv[:2] == ["voice-synth", "speak"]

    call, folder = warm.CALLS["voice-synth"], tmp_path / "direct"
    ended = warm.run(argv, call, cwd=folder, environ=machine.environ, timeout_s=60)
    assert ended.returncode == 0, ended.stderr

    one, other = (
        {p.name: p.read_bytes() for p in (tmp_path / place / "x").glob("y.*")}
        for place in ("spool", "direct")
    )
    assert set(one) == {
        f"y{take}.{suffix}"
        for take in ("", ".take-02")
        for suffix in (audio_format, "peaks.json", "srt", "vtt", "captions.json")
    }
    assert one == other
    assert len(soundfile.read(str(tmp_path / "spool/x" / f"y.{audio_format}"))[0]) > 24_000


class TestWhenSomethingIsWrong:
    def test_a_failed_job_is_listed_and_the_others_are_done(self, machine: Machine) -> None:
        jobs = machine.jobs(*_THREE[:2], {"output_name": "bad", "text": "Please refuse.", "max_attempts": 2})

        ended = machine.run("run", jobs, "--out", "out", "--json", status=1)

        assert ended.states() == {"a:one": "done", "a:two": "done", "bad": "failed"}
        assert ended.json["state"] == "failed"
        bad = ended.json["jobs"][2]
        assert (bad["attempts"], bad["error_class"], bad["file"]) == (2, "engine", None)
        assert "bad failed: The engine refuses this text" in ended.err

    def test_a_job_that_kills_its_worker_twice_is_given_up_and_the_others_are_done(
        self, machine: Machine
    ) -> None:
        jobs = machine.jobs({"output_name": "bad", "text": "Please crash."}, *_THREE)

        ended = machine.run("run", jobs, "--out", "out", "--json", status=1)

        assert ended.states() == {"bad": "failed", "a:one": "done", "a:two": "done", "three": "done"}
        bad = ended.json["jobs"][0]
        assert (bad["attempts"], bad["error_class"]) == (2, "poison")
        assert machine.spoken()["Please crash."] == 2

    def test_a_second_run_on_the_same_manifest_is_refused(self, machine: Machine, tmp_path: Path) -> None:
        """Q12."""
        jobs = machine.jobs(
            *({"output_name": f"n{i}", "text": f"Number {i}{', slowly' * 40}."} for i in range(4))
        )
        first = machine.start("run", jobs, "--out", "out")
        machine.until_spoken(1)
        first.send_signal(signal.SIGSTOP)  # it cannot end before all below is done

        for refused in (["execute-manifest", "out"], ["run", jobs, "--out", "out"]):
            second = machine.run(*refused, status=75)
            assert "Another compile or run works in out" in second.err
        asked = machine.run("execute-manifest", "out", "--dry-run", "--json").json  # which waits for nobody
        assert len(asked["jobs"]) == 4

        first.send_signal(signal.SIGCONT)
        machine.end(first, status=0)

    def test_an_edited_text_is_refused_before_anything_is_spoken(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        machine.run("compile", _three(machine), "--out", "out")
        (tmp_path / "out/a/one/text.txt").write_text("Edited.")

        ended = machine.run("execute-manifest", "out", status=65)

        assert "a/one/text.txt" in ended.err
        assert not machine.spoken()

    def test_voices_and_texts_are_checked_before_anything_is_written_or_spoken(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        jobs = machine.jobs(
            _THREE[0], {"output_name": "x", "text": "你好"}, {"output_name": "y", "text": "Hi."}
        )
        jobs.write_text(jobs.read_text().replace('"Ryan", "output_name": "y"', '"Rian", "output_name": "y"'))

        for extra in ([], ["--dry-run"]):
            ended = machine.run("run", jobs, "--out", "out", *extra, status=65)
            assert "job x: " in ended.err
            assert "job y: " in ended.err
        assert not (tmp_path / "out").exists()

    def test_every_problem_is_told_at_once_by_line(self, machine: Machine) -> None:
        jobs = machine.jobs(
            {"output_name": "x", "text": "Hi.", "speaker": "Nobody"}, {**_THREE[0], "variants": 99}
        )

        ended = machine.run("run", jobs, "--out", "out", status=65)

        assert f"{jobs}:" in ended.err
        assert "Nobody" in ended.err
        assert "99" in ended.err

    def test_words_that_were_left_out_are_told(self, machine: Machine, tmp_path: Path) -> None:
        machine.environ["VOICE_ENGINE"] = "hibari"
        jobs = machine.jobs({"output_name": "x", "text": "Hello 日本, this is snow."})

        ended = machine.run("run", jobs, "--out", "out", "--json")

        assert "日本" in ended.json["jobs"][0]["warnings"][0]
        assert "warning: x: " in ended.err

    def test_a_missing_manifest_is_a_sentence(self, machine: Machine, tmp_path: Path) -> None:
        assert (
            "There is no folder nowhere" in machine.run("execute-manifest", "nowhere/m.json", status=65).err
        )
        assert "cannot be read" in machine.run("execute-manifest", "m.json", status=65).err

    def test_a_worker_that_cannot_run_here_ends_the_run_with_its_words(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        machine.environ["JOB_RUNNER_TEST"] = ""
        place = tmp_path / "engines/counting_engine-1.0.dist-info/entry_points.txt"
        place.write_text(place.read_text().replace("CountingEngine", "Nothing"))

        ended = machine.run("run", _three(machine), "--out", "out", status=69)

        assert "The speech worker ended 5 times in a row" in ended.err
        assert json.loads((tmp_path / "out/execution.json").read_text())["state"] == "interrupted"


class TestSignals:
    @pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
    def test_finished_work_stays_and_the_last_line_says_how_to_go_on(
        self, machine: Machine, tmp_path: Path, number: signal.Signals, status: int
    ) -> None:
        """Q12."""
        jobs = machine.jobs(
            *({"output_name": f"n{i}", "text": f"Number {i}{', slowly' * 3}."} for i in range(14))
        )
        process = machine.start("run", jobs, "--out", "out")
        machine.until_spoken(4)

        process.send_signal(number)
        ended = machine.end(process, status=status)

        record = json.loads((tmp_path / "out/execution.json").read_text())
        assert record["state"] == "interrupted"
        assert record["totals"]["done"] == len(audio(tmp_path / "out"))
        assert 3 <= record["totals"]["done"] < 14
        assert record["totals"]["running"] == 0
        assert "Run the same command again to go on" in ended.err.splitlines()[-1]

        machine.run("run", jobs, "--out", "out")
        assert set(machine.spoken().values()) == {1}
        assert len(machine.spoken()) == 14

    def test_the_second_signal_leaves_at_once_and_the_piece_at_hand_is_not_lost(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        jobs = machine.jobs(
            *({"output_name": f"n{i}", "text": f"Number {i}. {'Slowly, slowly. ' * 15}"} for i in range(4))
        )
        process = machine.start("run", jobs, "--out", "out")
        machine.until_spoken(2)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        machine.end(process, status=130)

        machine.run("run", jobs, "--out", "out")

        assert len(audio(tmp_path / "out")) == 4


class TestDryRun:
    def test_each_argv_and_output_is_printed_and_nothing_is_left(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        """Q13."""
        jobs = _three(machine)
        before = sorted(path for path in tmp_path.rglob("*") if "engines" not in path.parts)

        plain = machine.run("run", jobs, "--out", "out", "--dry-run")
        value = machine.run("run", jobs, "--out", "out", "--dry-run", "--json").json

        assert sorted(path for path in tmp_path.rglob("*") if "engines" not in path.parts) == before
        assert not machine.spoken()
        machine.run("compile", jobs, "--out", "compiled")
        manifest = json.loads((tmp_path / "compiled/manifest.json").read_text())
        assert [job["argv"] for job in value["jobs"]] == [job["argv"] for job in manifest["jobs"]]
        assert [job["output"] for job in value["jobs"]] == [
            "out/a/one.wav",
            "out/a/two.flac",
            "out/three.wav",
        ]
        assert [job["skip"] for job in value["jobs"]] == [False] * 3
        assert shlex.join(manifest["jobs"][0]["argv"]) in plain.out.splitlines()

    def test_it_says_what_a_run_would_skip(self, machine: Machine, tmp_path: Path) -> None:
        """Q13."""
        machine.run("run", _three(machine), "--out", "out")
        (tmp_path / "out/three.wav").unlink()

        dry = machine.run("run", _three(machine), "--out", "out", "--dry-run", "--json").json
        forced = machine.run("run", _three(machine), "--out", "out", "--dry-run", "--force", "--json").json

        assert [job["skip"] for job in dry["jobs"]] == [True, True, False]
        assert [job["skip"] for job in forced["jobs"]] == [False] * 3

    def test_of_a_manifest_it_says_the_same_and_speaks_nothing(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        machine.run("run", _three(machine), "--out", "out")
        (tmp_path / "out/three.wav").unlink()
        spoken = machine.spoken()

        dry = machine.run("execute-manifest", "out", "--dry-run", "--json").json

        assert dry == machine.run("run", _three(machine), "--out", "out", "--dry-run", "--json").json
        assert [job["skip"] for job in dry["jobs"]] == [True, True, False]
        assert machine.spoken() == spoken
        assert not (tmp_path / "out/three.wav").exists()

    def test_a_bad_file_is_65(self, machine: Machine) -> None:
        """Q13."""
        assert (
            "nothing of it was used"
            in machine.run("run", _three(machine, language=7), "--dry-run", status=65).err
        )


def test_without_out_the_audio_goes_to_outputs_and_the_files_name(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    shutil.move(machine.jobs(_THREE[0]), tmp_path / "there/lesson.yaml")

    machine.run("run", "there/lesson.yaml")

    assert list(audio(tmp_path / "outputs/lesson")) == ["a/one.wav"]
