"""What may be ordered to go wrong in a rehearsal, and when: `outbid@60s`, `lost-reply@audio`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from job_watcher.rehearsal.vast import FakeVast, Mishap, edited, lost_reply, rate_limited, server_error
from job_watcher.rehearsal.vast.instances import RentedInstance
from lib.errors import UsageError

_ORDER: Final = re.compile(r"(?P<kind>[a-z_-]+)@(?:(?P<seconds>[0-9]{1,5}(?:\.[0-9]+)?)s?|(?P<audio>audio))")
_BOOTING: Final = frozenset({None, "created", "loading"})
_DEARER: Final = 2.5  # times what it cost
_CALLS: Final = 4  # in a row that go wrong

#: Does it, and says so; None while there is nothing that it could happen to.
FaultAct = Callable[[FakeVast], str | None]


@dataclass(frozen=True, slots=True)
class OrderedFault:
    """One of `FAULTS`, so many seconds after the jobs were enqueued; None: once the first audio has come."""

    kind: str
    after_s: float | None

    def due(self, seconds: float, audio_came: bool) -> bool:
        """Whether its time has come."""
        return audio_came if self.after_s is None else seconds >= self.after_s


#: What happens where nothing is ordered.
USUAL_FAULT: Final = OrderedFault("outbid", None)


def read_fault(text: str) -> OrderedFault:
    """From `outbid@60s`.

    Raises:
        UsageError: there is no such fault, or no time behind it.
    """
    found = _ORDER.fullmatch(text)
    kind = "" if found is None else found["kind"].replace("_", "-")
    if found is None or kind not in FAULTS:
        raise UsageError(
            f"--fault {text!r} is none: write KIND@SECONDS, as outbid@30s, or KIND@audio, for when the first "
            f"audio has come. KIND is one of {', '.join(FAULTS)}"
        )
    return OrderedFault(kind, None if found["audio"] else float(found["seconds"]))


def _living(fake: FakeVast, fits: Callable[[RentedInstance], bool]) -> RentedInstance | None:
    """The oldest that is not destroyed and fits."""
    return next((each for each in fake.instances() if each.destroyed_at is None and fits(each)), None)


def _runs(each: RentedInstance) -> bool:
    return each.actual == "running" and each.contract == "running"


def _befalls(mishap: Mishap, sentence: str, fits: Callable[[RentedInstance], bool] = _runs) -> FaultAct:
    """Something happens to a machine."""

    def act(fake: FakeVast) -> str | None:
        found = _living(fake, fits)
        if found is None:
            return None
        fake.befall(found.id, mishap)
        return f"instance {found.id} {sentence}"

    return act


def _stuck_loading(fake: FakeVast) -> str | None:
    found = _living(fake, lambda each: each.actual in _BOOTING)
    if found is None:
        return None
    fake.get_stuck(found.id)
    return f"instance {found.id} gets stuck while it loads its image"


def _host_gone(fake: FakeVast) -> str | None:
    found = _living(fake, lambda each: True)
    if found is None:
        return None
    fake.take_away(found.id)
    return f"the host of instance {found.id} is gone for good"


def _price_rise(fake: FakeVast) -> str | None:
    found = _living(fake, _runs)
    if found is None:
        return None
    fake.reprice(found.id, found.gpu_price * _DEARER)
    return f"instance {found.id} costs {found.gpu_price:.3f} USD an hour from now on, {_DEARER} times as much"


def _credit_gone(fake: FakeVast) -> str | None:
    fake.set_credit(0.0)
    return "the account's credit is used up: the company stops everything"


def _lost_reply(fake: FakeVast) -> str | None:
    fake.faults.add(lost_reply("create"))
    return "the next machine will be rented, and the answer will be lost on its way"


def _lost_destroy(fake: FakeVast) -> str | None:
    fake.faults.add(lost_reply("destroy"))
    return "the next machine will be destroyed, and the answer will be lost on its way"


def _rate_limited(fake: FakeVast) -> str | None:
    fake.faults.add(rate_limited("*", times=_CALLS, retry_after="2"))
    return f"the company refuses the next {_CALLS} calls: too many"


def _server_error(fake: FakeVast) -> str | None:
    fake.faults.add(server_error("*", times=_CALLS))
    return f"the company's server fails at the next {_CALLS} calls"


def _empty_list(fake: FakeVast) -> str | None:
    fake.faults.add(edited("list", lambda body: {**body, "instances": []}, times=_CALLS))
    return f"the company's list is empty for the next {_CALLS} calls, though machines run"


#: By the words that order them.
FAULTS: Final[Mapping[str, FaultAct]] = {
    "outbid": _befalls(Mishap.OUTBID, "is outbid: somebody pays more, and it is stopped without notice"),
    "offline": _befalls(Mishap.OFFLINE, "is offline: its host does not answer"),
    "exit": _befalls(Mishap.EXIT, "ends: its container exited"),
    "gpu-gone": _befalls(Mishap.GPU_GONE, "has lost its GPU"),
    "ssh-dead": _befalls(Mishap.SSH_DEAD, "runs on, and no SSH server answers there"),
    "direct-dead": _befalls(Mishap.DIRECT_DEAD, "cannot be reached at its own address, only by the proxy"),
    "proxy-dead": _befalls(Mishap.PROXY_DEAD, "cannot be reached by the proxy any more"),
    "cut": _befalls(Mishap.CUT, "has all its SSH connections broken; new ones are taken"),
    "unknown": _befalls(Mishap.UNKNOWN, "has a status that nobody understands"),
    "keys-refreshed": _befalls(Mishap.KEYS_REFRESHED, "forgets the SSH keys that the company does not know"),
    "stuck-loading": _stuck_loading,
    "host-gone": _host_gone,
    "price-rise": _price_rise,
    "credit-gone": _credit_gone,
    "lost-reply": _lost_reply,
    "lost-destroy": _lost_destroy,
    "rate-limited": _rate_limited,
    "server-error": _server_error,
    "empty-list": _empty_list,
}
