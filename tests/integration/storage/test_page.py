"""The page on buckets, followed where that can be: its own words against real servers."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lib.storage import Claim, FileStorage, S3Access, Storage, StorageUnavailable, open_storage
from lib.storage.s3 import address_of
from tests.integration.storage.conftest import Place
from tests.s3_servers import ACCESS, BUCKET, S3Server, pair_of_ports

PAGE = (Path(__file__).parents[3] / "docs/how-to/storage.md").read_text(encoding="utf-8")


def block(having: str) -> str:
    """The one block of the page that has these words."""
    (found,) = [each for each in re.findall(r"```(?:sh|json)\n(.*?)```", PAGE, re.DOTALL) if having in each]
    return str(found)


def exported(text: str) -> dict[str, str]:
    """What a block exports."""
    lines = [line for line in text.splitlines() if line.startswith("export ")]
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line)[1:])


def tool(name: str) -> str:
    path = Path(sys.executable).parent / name
    if not path.exists():
        pytest.skip(f"{name} is not installed (pip install 'job-runner[dev]')")
    return str(path)


def test_every_address_on_the_page_is_one() -> None:
    urls = re.findall(r"STORAGE_URL='(s3://[a-z][^']*)'", PAGE)

    assert len(urls) == 5
    assert {address_of(url, None).bucket for url in urls} == {"my-audio", "audio"}


def test_the_rights_on_the_page_are_those_that_refusals_ask_for() -> None:
    policy = json.loads(block('"Version"'))
    allowed = {action for each in policy["Statement"] for action in each["Action"]}

    assert allowed >= {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"}


def test_a_store_takes_the_rule_for_what_was_never_completed(seaweed: S3Server) -> None:
    (words,) = [line for line in re.split(r"\n(?=aws )", PAGE) if "put-bucket-lifecycle" in line]
    rule: Any = json.loads(words.split("```")[0].partition("--lifecycle-configuration '")[2].rstrip("'\n"))

    answer = seaweed.client().put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=rule)

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    seaweed.client().delete_bucket_lifecycle(Bucket=BUCKET)


def test_what_lies_in_a_folder_is_copied_to_a_bucket_as_it_is(place: Place, tmp_path: Path) -> None:
    folder = FileStorage(tmp_path / "storage")
    artifact = place.put(folder, b"audio")
    folder.publish(Claim("a", 1, 7), "topic/x", {"topic/x.wav": artifact})
    (line,) = [line for line in block("rclone copy").splitlines() if line.startswith("rclone copy ")]
    words = shlex.split(line)
    assert words[2:] == ["~/.local/share/job-runner/storage", "REMOTE:BUCKET/PREFIX"]
    environ = {
        **os.environ,
        "RCLONE_CONFIG": str(tmp_path / "none.conf"),
        "RCLONE_CONFIG_REMOTE_TYPE": "s3",
        "RCLONE_CONFIG_REMOTE_PROVIDER": "SeaweedFS",
        "RCLONE_CONFIG_REMOTE_ENDPOINT": place.server.endpoint,
        "RCLONE_CONFIG_REMOTE_ACCESS_KEY_ID": str(ACCESS.key_id),
        "RCLONE_CONFIG_REMOTE_SECRET_ACCESS_KEY": str(ACCESS.secret),
    }
    target = f"REMOTE:{BUCKET}/{place.prefix}"
    command = [tool(words[0]), words[1], str(tmp_path / "storage"), target]
    subprocess.run(command, env=environ, check=True, capture_output=True, timeout=60)

    assert place.storage.verify(artifact)
    assert place.storage.stands(artifact, "topic/x.wav")
    assert place.storage.owner("topic/x") == Claim("a", 1, 7)


@pytest.mark.soak
def test_the_server_of_the_page_serves_the_store_of_the_page(tmp_path: Path) -> None:
    """Word by word, but for its ports: others may be taken."""
    weed, setup = tool("weed"), block("weed server")
    ports = {name: pair_of_ports() for name in ("master.port", "volume.port", "filer.port", "s3.port")}
    more = [f"-{name}={port}" for name, port in ports.items()]
    lines = setup.replace("weed server", f"exec {weed} server")
    script = f"{lines.rstrip()} {shlex.join([*more, '-s3.port.iceberg=0', '-s3.port.lance=0'])}\n"
    use = exported(block("beside it") if "beside it" in setup else block("127.0.0.1:8333"))
    with subprocess.Popen(["sh", "-c", script], cwd=tmp_path, stderr=subprocess.DEVNULL) as server:
        try:
            url = use["STORAGE_URL"].replace(":8333", f":{ports['s3.port']}")
            access = S3Access(use["AWS_ACCESS_KEY_ID"], use["AWS_SECRET_ACCESS_KEY"])
            store = wait_for(url, access)
            assert store.examine().lacks == ()
        finally:
            server.kill()


def wait_for(url: str, access: S3Access) -> Storage:
    """The store, once its server takes something."""
    give_up = time.monotonic() + 60
    while True:
        store = open_storage(url, access)
        try:
            store.examine()
        except StorageUnavailable:
            assert time.monotonic() < give_up, "it did not come up"
            time.sleep(0.5)
        else:
            return store
