"""P20: of several rejected gates of a run each is let run anew by itself."""

from __future__ import annotations

import httpx

from lib.pipeline.claims import TaskReport, claim, finish
from lib.pipeline.gates import reject_gate
from lib.pipeline.runs import NewRun, start_job
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.work import Done
from tests.contract.pipeline.floor import dag_of
from tests.doubles.console import ConsoleDesk, check_answer

STAGES = ("pictures", "script")


def paused_at_both(desk: ConsoleDesk) -> None:
    """Have a run "r2" whose two stages are done and rejected."""
    two = dag_of("two", pictures={"gate": True}, script={"gate": True})
    start_job(desk.ledger, save_snapshot(desk.ledger, two.graph()).id, NewRun(id="r2", inputs={}))
    for task in claim(desk.ledger, {"two": list(STAGES)}, owner="ann:1", count=2, lease_s=60.0):
        finish(desk.ledger, [TaskReport(task, Done(result=None))], owner="ann:1")
    for stage in STAGES:
        reject_gate(desk.ledger, "r2", stage, operator="ann", notes="no")


def test_each_has_its_own_button(desk: ConsoleDesk, client: httpx.Client) -> None:
    paused_at_both(desk)

    page = client.get("/gates").text

    for stage in STAGES:
        assert f'data-body="{{&#34;stage&#34;: &#34;{stage}&#34;, &#34;with_note&#34;: true}}"' in page
        assert f"{stage} runs anew once the others are advanced, and is told the note." in page


def test_who_advances_one_learns_which_others_keep_the_run_paused(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    paused_at_both(desk)
    path, told = "/runs/{run}/advance", []

    for stage in reversed(STAGES):
        body = {"operator": "ann", "stage": stage, "with_note": True}
        answer = client.post("/api/v1" + path.format(run="r2"), json=body)
        check_answer("POST", path, answer.status_code, answer.json())
        told.append((answer.json()["stage"], answer.json()["rejected"]))

    assert told == [("script", ["pictures"]), ("pictures", [])]
