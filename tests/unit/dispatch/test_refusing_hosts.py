"""A host that cannot be looked at, or refuses a job, costs the others nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lib.dispatch import Dispatcher
from lib.errors import JobRunnerError
from lib.jobqueue import JobState
from lib.spool import HostUnreachable, SpoolFull, SpoolUnusable
from tests.unit.dispatch.bench import Bench, Refusal, ScriptedHost, spec

A, B, C = spec("a"), spec("b"), spec("c")
REFUSALS = [HostUnreachable("No answer."), SpoolUnusable("No folder."), SpoolFull("No space.")]


def idle(*hosts: ScriptedHost) -> None:
    """Their workers do nothing."""
    for host in hosts:
        host.script = lambda: None


class TestALookAtManyHosts:
    @pytest.mark.parametrize("replaceable", [False, True])
    @pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
    def test_is_not_ended_by_one_that_refuses(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, error: JobRunnerError, replaceable: bool
    ) -> None:
        bench.another_host("there")
        dispatcher = bench.holding(A, B, replaceable=replaceable)
        there = {bench.job(job).host: job for job in (A, B)}["there"]
        refusal = Refusal(monkeypatch, bench.host, "files", error)

        dispatcher.step()

        assert bench.job(there).state is JobState.DONE
        bench.enqueue(C, spec("d"))
        before = refusal.refused
        dispatcher.claim()
        assert [bench.job(job).host for job in (C, spec("d"))] == ["there"] * 2
        assert refusal.refused == before  # it is not asked again before the next look
        refusal.on = False
        dispatcher.step()
        assert [bench.job(job).state for job in (A, B)] == [JobState.DONE] * 2

    @pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
    def test_says_so_where_all_hosts_are_ours_and_refuse(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, error: JobRunnerError
    ) -> None:
        bench.another_host("there")
        dispatcher = bench.holding(A, B)
        for host in bench.hosts:
            Refusal(monkeypatch, host, "files", error)

        with pytest.raises(type(error), match=error.message):
            dispatcher.step()

    def test_says_nothing_where_whoever_rents_can_replace_them(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.another_host("there")
        dispatcher = bench.holding(A, B, replaceable=True)
        for host in bench.hosts:
            Refusal(monkeypatch, host, "files", HostUnreachable("No answer."))

        dispatcher.step()

        assert dispatcher.held == 2

    def test_of_which_there_are_none_is_no_trouble(self, bench: Bench) -> None:
        dispatcher = Dispatcher(bench.parts())

        dispatcher.step()
        dispatcher.wait(0.0)

        assert dispatcher.claim() == 0


class TestAHostThatRefusesAJob:
    """It answered when it was looked at, and does not when the job is to be laid there."""

    @pytest.fixture
    def refuse(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], Refusal]:
        bench.another_host("there")
        idle(*bench.hosts)
        return lambda error: Refusal(monkeypatch, bench.host, "files", error)

    @pytest.mark.parametrize(
        ("error", "replaceable"),
        [(HostUnreachable("No answer."), False), (HostUnreachable("No answer."), True), (REFUSALS[1], True)],
    )
    def test_is_asked_once_and_the_jobs_go_to_another(
        self,
        bench: Bench,
        refuse: Callable[[Exception], Refusal],
        error: JobRunnerError,
        replaceable: bool,
    ) -> None:
        dispatcher = bench.dispatcher(replaceable=replaceable)
        bench.enqueue(A, B, C)
        refusal = refuse(error)

        dispatcher.claim()

        assert [bench.job(job).host for job in (A, B, C)] == ["there"] * 3
        assert refusal.refused == 1
        assert [host for _, _, host in bench.journal.leases()] == ["there"] * 3

    def test_of_our_own_folder_is_our_trouble_and_every_job_goes_back(
        self, bench: Bench, refuse: Callable[[Exception], Refusal]
    ) -> None:
        dispatcher = bench.dispatcher()
        bench.enqueue(A, B)
        refuse(SpoolFull("No space."))

        with pytest.raises(SpoolFull):
            dispatcher.claim()

        assert [bench.job(job).state for job in (A, B)] == [JobState.WAITING] * 2
        assert (dispatcher.held, list(bench.journal.leases())) == (0, [])

    def test_where_there_is_no_other_gets_the_job_handed_back(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.dispatcher(replaceable=True)
        bench.enqueue(A)
        Refusal(monkeypatch, bench.host, "files", HostUnreachable("No answer."))

        dispatcher.claim()

        assert (bench.job(A).state, bench.job(A).attempt) == (JobState.WAITING, 0)
        assert (dispatcher.held, list(bench.journal.leases())) == (0, [])
