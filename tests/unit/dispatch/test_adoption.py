"""Work that lies on a host already is taken over by the next lease, where it is the same work (W15)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lib.dispatch import Dispatcher
from lib.errors import Unavailable
from lib.jobqueue import JobState, LeadershipLost, Lease, Placement, QueueOptions, Term
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobspec import JobSpec
from lib.spool import HostUnreachable, Phase, SpoolClient, SpoolFull, SpoolJob, TakenJob
from tests.unit.dispatch.bench import Bench, Refusal, ScriptedHost, spec

JOB = spec()
OTHER_TEXT = spec(text="Quite another text.")
TERM = Term(7, "secret")


def left(bench: Bench, phase: Phase, *, replaceable: bool = True) -> str:
    """A dispatcher went and left its work, lying there; the entry. The old lease is nobody's."""
    first = bench.holding(JOB, name="first", replaceable=replaceable)
    bench.host.script = lambda: None
    if phase is not Phase.INBOX:
        for taken in bench.host.take():
            if phase is Phase.OUTBOX:
                bench.host.speak(taken, audio=b"RIFF as left")
    first.hand_back("drain", keep_work=True)
    first.close()
    ((entry, lies),) = bench.spool.entries().items()
    assert lies is phase
    return entry


class TestAKillBetweenAClaimAndItsRecord:
    """The queue knows a lease that the journal does not: nobody works on it, nor ever will."""

    def killed(self, bench: Bench, *jobs: JobSpec) -> None:
        """A dispatcher claims, and its process ends with the claim's reply."""
        first = bench.dispatcher("first")
        first.register()
        first.resume()
        bench.enqueue(*jobs)
        assert len(bench.queue.claim("first", count=len(jobs))) == len(jobs)

    def test_its_successor_does_the_job_at_once(self, bench: Bench) -> None:
        self.killed(bench, JOB, spec("other"))

        following = take_over(bench, replaceable=False)

        assert following.held == 2  # and the clock stood still: no lease ran out
        for _ in range(2):
            following.step()
        assert {bench.job(job).state for job in (JOB, spec("other"))} == {JobState.DONE}
        assert (bench.job(JOB).lost, bench.job(JOB).attempt) == (0, 1)

    def test_what_the_journal_knows_goes_on_under_its_lease(self, bench: Bench) -> None:
        bench.holding(JOB, name="first").close()

        following = take_over(bench, replaceable=False)

        following.step()
        assert (bench.job(JOB).state, bench.job(JOB).lease_no) == (JobState.DONE, 1)

    def test_what_another_watcher_claimed_at_this_moment_is_left_to_it(self, bench: Bench) -> None:
        self.killed(bench)
        bench.enqueue(JOB)
        (theirs,) = bench.queue.claim("somebody")

        take_over(bench, replaceable=False)

        assert bench.queue.renew([theirs]) == []

    def test_a_full_disk_ends_no_watcher_that_starts(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Refusal(monkeypatch, bench.journal, "sign", SpoolFull("No room."))

        bench.dispatcher().resume()

    def test_a_queue_that_does_not_answer_leaves_the_name_for_the_next(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.killed(bench, JOB)
        refusal = Refusal(monkeypatch, bench.queue, "release_unplaced", Unavailable("No server."))
        with pytest.raises(Unavailable):
            bench.dispatcher("second").resume()
        refusal.on = False

        assert take_over(bench, replaceable=False).held == 1


def force_flush(bench: Bench) -> None:
    """The queue forgets everything: request ids may come again, and lease numbers begin anew."""
    bench.queue = MemoryQueue(
        QueueOptions(lease_ms=60_000), now_ms=lambda: round(bench.clock.now() * 1000), chance=lambda: 0.0
    )


def take_over(bench: Bench, *, replaceable: bool = True) -> Dispatcher:
    """The next dispatcher looks at its hosts, then claims."""
    following = bench.dispatcher("next", replaceable=replaceable)
    following.resume()
    following.step()
    following.claim()
    return following


def finish(host: ScriptedHost) -> None:
    """A script: the worker takes up what there is and speaks all that it has; its audio holds the text."""
    host.spool.take(9)
    for entry in SpoolClient(host.files()).entries():
        path = host.root / "work" / f"{entry}.json"
        if path.exists():
            job = SpoolJob.from_bytes(path.read_bytes())
            host.speak(TakenJob(entry, job), audio=b"RIFF of " + job.spec["text"].encode())


def text_of(bench: Bench, entry: str) -> str:
    """What a job that waits in the inbox is to speak."""
    job = SpoolJob.from_bytes((bench.root / "spool" / "inbox" / f"{entry}.json").read_bytes())
    return str(job.spec["text"])


class TestALaterLease:
    @pytest.mark.parametrize("phase", list(Phase))
    @pytest.mark.parametrize("flushed", [False, True])
    def test_takes_over_what_was_left_of_the_same_work(
        self, bench: Bench, phase: Phase, flushed: bool
    ) -> None:
        entry = left(bench, phase)
        if flushed:
            force_flush(bench)
            bench.enqueue(JOB)

        following = take_over(bench)

        assert list(bench.spool.entries().items()) == [(entry, phase)]
        assert [(kind, host) for kind, _, host in bench.told if kind == "adopted"] == [("adopted", "here")]
        bench.host.script = lambda: finish(bench.host)
        for _ in range(3):
            following.step()
        assert (bench.job(JOB).state, bench.job(JOB).attempt - bench.job(JOB).excused) == (JobState.DONE, 1)
        assert bench.host.spool.take(9) == []
        assert bench.spool.entries() == {}

    @pytest.mark.parametrize("phase", [Phase.WORK, Phase.OUTBOX])
    def test_takes_over_what_was_begun_on_a_host_of_our_own(self, bench: Bench, phase: Phase) -> None:
        entry = left(bench, phase, replaceable=False)

        take_over(bench, replaceable=False)

        assert bench.spool.entries() == {entry: phase}
        assert "adopted" in [kind for kind, _, _ in bench.told]

    @pytest.mark.parametrize("replaceable", [False, True])
    @pytest.mark.parametrize("phase", list(Phase))
    def test_of_another_text_under_the_same_id_gets_nothing_of_it(
        self, bench: Bench, phase: Phase, replaceable: bool
    ) -> None:
        """A forced flush, then the corrected text: the old audio must not be published for it."""
        assert OTHER_TEXT.request_id == JOB.request_id
        old = left(bench, phase, replaceable=replaceable)
        force_flush(bench)
        bench.enqueue(OTHER_TEXT)

        following = take_over(bench, replaceable=replaceable)

        ours = [entry for entry in bench.spool.entries() if entry != old]
        assert len(ours) == 1
        assert text_of(bench, ours[0]) == OTHER_TEXT.text
        bench.host.script = lambda: finish(bench.host)
        for _ in range(3):
            following.step()
        assert bench.job(JOB).state is JobState.DONE
        assert OTHER_TEXT.text.encode() in bench.output(JOB).read_bytes()
        assert bench.spool.entries() == {}

    def test_takes_over_nothing_that_nobody_will_finish(self, bench: Bench) -> None:
        """What was begun on a host that no worker serves is begun anew elsewhere."""
        old = left(bench, Phase.WORK)
        other = bench.another_host("there")
        other.script = lambda: None
        following = Dispatcher(bench.parts("next"))
        following.add(bench.host, lambda: 0, serves=lambda: False)
        following.add(other, lambda: 4)
        following.step()

        following.claim()

        assert bench.job(JOB).host == "there"
        assert old in bench.spool.entries()

    def test_takes_over_finished_audio_of_a_host_that_takes_no_new_job(self, bench: Bench) -> None:
        entry = left(bench, Phase.OUTBOX)
        other = bench.another_host("there")
        other.script = lambda: None
        following = Dispatcher(bench.parts("next"))
        following.add(bench.host, lambda: 0, serves=lambda: False)
        following.add(other, lambda: 4)
        following.step()

        following.claim()
        following.step()

        assert bench.job(JOB).state is JobState.DONE
        assert entry not in bench.spool.entries()

    def test_tells_the_queue_where_the_work_lies_that_it_took_over(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else whoever has to take it over next would look for the entry of this lease."""
        entry = left(bench, Phase.WORK)
        told: list[Placement] = []
        real = bench.queue.assign

        def assign(placements: Sequence[Placement]) -> list[Lease]:
            told.extend(placements)
            return real(placements)

        monkeypatch.setattr(bench.queue, "assign", assign)

        take_over(bench)

        assert [(item.host, item.spool_entry) for item in told] == [("here", entry)]
        assert [(kept, host) for kept, _, host in bench.journal.leases()] == [(entry, "here")]


def test_where_work_lies_is_written_into_the_row_of_its_lease(bench: Bench) -> None:
    bench.holding(JOB)

    assert bench.job(JOB).host == "here"
    (entry,) = bench.spool.entries()
    (lease,) = bench.queue.adopt(TERM, "another", hosts=["here"])
    assert (lease.host, lease.spool_entry) == ("here", entry)


def test_work_for_which_no_lease_comes_is_cleared_away_in_time(bench: Bench) -> None:
    left(bench, Phase.OUTBOX)
    following = bench.dispatcher("next", replaceable=True)
    following.step()
    bench.clock.advance(bench.limits.keep_strays_s - 1)
    following.step()
    assert list(bench.spool.entries().values()) == [Phase.OUTBOX]

    bench.clock.advance(2)
    following.step()

    assert bench.spool.entries() == {}


def vanished(bench: Bench) -> tuple[Dispatcher, str]:
    """Work was taken over and then removed from its spool; the dispatcher after it, and the old entry."""
    old = left(bench, Phase.WORK)
    following = take_over(bench)
    (bench.root / "spool" / "work" / f"{old}.json").unlink()
    bench.clock.advance(3)  # one that was just placed may only be on its way
    for _ in range(2):
        following.step()
    return following, old


def test_work_that_was_taken_over_and_vanished_is_submitted_anew_under_its_own_name(bench: Bench) -> None:
    following, old = vanished(bench)

    ((fresh, phase),) = bench.spool.entries().items()
    assert (fresh != old, phase) == (True, Phase.INBOX)
    assert [(entry, host) for entry, _, host in bench.journal.leases()] == [(fresh, "here")]
    assert following.held == 1
    bench.host.script = bench.host.speak_all
    following.step()
    assert bench.job(JOB).state is JobState.DONE
    assert list(bench.journal.leases()) == []


def test_the_row_of_its_lease_names_that_new_entry_too(bench: Bench) -> None:
    vanished(bench)

    ((fresh, _),) = bench.spool.entries().items()
    assert [lease.spool_entry for lease in bench.queue.adopt(TERM, "x", hosts=["here"])] == [fresh]


def test_work_that_was_taken_over_and_not_seen_once_is_not_handed_over_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have moved from one folder to another while they were listed."""
    old = left(bench, Phase.WORK)
    following = take_over(bench)
    bench.clock.advance(3)
    with monkeypatch.context() as patched:
        patched.setattr(SpoolClient, "entries", lambda client: {})
        following.step()

    for _ in range(2):
        following.step()

    assert bench.spool.entries() == {old: Phase.WORK}
    assert following.held == 1


class TestANewLeader:
    A, B = spec("a"), spec("b")

    def both(self, bench: Bench) -> Dispatcher:
        """The leader before: two jobs begun, one on each of two rented machines."""
        bench.another_host("there")
        before = bench.holding(self.A, self.B, name="ann", replaceable=True)
        for host in bench.hosts:
            host.script = lambda: None
            host.take()
        before.step()
        return before

    def places(self, bench: Bench) -> dict[str, str]:
        return {job.request_id: bench.job(job).host for job in (self.A, self.B)}

    def test_takes_running_work_over_where_it_is(self, bench: Bench) -> None:
        self.both(bench)
        places = self.places(bench)
        assert sorted(places.values()) == ["here", "there"]
        following = bench.dispatcher("bob", replaceable=True)

        assert following.adopt(TERM) == 2

        assert self.places(bench) == places
        assert {bench.job(job).consumer for job in (self.A, self.B)} == {"bob"}
        busy = [view.busy for name in ("here", "there") if (view := following.view(name))]
        assert busy == [1, 1]
        assert [host.spool.take(9) for host in bench.hosts] == [[], []]  # nothing was handed over again

    def test_settles_it_as_one_attempt(self, bench: Bench) -> None:
        self.both(bench)
        following = bench.dispatcher("bob", replaceable=True)
        following.adopt(TERM)
        for host in bench.hosts:
            finish(host)

        following.step()

        assert [bench.job(job).state for job in (self.A, self.B)] == [JobState.DONE] * 2
        assert [bench.job(job).attempt for job in (self.A, self.B)] == [1, 1]

    def test_is_not_disturbed_by_the_one_before(self, bench: Bench) -> None:
        """That one has lost its leases and must not cancel what goes on for another."""
        before = self.both(bench)
        following = bench.dispatcher("bob", replaceable=True)
        following.adopt(TERM)

        bench.clock.advance(21)
        for host in bench.hosts:
            host.beat()
        for _ in range(3):
            before.step()

        assert before.held == 0
        for host in bench.hosts:
            ((entry, phase),) = SpoolClient(host.files()).entries().items()
            assert phase is Phase.WORK
            assert not host.spool.canceled(entry)

    def test_leaves_alone_what_lies_on_hosts_that_are_not_its_own(self, bench: Bench) -> None:
        self.both(bench)
        following = Dispatcher(bench.parts("bob"))
        following.add(bench.host, lambda: 4, replaceable=True)

        assert following.adopt(TERM) == 1

        consumers = {bench.job(job).host: bench.job(job).consumer for job in (self.A, self.B)}
        assert consumers == {"here": "bob", "there": "ann"}

    def test_whose_term_is_over_takes_nothing(self, bench: Bench) -> None:
        self.both(bench)
        bench.leading = False
        following = bench.dispatcher("bob", replaceable=True)

        with pytest.raises(LeadershipLost):
            following.adopt(TERM)

        assert following.held == 0

    def test_without_hosts_asks_for_nothing(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        Refusal(monkeypatch, bench.queue, "adopt", HostUnreachable("never"))

        assert Dispatcher(bench.parts("bob")).adopt(TERM) == 0
