"""`job-runner up` as a user runs it: embedded server, watcher process, real voice, nothing set."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import soundfile

from tests.e2e.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.run("down")


def test_a_file_becomes_audio_and_a_second_run_prints_the_same_without_speaking(home: Home) -> None:
    path = home.jobs(3)

    first = home.json("up", path)
    files = [Path(row["file"]) for row in first["results"]]
    stamps = [file.stat().st_mtime_ns for file in files]
    second = home.json("up", path)

    assert [row["state"] for row in first["results"]] == ["done"] * 3
    for row, file in zip(first["results"], files, strict=True):
        assert soundfile.info(file).duration == pytest.approx(row["audio_seconds"], abs=0.01)
        assert row["loudness_lufs"] == pytest.approx(-19.0, abs=0.5)
    assert second["results"] == first["results"]
    assert first["pages"] == second["pages"] == [str(files[0].with_name("listen.html"))]
    assert "Number 3. The sea comes back" in Path(first["pages"][0]).read_text()
    assert [file.stat().st_mtime_ns for file in files] == stamps


def test_a_data_folder_that_is_open_to_others_shows_them_nothing(home: Home) -> None:
    data = home.folder / "data"
    data.mkdir()
    data.chmod(0o755)  # as systemd makes its StateDirectory

    assert home.run("up", home.jobs(1), JOBS_DATA_DIR=str(data)).returncode == 0
    home.run("down", JOBS_DATA_DIR=str(data))

    found = {path.name: path.stat().st_mode & 0o077 for path in data.iterdir()}
    assert {"redis", "storage", "up", "watchers"} <= found.keys()
    assert set(found.values()) == {0}
    assert data.stat().st_mode & 0o777 == 0o755


def test_killed_at_any_moment_and_run_again_it_finishes_what_was_left_nothing_twice(home: Home) -> None:
    path = home.jobs(10, text="The sea comes back twice a day. " * 8)
    for done in (1, 3):
        process = home.start("up", path)
        _until_done(home, done)
        process.kill()
        process.communicate()

    final = home.run("up", path, "--json")

    assert final.returncode == 0, final.stderr
    results = json.loads(final.stdout)["results"]
    assert {row["state"] for row in results} == {"done"}
    assert {row["attempts"] for row in results} == {1}  # each was begun once


def test_ctrl_c_stops_in_order_and_says_how_to_go_on(home: Home) -> None:
    path = home.jobs(10, text="The sea comes back twice a day. " * 8)
    process = home.start("up", path)
    _until_done(home, 1)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Run the same command to go on" in err
    status = home.json("status")
    assert status["pending"] == 0
    assert status["lock_owner"] is None
    assert status["verdict"] == "watcher_not_running"


def test_a_removed_file_is_put_back_from_the_store(home: Home) -> None:
    path = home.jobs(1)
    file = Path(home.json("up", path)["results"][0]["file"])
    file.unlink()

    home.run("up", path)

    assert soundfile.info(file).duration > 0.5


def test_audio_that_is_gone_everywhere_is_exit_1_and_names_the_way(home: Home) -> None:
    path = home.jobs(2)
    Path(home.json("up", path)["results"][0]["file"]).unlink()
    key = home.json("result", "topic:beat-001")["result"]["spoken"]["takes"][0]["key"]
    (home.folder / ".local/share/job-runner/storage" / key).unlink()

    again = home.run("up", path)

    assert again.returncode == 1
    assert "job-runner explain topic:beat-001" in again.stderr


def test_sigterm_ends_it_in_order_with_75(home: Home) -> None:
    process = home.start("up", home.jobs(10, text="The sea comes back twice a day. " * 8))
    _until_done(home, 1)

    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 75
    assert "Run the same command to go on" in err
    assert home.json("status")["pending"] == 0


def test_a_job_that_fails_is_exit_1_with_its_reason(home: Home) -> None:
    path = home.jobs(2)
    text = "This goes on for much longer than anyone allowed. " * 600
    path.write_text(
        path.read_text()
        + f"  - {{output_name: topic/long, text: '{text}', chunk: true, timeout_s: 1, max_attempts: 1}}\n"
    )

    mixed = home.run("up", path, "--json")

    rows = json.loads(mixed.stdout)["results"]
    assert mixed.returncode == 1
    assert [row["state"] for row in rows] == ["done", "done", "failed"]
    assert "1 s" in rows[2]["error"]
    assert home.run("result", "topic:long").returncode == 1


def test_a_changed_job_under_a_known_id_is_a_conflict_and_nothing_is_enqueued(home: Home) -> None:
    home.run("enqueue", home.jobs(1))
    changed = home.jobs(1, text="Something else.", name="changed.yaml")

    conflict = home.run("up", changed)

    assert conflict.returncode == 65
    assert "topic:beat-001" in conflict.stderr
    assert home.json("status")["outstanding"] == 1


@pytest.mark.parametrize("command", ["up", "enqueue"])
def test_a_bad_file_is_exit_65_and_nothing_is_enqueued(home: Home, command: str) -> None:
    path = home.jobs(2)
    path.write_text(path.read_text() + "  - {output_name: ../escape, txt: Hello}\n")

    refused = home.run(command, path)

    assert refused.returncode == 65
    assert "jobs.yaml:5" in refused.stderr
    assert "txt" in refused.stderr
    assert home.json("status")["outstanding"] == 0


@pytest.mark.parametrize("command", [("status",), ("history",), ("result", "x"), ("up",)])
def test_a_set_server_that_does_not_answer_is_exit_69_never_another_server(
    home: Home, command: tuple[str, ...]
) -> None:
    """Q39: no fall-back."""
    refused = home.run(*command, REDIS_URL="redis://:s3cret@127.0.0.1:1/0")

    assert refused.returncode == 69
    assert "127.0.0.1:1" in refused.stderr
    assert "s3cret" not in refused.stderr
    assert not (home.folder / ".local/share/job-runner/redis").exists()


def test_a_data_folder_that_cannot_be_used_is_one_line_and_exit_78(home: Home) -> None:
    (home.folder / "taken").write_text("a file")

    refused = home.run("up", home.jobs(1), JOBS_DATA_DIR=str(home.folder / "taken"))

    assert refused.returncode == 78
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "JOBS_DATA_DIR" in refused.stderr


def test_the_embedded_server_is_named_on_stderr_and_stopped_by_down(home: Home) -> None:
    assert "embedded server" in home.run("status").stderr

    assert home.json("down") == {"stopped": True}
    assert home.json("down") == {"stopped": False}


def test_results_survive_the_server_going_down(home: Home) -> None:
    path = home.jobs(1)
    home.run("up", path)
    home.run("down")

    assert home.json("result", "topic:beat-001")["state"] == "done"
    assert [row["request_id"] for row in home.json("history")] == ["topic:beat-001"]


def test_result_of_unfinished_and_unknown_jobs(home: Home) -> None:
    home.run("enqueue", home.jobs(1))

    waiting = home.run("result", "topic:beat-001")
    unknown = home.run("result", "topic:beat-01")

    assert waiting.returncode == 75
    assert unknown.returncode == 65
    assert "topic:beat-001" in unknown.stderr


def test_enqueue_is_idempotent_and_counts_each_outcome(home: Home) -> None:
    path = home.jobs(2)

    assert home.json("enqueue", path)["counts"] == {"created": 2}
    assert home.json("enqueue", path)["counts"] == {"duplicate": 2}


def test_without_a_file_it_serves_until_ctrl_c_and_that_is_its_normal_end(home: Home) -> None:
    process = home.start("up")
    home.run("enqueue", home.jobs(2, text="The sea comes back twice a day. " * 8))
    _until_done(home, 1)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0
    ended = home.json("history")
    assert ended  # what was at hand was finished, and all that ended is said
    assert {row["request_id"] for row in ended} == {line.split()[1] for line in out.splitlines()}
    assert "Up." in err


def test_the_console_is_served_beside_it_and_ends_with_it(home: Home) -> None:
    """P31: its address and the token's file are said; the token is not."""
    data = str(home.folder / "d")
    process = home.start_cold("up", "--console", "--listen", "127.0.0.1:0", JOBS_DATA_DIR=data)
    assert process.stderr is not None
    said = ""
    while "its token is in " not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    url, file = re.findall(r"the console is at (\S+)/; its token is in (\S+)", said)[0]
    token = Path(file).read_text().strip()
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{url}/api/v1/queue/status", headers=bearer, trust_env=False).status_code == 200
    process.kill()  # however it ends, the console ends with it
    process.communicate(timeout=60)
    until(lambda: refuses(url))
    until(lambda: home.run("down", JOBS_DATA_DIR=data).returncode == 0)  # its watcher ends as it can
    assert token not in said


def test_a_console_that_cannot_run_is_said_before_anything_is_enqueued(home: Home) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = home.run("up", home.jobs(1), "--console", "--listen", place)
    assert (done.returncode, "The console cannot run here: nothing can listen at" in done.stderr) == (
        78,
        True,
    )
    assert home.run("up", "--listen", place).returncode == 2
    assert home.json("status")["outstanding"] == 0


def refuses(url: str) -> bool:
    try:
        httpx.get(url, trust_env=False)
    except httpx.ConnectError:
        return True
    return False


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_second_ctrl_c_hands_the_work_back_now(home: Home) -> None:
    path = home.jobs(1, text="The sea comes back twice a day. " * 1000)
    path.write_text(path.read_text().replace("text:", "chunk: true, text:"))
    process = home.start("up", path)
    home.until(lambda seen: seen.pending == 1)

    process.send_signal(signal.SIGINT)
    log = home.folder / ".local/share/job-runner/up/watcher.log"
    home.until(lambda _: "draining" in log.read_text())  # the first one is being obeyed
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    status = home.json("status")
    assert (status["pending"], status["waiting"], status["lock_owner"]) == (0, 1, None)


def test_under_a_name_lies_what_was_asked_for_last(home: Home) -> None:
    """Q43: a line is changed under a new id, and the old line put back."""
    old = home.jobs(1)
    home.run("up", old)
    new = home.folder / "new.yaml"
    new.write_text(
        "- {output_name: topic/beat-001, request_id: v2, speaker: Ryan, text: Much longer words than before.}"
    )
    assert home.run("up", new).returncode == 0
    published = home.folder / ".local/share/job-runner/storage/outputs/topic/beat-001.wav"
    changed = published.read_bytes()
    replaced = home.run("report", old, "--json")
    assert (replaced.returncode, json.loads(replaced.stdout)["jobs"][0]["state"]) == (1, "replaced")

    again = home.json("up", old)["results"][0]

    assert (again["file"], again["replaced_by"]) == (str(published), None)
    assert soundfile.info(published).duration == pytest.approx(again["audio_seconds"], abs=0.01)
    assert published.read_bytes() != changed
    assert home.run("report", new).returncode == 1
    assert "holds the audio of topic:beat-001, which was asked for later" in home.run("report", new).stdout
    (file,) = home.json("result", "v2")["files"]  # what was replaced still leads to its own audio
    assert Path(file).read_bytes() == changed


def test_a_file_the_user_edited_is_left_alone(home: Home) -> None:
    path = home.jobs(1)
    file = Path(home.json("up", path)["results"][0]["file"])
    file.write_bytes(b"edited")

    home.run("up", path)

    assert file.read_bytes() == b"edited"


def test_up_says_that_the_queue_is_paused(home: Home) -> None:
    path = home.jobs(1)
    home.run("pause")
    process = home.start("up", path)
    assert process.stderr is not None

    said = ""
    while "paused" not in said:
        said = process.stderr.readline()
        assert said, "it ended without a word"
    home.run("resume")
    process.communicate(timeout=60)

    assert "job-runner resume" in said
    assert process.returncode == 0


@pytest.mark.parametrize("setting", [{"STORAGE_URL": "s3://bucket/x"}, {"PROVIDER": "vast"}], ids=str)
def test_what_cannot_run_here_is_said_before_anything_is_enqueued(
    home: Home, setting: dict[str, str]
) -> None:
    refused = home.run("up", home.jobs(1), **setting)

    assert refused.returncode == 78
    assert home.json("status")["outstanding"] == 0


def test_down_does_not_pull_the_server_from_under_a_watcher(home: Home) -> None:
    process = home.start("up")
    home.until(lambda seen: seen.lock_owner is not None)

    refused = home.run("down")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert refused.returncode == 75
    assert "--force" in refused.stderr
    assert home.json("down") == {"stopped": True}


def test_modules_of_the_users_folder_are_not_imported(home: Home) -> None:
    for name in ("redis.py", "queue.py", "lib.py"):
        (home.folder / name).write_text("raise SystemExit('the user\\'s file was executed')\n")

    started = home.start_cold("up", home.jobs(1))  # where an interpreter looks is settled as it starts
    _, err = started.communicate(timeout=90)

    assert started.returncode == 0, err


def test_a_full_queue_is_exit_75_also_when_conflicts_are_skipped(home: Home) -> None:
    home.run("enqueue", home.jobs(1))
    path = home.jobs(3, text="Other words.", name="more.yaml")

    refused = home.run("enqueue", path, "--skip-conflicts", "--wait", JOBS_MAX_DEPTH="1")

    assert refused.returncode == 75
    assert "full" in refused.stderr


def _until_done(home: Home, count: int) -> None:
    home.until(lambda seen: seen.done >= count)
