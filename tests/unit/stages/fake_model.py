"""An OpenAI-compatible endpoint on loopback: it answers what a test says, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, bytes]
Script = Callable[[Mapping[str, Any]], object]


@dataclass
class FakeModel:
    """`answer` gets the request's body and says the answer: an object, a text, or status and bytes."""

    answer: Script
    url: str = ""
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def reply(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        request = json.loads(body)
        self.asked.append(request)
        self.headers.append(headers)
        if path != "/v1/chat/completions":
            return 404, b"{}"
        said = self.answer(request)
        if isinstance(said, tuple):
            return said
        content = said if isinstance(said, str) else json.dumps(said)
        return 200, json.dumps({"choices": [{"message": {"content": content}}]}).encode()


@contextmanager
def serving(answer: Script) -> Iterator[FakeModel]:
    """The endpoint, as long as the block lasts."""
    fake = FakeModel(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, data = fake.reply(self.path, body, dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def writer(request: Mapping[str, Any]) -> object:
    """A model that answers every stage of `video` as it is asked to."""
    order, question = request["messages"][0]["content"], request["messages"][1]["content"]
    if "plan narrated films" in order:
        return {"title": "Planned", "sections": [{"title": "One", "summary": "What comes first."}]}
    if "check facts" in order:
        return {"claims": [{"claim": "The sea has 3 colours.", "doubt": "Count them."}]}
    if "edit narration" in order:
        beats = [line.partition(": ") for line in question.split("\n\n")[0].split("\n")]
        return {"beats": [{"id": name, "text": f"Edited: {text}"} for name, _, text in beats]}
    if "scripts for narration" in order or "write narration" in order:
        last = question.splitlines()[-1]
        return {"title": "Written", "sections": [{"title": "One", "paragraphs": [f"I was told: {last}."]}]}
    numbers = [line.partition(":")[0] for line in question.splitlines() if line.partition(":")[0].isdigit()]
    key = "picture" if "storyboards" in order else "prompt"
    return {"scenes": [{"scene": int(number), key: f"A {key} of {number}."} for number in numbers]}
