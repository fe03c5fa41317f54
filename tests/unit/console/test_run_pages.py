"""P32: pages of runs, gates and machines, as the server writes them."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import httpx

from job_console.pages.machine_room import day_bars
from job_console.pages.run_words import STAGE_LOOKS, attempts_of, event_words
from job_console.pages.shown_files import shown_files
from job_console.pages.stage_graph import HEIGHT, WIDTH, draw_stages
from job_console.pages.text_changes import changes_of
from lib.jobs.costs import CostsBy, costs_of, hours_of
from lib.machines.memory import MemoryLedger
from lib.machines.model import Category, Charge, Epoch
from lib.pipeline import Dag, RunInput
from lib.pipeline.claims import Done, TaskReport, claim, finish
from lib.pipeline.gates import approve_gate
from lib.pipeline.model import Artifact, EventKind, TrailEvent
from lib.pipeline.rejected_texts import reject_and_keep
from lib.pipeline.runs import NewRun, advance, cancel_job, start_job, start_jobs
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.states import TaskState
from lib.pipeline.views import get_job_status, word_of
from tests.contract.machines.rows import HOUR, NOON, planned, step
from tests.contract.pipeline.floor import dag_of, diamond
from tests.doubles.console import GATED, ConsoleDesk

#: What a browser would run if it were not escaped, in every text that a caller controls.
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def shown(client: httpx.Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


class TestRunList:
    def test_runs_are_narrowed_by_state_pipeline_and_end(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        for run in ("ended", "waits"):
            desk.start(run)
        cancel_job(desk.ledger, "ended", operator="ann")
        desk.work("waits")
        every = {"ended", "waits"}

        def runs(query: str) -> set[str]:
            return every & set(re.findall(r'<h2><a href="/runs/(\w+)"', shown(client, f"/runs?{query}")))

        assert runs("") == runs("dag=gated") == runs("dag=") == every
        assert runs("active=true") == runs("state=needs_approval") == {"waits"}
        assert runs("dag=other") == set()
        assert runs("state=canceled&state=failed") == {"ended"}

    def test_older_ones_are_on_the_next_page(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        for number in range(23):
            desk.start(f"r{number:02d}")
        first = shown(client, "/runs?dag=gated")
        (more,) = re.findall(r'href="(/runs\?[^"]*after=[^"]*)"', first)
        second = shown(client, more.replace("&amp;", "&"))
        found = [re.findall(r'<h2><a href="/runs/(\w+)"', each) for each in (first, second)]
        assert [len(each) for each in found] == [20, 3]
        assert len({*found[0], *found[1]}) == 23
        assert "after=" not in second

    def test_empty_says_why_and_what_helps(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        assert "job-pipeline init-db" in shown(client, "/runs")
        assert "job-pipeline init-db" in shown(client, "/start")
        shown(client, "/start?like=r9", 404)
        save_snapshot(desk.ledger, GATED.graph())
        assert "No run was started yet" in shown(client, "/runs")
        assert "No run is like that" in shown(client, "/runs?state=failed")

    def test_what_cannot_be_asked_is_a_page_that_says_so(self, client: httpx.Client) -> None:
        for query in ("state=asleep", "after=../x", "active=perhaps", "dag=" + "x" * 64):
            assert "That cannot be" in shown(client, f"/runs?{query}", 422)


class TestStart:
    def test_the_form_has_the_inputs_of_the_last_run(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1", topic="tides", length=3)
        again = shown(client, "/start")
        assert re.findall(r'data-name value="(\w*)"', again) == ["length", "topic"]
        assert "tides" not in again
        like = shown(client, "/start?like=r1")
        assert ">\ntides</textarea>" in like  # a browser drops the first line break
        assert '<option value="json" selected>' in like

        desk.start("long", text="x" * 30_000)
        page = shown(client, "/start?like=long")
        assert "too long to show" in page
        assert len(page) < 20_000

    def test_a_pipeline_that_says_its_inputs_is_asked_for_them_and_for_no_others(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        dag = Dag("said", inputs=[RunInput("script", f"What {EVIL} says.", need="required")])
        dag.task(name="write")(lambda inputs: inputs)
        save_snapshot(desk.ledger, dag.graph())
        page = shown(client, "/start?dag=said")
        assert re.findall(r'data-name value="(\w*)"', page) == ["script"]
        assert '<textarea id="input-script"' in page
        assert EVIL not in page
        assert "data-add" not in page
        for inputs in ({"scirpt": "a"}, {}):
            answer = client.post("/api/v1/runs", json={"dag": "said", "inputs": inputs})
            assert (answer.status_code, "there are script" in answer.text) == (422, True)
        assert client.post("/api/v1/runs", json={"dag": "said", "inputs": {"script": "a"}}).status_code == 201


class TestRunPage:
    def test_each_stage_stands_in_the_graph_with_its_word(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        desk.start("r1")
        desk.work(files={"script.txt": b"Hello."})
        page = shown(client, "/runs/r1")
        assert re.findall(r'aria-label="(\w+: [A-Z]+)"', page) == ["script: GATE", "audio: NEW"]
        assert 'href="/gates?run=r1&amp;stage=script"' in page
        assert "<option selected>script</option>" in page  # of those to run anew
        assert "waits for somebody to decide" in page
        assert 'data-file="script.txt"' in page

    def test_a_rejected_stage_says_so_until_it_runs_anew(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        desk.start("r1")
        desk.work()
        reject_and_keep(desk.ledger, "r1", "script", folder=desk.folder, operator="ann", notes="less moon")
        assert re.findall(r'aria-label="(\w+: [A-Z]+)"', shown(client, "/runs/r1"))[0] == "script: REJECTED"
        assert "<small>REJECTED</small>" in shown(client, "/runs")
        advance(desk.ledger, "r1", operator="ann")
        assert "REJECTED" not in shown(client, "/runs/r1")
        assert "<small>REJECTED</small>" not in shown(client, "/runs")

    def test_what_can_be_done_follows_from_how_it_stands(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        assert "Not here" in shown(client, "/runs/r1", 404)
        shown(client, "/runs/..%2fx", 404)
        shown(client, "/runs/-x", 422)
        desk.start("r1")
        assert re.findall(r'data-post="/api/v1/runs/r1/(\w+)"', shown(client, "/runs/r1")) == ["cancel"]
        desk.fail("it <b>broke</b>", for_good=True)
        page = shown(client, "/runs/r1")
        assert re.findall(r'data-post="/api/v1/runs/r1/(\w+)"', page) == ["retry", "cancel"]
        assert "it &lt;b&gt;broke&lt;/b&gt;" in page
        cancel_job(desk.ledger, "r1", operator="ann")
        page = shown(client, "/runs/r1")
        assert re.findall(r'data-post="/api/v1/runs/r1/(\w+)"', page) == ["resume"]

    def test_the_trail_goes_back_page_by_page(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1")
        for _ in range(24):
            desk.work()
            reject_and_keep(desk.ledger, "r1", "script", folder=desk.folder, operator="ann", notes="no")
            advance(desk.ledger, "r1", operator="ann", stage="script", instruction="no")
        seen: list[int] = []
        address = "/runs/r1"
        while True:
            page = shown(client, address)
            seen = [*map(int, re.findall(r'<li data-position="(\d+)"', page)), *seen]
            assert len(page) < 100_000
            earlier = re.search(r'href="(/runs/r1\?before=\d+)#', page)
            if earlier is None:
                break
            address = earlier[1]
        assert seen == list(range(1, seen[-1] + 1))
        assert len(seen) > 100

    def test_no_text_is_more_than_text(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        snapshot = save_snapshot(desk.ledger, GATED.graph())
        new = NewRun(id="r1", inputs={EVIL: EVIL}, metadata={EVIL: EVIL}, slug=EVIL, intent=EVIL)
        start_job(desk.ledger, snapshot.id, new)
        desk.work(files={"script.txt": EVIL.encode()}, result={EVIL: EVIL})
        reject_and_keep(
            desk.ledger, "r1", "script", folder=desk.folder / "runs" / "r1", operator=EVIL, notes=EVIL
        )
        rejected = shown(client, "/gates")
        advance(desk.ledger, "r1", operator=EVIL, instruction=EVIL)
        desk.work(
            files={"script.txt": f"{EVIL} {EVIL}".encode()},
            result={"instruction": {"applied": EVIL, "not_applied": EVIL}},
        )
        pages = [
            rejected,
            *(shown(client, path) for path in ("/runs", "/start?like=r1", "/runs/r1", "/gates")),
        ]
        cancel_job(desk.ledger, "r1", operator=EVIL, notes=EVIL)
        pages.append(shown(client, "/gates?run=r1&stage=script"))
        for page in pages:
            assert "alert(1)" in page
            assert "<script>alert" not in page
            assert "<img src=x" not in page


class TestGates:
    def test_concerns_and_changes_are_told_before_the_files(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        desk.start("r1")
        desk.work(files={"script.txt": b"The moon pulls.\nThe sea comes.\n"})
        folder = desk.folder / "runs" / "r1"
        reject_and_keep(desk.ledger, "r1", "script", folder=folder, operator="ann", notes="less moon")
        advance(desk.ledger, "r1", operator="ann", instruction="less moon")
        told = {"instruction": {"notes": ["less moon"], "applied": "cut", "not_applied": "the title"}}
        desk.work(files={"script.txt": b"The sun pulls.\nThe sea comes.\n"}, result=told)
        page = shown(client, "/gates")
        assert "of the notes this was not done: the title" in page
        assert "rejected by ann" in page
        assert "<del>moon</del>" in page
        assert "<ins>sun</ins>" in page
        assert page.index("<ins>sun</ins>") < page.index('data-file="script.txt"')

    def test_a_decision_is_bound_to_what_is_shown(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1")
        desk.work(files={"script.txt": b"Hello."})
        (gate,) = get_job_status(desk.ledger, "r1").gates
        assert f'data-seen="{gate.seen}"' in shown(client, "/gates")

    def test_one_that_was_decided_says_by_whom(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1")
        desk.work()
        approve_gate(desk.ledger, "r1", "script", operator="ben", notes="fine")
        page = shown(client, "/gates?run=r1&stage=script")
        assert re.search(r"script of r1 was approved\s+by ben", page)
        assert "fine" in page
        assert 'id="gate"' not in page
        assert "Nothing waits for a decision" in page

    def test_the_page_stays_small_however_many_wait(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        snapshot = save_snapshot(desk.ledger, GATED.graph())
        start_jobs(desk.ledger, snapshot.id, [NewRun(id=f"r{number:03d}") for number in range(110)])
        tasks = claim(desk.ledger, {"gated": ["script"]}, owner="ann:1", count=110, lease_s=60.0)
        finish(desk.ledger, [TaskReport(task, Done(result="x")) for task in tasks], owner="ann:1")
        page = shown(client, "/gates")
        assert len(page) < 60_000
        assert "110 gates wait; the first 100" in page
        assert 'data-run="r109"' not in page
        assert 'id="gate" data-run="r109"' in shown(client, "/gates?run=r109&stage=script")

    def test_a_rejected_run_is_offered_to_be_made_anew(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1")
        desk.work()
        reject_and_keep(desk.ledger, "r1", "script", folder=desk.folder, operator="ann", notes="less moon")
        page = shown(client, "/gates")
        assert 'data-post="/api/v1/runs/r1/advance"' in page
        assert "Run it anew with this note" in page


class TestMachines:
    def test_without_any_it_says_why(self, client: httpx.Client) -> None:
        page = shown(client, "/machines")
        assert "No watcher runs" in page
        assert "Nothing was ever rented from here" in page
        shown(client, "/machines?days=0", 422)

    def test_what_is_rented_and_what_it_cost(self, desk: ConsoleDesk) -> None:
        ledger = MemoryLedger()
        ledger.open_epoch(Epoch(1, "ann", NOON))
        row = planned(ledger, 1, gpu=EVIL, batch=EVIL)
        ledger.change(step(row, "rented", instance="88001"))
        ledger.charge([Charge(row.token, Category.COMPUTE, HOUR, 1_500_000)], epoch=1)

        class Noon:
            def now(self) -> float:
                return NOON + 60

            def monotonic(self) -> float:
                return 0.0

        found: dict[str, Any] = {"open_rented": lambda: contextlib.nullcontext(ledger), "clock": Noon()}
        with desk.client(**found) as client:
            page = shown(client, "/machines")
        assert "88001" in page
        assert page.count("$1.50") >= 3  # spent, of the day, of the host
        assert "<script>alert" not in page

    def test_a_day_without_costs_has_its_place(self) -> None:
        ledger = MemoryLedger()
        ledger.open_epoch(Epoch(1, "ann", NOON))
        row = planned(ledger)
        amounts = {HOUR: 3_000_000, HOUR - 48: 1_500_000}
        ledger.charge(
            [Charge(row.token, Category.COMPUTE, hour, many) for hour, many in amounts.items()], epoch=1
        )
        begin = NOON - 7 * 86_400
        bars = day_bars(costs_of(ledger.paid(*hours_of(begin, NOON)), begin, NOON, CostsBy.DAY))
        assert [bar.usd for bar in bars] == [1.5, 0.0, 3.0]
        assert [bar.height for bar in bars] == [80.0, 0.0, 160.0]
        assert day_bars(costs_of(MemoryLedger().paid(0, 1), begin, NOON, CostsBy.DAY)) == []


class TestDrawing:
    def test_layers_follow_what_is_required(self) -> None:
        drawing = draw_stages(diamond().graph())
        places = {each.name: (each.x, each.y) for each in drawing.stages}
        assert places["left"][1] == places["right"][1] > places["top"][1]
        assert places["bottom"][1] > places["left"][1]
        assert abs(places["left"][0] - places["right"][0]) >= WIDTH
        assert len(drawing.edges) == 4
        assert drawing.height == places["bottom"][1] + HEIGHT

    def test_what_follows_from_others_is_not_drawn_and_long_ways_pass_beside(self) -> None:
        graph = dag_of(
            "long",
            a={},
            b={"requires": ["a"]},
            c={"requires": ["b", "a"]},
            d={},
            e={"requires": ["c", "d"]},
        ).graph()
        drawing = draw_stages(graph)
        assert len(drawing.edges) == 4  # not a-c
        assert max(edge.count("C") for edge in drawing.edges) == 3  # d-e passes two layers
        boxes = [(each.x, each.x + WIDTH) for each in drawing.stages]
        assert all(left >= 0 and right <= drawing.width for left, right in boxes)

    def test_every_word_of_a_stage_has_a_shape_of_its_own(self, desk: ConsoleDesk) -> None:
        desk.start("r1")
        (task, _) = get_job_status(desk.ledger, "r1").line.tasks
        words = {word_of(task._replace(state=state, ready_at=None), 0.0) for state in TaskState} | {
            "READY",
            "REJECTED",
        }
        assert words == set(STAGE_LOOKS)
        assert len({path for _, path in STAGE_LOOKS.values()}) == len(STAGE_LOOKS)


class TestWords:
    def test_an_attempt_is_told_to_its_end(self) -> None:
        def event(kind: EventKind, attempt: int, at: float, **data: Any) -> TrailEvent:
            return TrailEvent(run="r1", kind=kind, at=at, task="script", attempt=attempt, data=data)

        told = attempts_of(
            [
                event(EventKind.STAGE_STARTED, 1, 1.0, worker="a:1"),
                event(EventKind.STAGE_FAILED, 1, 2.0, error="no paper", dead=None),
                event(EventKind.STAGE_STARTED, 2, 3.0, worker="b:2"),
                event(EventKind.STAGE_COMPLETED, 2, 4.0, seconds=1.0),
                event(EventKind.GATE_REJECTED, 2, 5.0, operator="ann", notes="less"),
            ]
        )
        first, second = told["script"]
        assert (first.worker, first.told) == ("a:1", [(2.0, "failed: no paper")])
        assert [words for _, words in second.told] == ["done in 1 s", "rejected by ann: less"]
        assert event_words(
            event(EventKind.STAGE_FAILED, 1, 2.0, error="x", dead=True, gone=None, seconds=2.0)
        ) == ("stage failed · script · attempt 1 · error: x · dead: yes · seconds: 2")

    def test_files_are_shown_as_what_they_are_served_as(self) -> None:
        def kind(path: str, **fields: Any) -> str:
            artifact = Artifact(path=path, type="text/html", sha256="a", size=1, **fields)
            return shown_files("r1", [artifact])[0].kind

        paths = ("a.mp3", "a.mp4", "a.png", "a.srt", "a.json", "a.html", "a.svg")
        assert [kind(path) for path in paths] == [
            "audio",
            "video",
            "picture",
            "text",
            "json",
            "other",
            "other",
        ]
        assert kind("voiceover.mp3", placeholder=True) == "placeholder"
        odd = Artifact(path="a/b?c.txt", type="text/plain", sha256="a", size=1)
        assert shown_files("r 1", [odd])[0].address == "/api/v1/runs/r%201/artifacts/a/b%3Fc.txt"
        many = [Artifact(path=f"{number}.mp3", type="audio/mpeg", sha256="a", size=1) for number in range(9)]
        assert [file.heard is not None for file in shown_files("r1", many)] == [True] * 8 + [False]

    def test_changes_are_words_within_like_lines_and_whole_lines_else(self) -> None:
        found = changes_of(
            "a\nthe moon pulls at it\nc\nd\ne\nf\n", "a\nthe sun pulls at it\nc\nd\ne\nother\n"
        )
        assert found is not None
        assert [line.kind for line in found] == [
            *("same", "gone", "new", "same", "skipped", "same", "gone", "new"),
        ]
        assert [part for differs, part in found[2].parts if differs] == ["sun"]
        assert found[7].parts == [(True, "other")]
        assert changes_of("a", "a") == []
        assert changes_of("a\n" * 4000, "b") is None
        many = changes_of("", "x\n" * 1000)
        assert many is not None
        assert len(many) == 201

    def test_what_repeats_itself_is_not_compared_word_by_word(self) -> None:
        before, after = "a b " * 900, "b a " * 900  # held against each other it would take seconds
        found = changes_of(before, after)
        assert found is not None
        assert [line.parts for line in found] == [[(True, before)], [(True, after)]]
        assert changes_of("a\n" * 2000, "a\n" * 1999 + "b") is None
