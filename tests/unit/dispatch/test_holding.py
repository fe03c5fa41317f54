"""What a watcher does with the jobs it holds, and what it tells of them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lib.dispatch import Limits
from lib.errors import Unavailable
from lib.jobqueue import JobState, Lease, LeaseLost, QueueOptions
from lib.jobqueue.errors import DamagedRow
