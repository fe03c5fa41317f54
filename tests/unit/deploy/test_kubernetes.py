"""The manifests: as kubectl builds them, by the schemas of Kubernetes, and against what a watcher needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib.jobqueue.redis.keys import GROUP, Keys
from lib.settings import load_settings
from tests.unit.deploy.tools import DEPLOY, output_of, tool

FOLDER = DEPLOY / "kubernetes"
OVERLAYS = ("base", "keda", "gpu")
WORKER_GRACE_S = 40  # how long a watcher gives its workers to end once it has drained, and a margin

#: What KEDA documents of a trigger's metadata (docs 2.20: scalers/redis-streams, scalers/redis-lists).
METADATA = {
    "redis-streams": {"stream", "streamLength"},
    "redis": {"listName", "listLength"},
}


@cache
def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    """Every object of the files by kind and name."""
    files = [path for path in sorted(FOLDER.rglob("*.yaml")) if path.name != "kustomization.yaml"]
    found = [item for path in files for item in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    return {(item["kind"], item["metadata"]["name"]): item for item in found}


def pod_of(kind: str, name: str) -> dict[str, Any]:
    """The pod that an object makes."""
    spec = manifests()[kind, name]["spec"]
    found: dict[str, Any] = (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]["spec"]
    return found


PODS = [("Deployment", "watcher"), ("CronJob", "reconcile")]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubectl_builds_it_and_it_fits_the_schemas_of_kubernetes(overlay: str, tmp_path: Path) -> None:
    built = tmp_path / "built.yaml"
    built.write_text(output_of(tool("kubectl"), "kustomize", FOLDER / overlay))
    kinds = [item["kind"] for item in yaml.safe_load_all(built.read_text())]
    assert ("ScaledObject" in kinds) is (overlay != "base")

    output_of(tool("kubernetes-validate"), "--strict", built)


def test_a_deploy_lets_the_watcher_drain() -> None:
    """W17: what is killed before is done again, and its time is lost."""
    drain = int(manifests()["ConfigMap", "job-runner"]["data"]["WATCHER_DRAIN_SECONDS"])

    assert pod_of("Deployment", "watcher")["terminationGracePeriodSeconds"] >= drain + WORKER_GRACE_S


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_a_pod_has_no_right_that_it_does_not_need(kind: str, name: str) -> None:
    """As the namespace asks: pod-security `restricted`; and no token of Kubernetes."""
    pod = pod_of(kind, name)
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/work", "/tmp"}
    assert "memory" in container["resources"]["limits"]


def test_liveness_is_not_readiness_and_both_are_asked_where_the_watcher_listens() -> None:
    """A Redis that is away makes a watcher wait, not end: only /readyz says so."""
    (container,) = pod_of("Deployment", "watcher")["containers"]
    port = int(manifests()["ConfigMap", "job-runner"]["data"]["WATCHER_LISTEN"].rpartition(":")[2])

    assert container["ports"] == [{"name": "watch", "containerPort": port}]
    asked = {name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")}
    assert asked == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_the_settings_are_ours_and_hold_no_secret() -> None:
    data = manifests()["ConfigMap", "job-runner"]["data"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in data.items():
            patch.setenv(name, value)
        found = load_settings({})
    assert (found.provider, found.local_workers, found.watcher_drain_seconds) == ("local", 1, 600)
    assert not found.warnings
    assert not {"REDIS_URL", "AWS_SECRET_ACCESS_KEY"} & set(data)


def test_the_example_of_a_secret_is_empty_and_is_applied_by_nobody() -> None:
    for name in ("job-runner", "job-runner-keda"):
        assert set(manifests()["Secret", name]["stringData"].values()) == {""}
    for overlay in OVERLAYS:
        listed = yaml.safe_load((FOLDER / overlay / "kustomization.yaml").read_text(encoding="utf-8"))
        assert not [name for name in listed["resources"] if "secret" in name]


def test_selectors_find_the_pods_that_are_meant() -> None:
    labels = manifests()["Deployment", "watcher"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        chosen = manifests()[kind, "watcher"]["spec"]["selector"]["matchLabels"]
        assert chosen.items() <= labels.items()
    (rule,) = manifests()["NetworkPolicy", "job-runner"]["spec"]["podSelector"]["matchExpressions"]
    assert set(rule["values"]) == {name for _, name in PODS}


class TestTheScaledObject:
    @property
    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = manifests()["ScaledObject", "watcher"]["spec"]
        return found

    def test_looks_at_the_keys_of_our_queue(self) -> None:
        keys = Keys("pab:jobs")
        seen = {
            item["name"]: item["metadata"].get("stream") or item["metadata"]["listName"]
            for item in self.spec["triggers"]
        }
        assert seen == {name: keys[name] for name in ("high", "normal", "low", "delayed", "batches")}

    def test_names_no_group_since_with_one_keda_counts_what_is_no_demand(self) -> None:
        for item in self.spec["triggers"]:
            assert set(item["metadata"]) == METADATA[item["type"]], GROUP

    def test_adds_up_every_trigger_by_its_name(self) -> None:
        formula = self.spec["advanced"]["scalingModifiers"]["formula"]
        assert all(item["name"] in formula for item in self.spec["triggers"])

    def test_asks_for_a_pod_for_as_many_jobs_as_one_holds(self) -> None:
        workers = int(manifests()["ConfigMap", "job-runner"]["data"]["LOCAL_WORKERS"])
        assert int(self.spec["advanced"]["scalingModifiers"]["target"]) == 4 * workers

    def test_scales_the_watchers_and_its_login_is_a_secret(self) -> None:
        assert self.spec["scaleTargetRef"] == {"name": "watcher"}
        login = manifests()["TriggerAuthentication", "queue"]["spec"]["secretTargetRef"]
        secret = manifests()["Secret", "job-runner-keda"]["stringData"]
        assert {item["key"] for item in login} == set(secret)
        assert all(item["authenticationRef"] == {"name": "queue"} for item in self.spec["triggers"])
