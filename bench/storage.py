"""What a finished job costs its store: put and publish, in a folder and in a bucket.

    .venv/bin/python -m bench.storage [--json] [--jobs 50]

Milliseconds for one job (1 MB of audio under a new name, by one caller), medians, on this machine's disk and
on a SeaweedFS on loopback; beside them the requests that the bucket sees, which a store far away makes dear.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from lib.storage import Claim, FileStorage, S3Storage, Storage
from lib.storage.s3 import address_of
from tests.integration.storage.proxy import Proxy
from tests.s3_servers import ACCESS, start_seaweed

_BYTES = 1_000_000


def measure(storage: Storage, folder: Path, count: int) -> dict[str, float]:
    """Medians of put and publish, in milliseconds; the first job is not counted."""
    puts, publications = [], []
    for number in range(count + 1):
        data = os.urandom(_BYTES)
        sha256, path = hashlib.sha256(data).hexdigest(), folder / "take.wav"
        path.write_bytes(data)
        began = time.perf_counter()
        artifact = storage.put(path, sha256=sha256, bytes=_BYTES)
        stored = time.perf_counter()
        name = f"topic/beat-{number:04d}"
        storage.publish(Claim(f"topic:beat-{number:04d}", 1, number + 1), name, {f"{name}.wav": artifact})
        published = time.perf_counter()
        puts.append(stored - began)
        publications.append(published - stored)
    return {
        "put_ms": round(statistics.median(puts[1:]) * 1000, 1),
        "publish_ms": round(statistics.median(publications[1:]) * 1000, 1),
    }


def requests_of_a_job(storage: Storage, proxy: Proxy, folder: Path) -> dict[str, int]:
    """How many requests each step makes."""
    data, path = os.urandom(_BYTES), folder / "take.wav"
    path.write_bytes(data)
    storage.examine()
    proxy.seen.clear()
    artifact = storage.put(path, sha256=hashlib.sha256(data).hexdigest(), bytes=_BYTES)
    put = len(proxy.seen)
    storage.publish(Claim("topic:counted", 1, 1), "topic/counted", {"topic/counted.wav": artifact})
    return {"put": put, "publish": len(proxy.seen) - put}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=50)
    options = parser.parse_args()
    server = start_seaweed()
    proxy = Proxy(server.endpoint)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            through = S3Storage(address_of(f"s3://audio/counted?endpoint={proxy.endpoint}", None), ACCESS)
            bucket = S3Storage(address_of(server.url("bench"), None), ACCESS)
            found: dict[str, Any] = {
                "folder": measure(FileStorage(folder / "store"), folder, options.jobs),
                "bucket": measure(bucket, folder, options.jobs),
                "requests": requests_of_a_job(through, proxy, folder),
            }
    finally:
        proxy.close()
        server.remove()
    if options.json:
        print(json.dumps(found))
        return
    for kind in ("folder", "bucket"):
        print(f"{kind}: put {found[kind]['put_ms']} ms, publish {found[kind]['publish_ms']} ms")
    print(f"requests: put {found['requests']['put']}, publish {found['requests']['publish']}")


if __name__ == "__main__":
    main()
