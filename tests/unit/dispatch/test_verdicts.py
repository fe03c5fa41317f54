"""Who is to blame for a worker's end: the job, the machine, or nobody that is known (Q35)."""

from __future__ import annotations

import pytest

from lib.dispatch.blame import Blame, MachineDeaths


class TestTheVerdict:
    @pytest.mark.parametrize(
        ("before", "at_hand", "machines", "accused", "verdict"),
        [
            ([], [], 2, False, Blame()),
            ([], [], 2, True, Blame(accused=True)),
            ([], ["a"], 1, False, Blame(charged="a")),
            ([], ["a"], 2, False, Blame(charged="a")),
            (["a"], ["a"], 2, False, Blame(charged="a")),
            (["b"], ["a"], 1, False, Blame(charged="a")),
            (["b"], ["a"], 2, False, Blame(lost="a", excused=("b",), accused=True)),
            (["a", "b"], ["a"], 2, False, Blame(lost="a", excused=("b",), accused=True)),
            ([], ["a"], 2, True, Blame(lost="a", accused=True)),
            ([], ["a"], 1, True, Blame(charged="a")),
            ([], ["a", "b"], 1, False, Blame(singly=("a", "b"))),
            (["a"], ["a", "b"], 2, False, Blame(singly=("a", "b"))),
            ([], ["a", "b"], 2, True, Blame(singly=("a", "b"), accused=True)),
        ],
    )
    def test_on_a_death(
        self, before: list[str], at_hand: list[str], machines: int, accused: bool, verdict: Blame
    ) -> None:
        deaths = MachineDeaths(list(before))

        assert deaths.judge(at_hand, machines=machines, accused=accused) == verdict

    def test_remembers_the_jobs_that_were_charged_and_each_once(self) -> None:
        deaths = MachineDeaths()
        for job in ("a", "a", "b"):
            deaths.judge([job], machines=1, accused=False)

        assert deaths.jobs == ["a", "b"]

    def test_on_a_batch_is_held_against_nobody_later(self) -> None:
        deaths = MachineDeaths()
        deaths.judge(["a", "b"], machines=2, accused=False)

        assert deaths.judge(["c"], machines=2, accused=False) == Blame(charged="c")

    def test_begins_anew_when_the_machine_was_accused_or_finished_a_job(self) -> None:
        accused, fine = MachineDeaths(["a"]), MachineDeaths(["a"])
        assert accused.judge(["b"], machines=2, accused=False).accused
        fine.finished_one()

        for deaths in (accused, fine):
            assert deaths.judge(["c"], machines=2, accused=False) == Blame(charged="c")
