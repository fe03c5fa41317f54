"""What a rented machine is asked before it gets work, and what is rented for (W10, W11)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.bootstrap import Bootstrap
from job_watcher.providers.over_ssh.machine_spec import MachineSpec
from job_watcher.providers.over_ssh.ports import MachineOut, Stage
from job_watcher.providers.over_ssh.preparation import SshPreparation
from job_watcher.providers.rented.preparation import RentedPreparation, still_fit
from job_watcher.providers.vast.terms import check_caps, terms_of
from lib.bundle import BundleMaker
from lib.errors import BadConfiguration
from lib.fleet import Caps, Policy
from lib.offer import same_gpu
from lib.units import MIB
from lib.voices import USUAL_IMAGE, EngineFacts, engine_facts
from lib.workers.ssh import CommandResult, RemoteTimedOut, SshAddress
from tests.unit.rented.near import DIRECT, NearLink, Prepared

NONCE_FILE = ".job-runner/nonce"
NONCE = "0123456789abcdef"


@pytest.fixture
def link(tmp_path: Path) -> NearLink:
    made = NearLink(tmp_path, DIRECT)
    made.shims["nvidia-smi"] = "NVIDIA GeForce RTX 4090, 24564\n"
    file = tmp_path / NONCE_FILE
    file.parent.mkdir()
    file.write_text(NONCE)
    return made


def reason(link: NearLink, *, gpu: str = "RTX 4090", out: MachineOut | None = None) -> tuple[str, list[str]]:
    """Why it is not used, "" where it is; and what was said to be our own fault."""
    ours: list[str] = []
    preparation = RentedPreparation(
        Prepared(out), nonce=NONCE, nonce_file=NONCE_FILE, gpu=gpu, our_fault=ours.append
    )
    stages: list[Stage] = []
    try:
        preparation.prepare(link, stages.append)
    except MachineOut as found:
        return found.reason, ours
    return "", ours


def test_the_machine_that_was_rented_is_used(link: NearLink) -> None:
    assert reason(link) == ("", [])


def test_one_that_knows_another_nonce_is_not_the_one_that_was_rented(link: NearLink) -> None:
    (link.home / NONCE_FILE).write_text("something else")

    assert reason(link) == ("nonce", [])


def test_one_that_has_not_begun_what_it_was_told_is_waited_for(link: NearLink) -> None:
    """sshd may answer before the script of its start has run."""
    (link.home / NONCE_FILE).unlink()

    assert reason(link) == ("starting", [])


def test_another_gpu_than_was_offered_is_a_lie(link: NearLink) -> None:
    link.shims["nvidia-smi"] = "Tesla T4, 15360\n"

    assert reason(link) == ("wrong_gpu", [])


def test_no_gpu_at_all_is_told(link: NearLink) -> None:
    link.shims["nvidia-smi"] = "No devices were found\n"

    assert reason(link) == ("gpu", [])
    with pytest.raises(MachineOut, match="lists no GPU"):
        still_fit(link, "RTX 4090")


def test_what_no_other_machine_would_be_better_for_is_our_fault(link: NearLink) -> None:
    """Else one machine after another would be rented for it."""
    found = reason(link, out=MachineOut("no_bundle", "No wheel of ours fits."))

    assert found == ("no_bundle", ["No wheel of ours fits."])


@pytest.mark.parametrize(
    ("offered", "listed"),
    [
        ("RTX 4090", "NVIDIA GeForce RTX 4090"),
        ("RTX 4090D", "NVIDIA GeForce RTX 4090 D"),
        ("RTX 6000Ada", "NVIDIA RTX 6000 Ada Generation"),
        ("H100 SXM", "NVIDIA H100 80GB HBM3"),
        ("A100 SXM4", "NVIDIA A100-SXM4-40GB"),
        ("RTX 4070S Ti", "NVIDIA GeForce RTX 4070 Ti SUPER"),
        ("Q RTX 8000", "Quadro RTX 8000"),
        ("Tesla T4", "Tesla T4"),
    ],
)
def test_a_gpu_is_known_by_each_of_its_names(offered: str, listed: str) -> None:
    assert same_gpu(offered, listed)


@pytest.mark.parametrize(
    ("offered", "listed"),
    [
        ("RTX 4090", "NVIDIA GeForce RTX 4090 D"),
        ("RTX 4090", "NVIDIA GeForce RTX 4090 Laptop GPU"),
        ("RTX 3080", "NVIDIA GeForce RTX 3080 Ti"),
        ("RTX 3090", "NVIDIA GeForce RTX 3060"),
        ("RTX A4000", "NVIDIA RTX A6000"),
    ],
)
def test_another_gpu_is_another_one(offered: str, listed: str) -> None:
    assert not same_gpu(offered, listed)


class TestWhatIsRented:
    def test_follows_from_what_the_engine_needs(self) -> None:
        facts = EngineFacts("large", "Large", frozenset(), {}, {}, least_vram_gb=18.0, download_gb=10.0)

        terms = terms_of(facts, Policy(), image=None, disk_gb=None)

        assert terms.image == USUAL_IMAGE
        assert terms.disk_gb >= 30
        assert terms.policy.least_vram_gb == 18.0
        assert terms.policy.download_gb == terms.download_gb > 10.0
        assert terms.policy.least_disk_gb == terms.disk_gb

    def test_the_image_and_the_driver_are_those_of_the_engine_s_packages(self) -> None:
        facts = EngineFacts(
            "large", "Large", frozenset(), {}, {}, image="its:own", least_vram_gb=8.0, least_cuda=13.0
        )

        terms = terms_of(facts, Policy(least_cuda=12.4), image=None, disk_gb=None)

        assert (terms.image, terms.policy.least_cuda) == ("its:own", 13.0)
        assert terms_of(facts, Policy(least_cuda=13.1), image=None, disk_gb=None).policy.least_cuda == 13.1

    def test_there_is_room_for_packages_and_for_each_model_that_may_be_downloaded(self) -> None:
        qwen = engine_facts("qwen3")

        one, three = (terms_of(qwen, Policy(), image=None, disk_gb=None, models=n) for n in (1, 3))

        assert one.download_gb >= qwen.packages_gb + qwen.download_gb
        assert one.disk_gb >= 3 * qwen.packages_gb + 2 * qwen.download_gb
        assert three.disk_gb - one.disk_gb == 2 * qwen.download_gb
        assert three.download_gb == one.download_gb  # only the first is waited for

    def test_an_engine_of_the_cpu_asks_for_no_gpu_memory(self) -> None:
        terms = terms_of(engine_facts("hibari"), Policy(), image=None, disk_gb=None)

        assert (terms.policy.least_vram_gb, terms.policy.least_cuda) == (0.0, 0.0)
        assert terms.disk_gb < 20

    def test_what_was_set_is_what_is_rented(self) -> None:
        terms = terms_of(engine_facts("hibari"), Policy(), image="mine@sha256:00", disk_gb=99)

        assert (terms.image, terms.disk_gb) == ("mine@sha256:00", 99)

    @pytest.mark.parametrize(
        ("name", "policy", "caps"),
        [
            ("MAX_MACHINES", Policy(max_machines=0), Caps()),
            ("MAX_DPH", Policy(), Caps(hourly_price=0)),
            ("SPEND_CAP_HOUR", Policy(), Caps(hour=0)),
            ("SPEND_CAP_DAY", Policy(), Caps(day=0)),
            ("SPEND_CAP_MONTH", Policy(), Caps(month=0)),
            ("SPEND_CAP_MACHINE", Policy(), Caps(machine=0)),
            ("SPEND_CAP_BATCH", Policy(), Caps(batch=0)),
        ],
    )
    def test_a_limit_that_lets_nothing_be_rented_is_refused(
        self, name: str, policy: Policy, caps: Caps
    ) -> None:
        """W8: before anything is asked of anybody."""
        check_caps(Policy(), Caps())

        with pytest.raises(BadConfiguration, match=name):
            check_caps(policy, caps)


class Loading(NearLink):
    """Its engine loads for longer than anybody waits."""

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, most: int = MIB
    ) -> CommandResult:
        if argv[:2] == ("sh", "-s") and len(argv) > 2:
            raise RemoteTimedOut(f"nothing after {timeout_s:.0f} s")
        return super().run(argv, stdin=stdin, timeout_s=timeout_s, most=most)

    def begin_workers(self, count: int, program: str, home: str) -> list[str]:
        return [f"{home}/worker"]

    def end_surplus(self, count: int, home: str) -> None:
        """There is none."""


@pytest.mark.parametrize(("engine", "waits"), [("hibari", "180 s"), ("qwen3", "540 s")])
def test_weights_have_their_time_to_be_downloaded_before_the_first_sentence(
    engine: str, waits: str, tmp_path: Path
) -> None:
    machine = Loading(tmp_path, DIRECT)
    machine.shims["nvidia-smi"] = "NVIDIA Test, 24576"
    spec = MachineSpec(SshAddress("me", "near"), workers=1)
    bootstrap = Bootstrap(BundleMaker(tmp_path, ""))
    preparation = SshPreparation(spec, bootstrap, engine=engine, program="/bin/true")
    preparation.prepare(machine, lambda stage: None)

    with pytest.raises(MachineOut, match=f"did not answer within {waits} at the gate engine"):
        preparation.check(machine)
