"""P20, P30: a text is mended at its gate over REST, whole, where it lies, about what was seen."""

from __future__ import annotations

from pathlib import Path

import httpx

from lib.pipeline.overview import gates_inbox
from tests.doubles.console import ConsoleDesk
from tests.unit.console.test_routes import ask

APPROVE = "/runs/{run}/gates/{stage}/approve"
EDIT = "/runs/{run}/gates/{stage}/files/{path}"


def test_a_text_is_mended_and_the_decision_is_about_what_it_says_then(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    desk.start("r1")
    desk.work(files={"a/script.txt": b"Teh sea.", "picture.png": b"x"})
    (gate,) = gates_inbox(desk.ledger)
    edit = "/runs/r1/gates/script/files/"
    body = {"text": "The sea. \u2603", "seen": gate.gate.seen, "operator": "ann"}
    for other in ("picture.png", "none.txt", "a/../a/script.txt"):
        ask(client, "POST", template=EDIT, path=edit + other.replace("/../", "/..%2f"), status=404, json=body)
    now = ask(client, "POST", template=EDIT, path=edit + "a/script.txt", json=body)
    assert (desk.folder / "runs/r1/a/script.txt").read_text() == "The sea. \u2603"
    (after,) = gates_inbox(desk.ledger)
    assert now["seen"] == after.gate.seen != gate.gate.seen
    assert '"operator": "ann"' in desk.parts.audit.path.read_text()
    ask(client, "POST", template=EDIT, path=edit + "a/script.txt", status=409, json={**body, "text": "Late."})
    late = {"operator": "bob", "seen": gate.gate.seen}
    ask(client, "POST", "/runs/r1/gates/script/approve", template=APPROVE, status=409, json=late)
    late["seen"] = now["seen"]
    ask(client, "POST", "/runs/r1/gates/script/approve", template=APPROVE, json=late)
    body = {**body, "seen": now["seen"], "text": "Too late."}
    told = ask(client, "POST", template=EDIT, path=edit + "a/script.txt", status=409, json=body)
    assert "approved by bob" in told["error"]["message"]
    assert (desk.folder / "runs/r1/a/script.txt").read_text() == "The sea. \u2603"


def test_a_text_that_lies_otherwise_than_was_looked_at_is_not_written_over(
    desk: ConsoleDesk, client: httpx.Client, tmp_path: Path
) -> None:
    desk.start("r1")
    desk.work(files={"script.txt": b"Teh sea."})
    edit, file = "/runs/r1/gates/script/files/script.txt", desk.folder / "runs/r1/script.txt"
    body = {"text": "The sea.", "seen": gates_inbox(desk.ledger)[0].gate.seen, "operator": "ann"}
    file.write_bytes(b"Mine.")
    ask(client, "POST", template=EDIT, path=edit, status=409, json=body)
    assert file.read_bytes() == b"Mine."
    body["seen"] = gates_inbox(desk.ledger)[0].gate.seen
    ask(client, "POST", template=EDIT, path=edit, status=422, json={**body, "text": "\u2603" * (1 << 19)})
    secret = tmp_path / "secret"
    secret.write_bytes(b"Mine.")
    file.unlink()
    file.symlink_to(secret)
    ask(client, "POST", template=EDIT, path=edit, status=503, json=body)
    assert secret.read_bytes() == b"Mine."
