"""Supabase Storage as far as `/storage/v1/object` goes: a server on loopback that can fail."""

from __future__ import annotations

import email.parser
import email.policy
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "the-service-key-of-a-project"
BUCKET = "imagen-generated"
_ROOT = "/storage/v1/object/"


class SupabaseDouble:
    """`faults` are carried out by the next requests, one each: a status, "lost" (it is done, and the answer
    never comes), or "html" (somebody else answers). `old` answers refusals with 400, as older servers do."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.faults: deque[int | str] = deque()
        self.requests: list[str] = []
        self.old = False
        self._keeping = threading.Lock()
        handler = type("Handler", (_Handler,), {"double": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def keep(self, key: str, data: bytes, kind: str, *, over: bool) -> bool:
        """Whether it is kept: of several at once the first is, as by the service's unique names."""
        with self._keeping:
            if key in self.objects and not over:
                return False
            self.objects[key], self.types[key] = data, kind
            return True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    double: SupabaseDouble

    def log_message(self, format: str, *args: object) -> None:
        pass

    _fault: int | str | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self._key()
        if key is None:
            return
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        over = self.headers.get("x-upsert") == "true"
        parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        for part in parts.iter_parts():
            if part.get_filename():
                data = part.get_payload(decode=True)
                assert isinstance(data, bytes)
                if not self.double.keep(key, data, part.get_content_type(), over=over):
                    self._refuse(409, "Duplicate", "The resource already exists")
                    return
        self._answer(200, json.dumps({"Key": f"{BUCKET}/{key}", "Id": "1"}).encode())

    def do_GET(self) -> None:
        key = self._key()
        if key is None:
            return
        if key not in self.double.objects:
            self._refuse(404, "not_found", "Object not found")
            return
        self._answer(200, self.double.objects[key])

    def _key(self) -> str | None:
        """The key that is meant; None: it was refused."""
        self.double.requests.append(f"{self.command} {self.path}")
        self._fault = self.double.faults.popleft() if self.double.faults else None
        if isinstance(self._fault, int):
            location = {"Location": "http://127.0.0.1:1/"} if self._fault == 302 else {}
            body = {"statusCode": str(self._fault), "error": "Internal", "message": "no"}
            self._answer(self._fault, json.dumps(body).encode(), location)
        elif self._fault == "html":
            self._answer(200, b"<html>Sign in</html>")
        elif self.headers["Authorization"] != f"Bearer {KEY}" or self.headers["apikey"] != KEY:
            self._refuse(403, "Unauthorized", "Invalid Compact JWS")
        elif not self.path.startswith(_ROOT + BUCKET + "/"):
            self._refuse(404, "Bucket not found", "Bucket not found")
        else:
            return self.path.removeprefix(_ROOT + BUCKET + "/")
        return None

    def _refuse(self, status: int, error: str, message: str) -> None:
        body = {"statusCode": str(status), "error": error, "message": message}
        self._answer(400 if self.double.old else status, json.dumps(body).encode())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        if self._fault == "lost":
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
