"""The sample of the page accepts what we sign, and nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from lib.webhooks import signature

PAGE = Path(__file__).parents[3] / "docs/reference/webhooks.md"


def test_the_sample_of_the_page_verifies_a_post() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    sample: dict[str, Any] = {}
    exec(code, sample)
    stamp, body = int(time.time()), b'{"id": "x"}'
    headers = {"Webhook-Timestamp": str(stamp), "Webhook-Signature": signature("hush", stamp, body)}

    assert sample["is_ours"]("hush", headers, body)
    assert not sample["is_ours"]("hush", headers, body + b" ")
    assert not sample["is_ours"]("other", headers, body)
    assert not sample["is_ours"]("hush", {**headers, "Webhook-Timestamp": str(stamp - 900)}, body)
