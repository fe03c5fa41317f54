"""Writes what a machine does at its start: it lets us in, says who it is, and watches for its own end."""

from __future__ import annotations

import functools
import re
import shlex
from importlib import resources
from typing import Final

from lib.providers.rental import BootPlan, ProviderError

#: The folder on a machine, in its home, and what is in it.
FOLDER: Final = ".job-runner"
LEASE_FILE: Final = f"{FOLDER}/lease"  # to be filled with anything new, often; that keeps the machine
NONCE_FILE: Final = f"{FOLDER}/nonce"
ENDING_FILE: Final = f"{FOLDER}/ending"  # why it ends itself; it will, once this is there
LAST_WORDS_FILE: Final = f"{FOLDER}/last-words"  # a program that it runs before, for 300 s at most

#: Vast takes no longer one, counted with arguments that are none here.
MOST_CHARACTERS: Final = 4096
_LONGEST_RETRY_S: Final = 20
_LONGEST_TICK_S: Final = 30
_HOST_KEY: Final = "job-runner-host-key"
_KEY: Final = r"(?:ssh|ecdsa)-[a-z0-9-]{1,40} [A-Za-z0-9+/=]{20,800}"
_PUBLIC_KEY: Final = re.compile(rf"{_KEY}(?: [\w.@:-]{{0,80}})?")
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")

_SCRIPT: Final = """\
umask 077
[ "${{HOME:-/}}" != / ] || HOME=/root
export HOME
d=$HOME/{folder}
mkdir -p "$d"
: >"$HOME/.no_auto_tmux"
cat >"$d/dead-man" <<'JOB_RUNNER_END'
{settings}
{dead_man}
JOB_RUNNER_END
printf %s {nonce} >"$d/nonce"
s=
! command -v setsid >/dev/null || s=setsid
$s sh "$d/dead-man" </dev/null >>"$d/dead-man.log" 2>&1 &
for f in "${{SSH_HOST_KEY_DIR:-/etc/ssh}}"/ssh_host_*_key.pub; do
[ ! -r "$f" ] || echo "{host_key} {nonce} $(cat "$f")"
done
"""


@functools.cache
def dead_man() -> str:
    """The switch as machines get it: without comments and indentation, for there is little room."""
    source = resources.files("lib.providers.vast").joinpath("dead_man.sh").read_text("utf-8")
    lines = (line.strip().partition(" # ")[0] for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def onstart(plan: BootPlan, *, url: str, now: float, expires_at: float) -> str:
    """The script that Vast runs on a machine rented `now`, which ends itself at `expires_at`.

    Raises:
        ProviderError: the plan cannot be told to a machine.
    """
    if not _PUBLIC_KEY.fullmatch(plan.public_key) or not _NONCE.fullmatch(plan.nonce):
        raise ProviderError(
            "No machine was rented: its public key or nonce is none that could be told to it."
        )
    settings = {
        "api": url,
        "deadline": int(expires_at),
        "life_s": max(60, int(expires_at - now)),
        "lease_s": plan.lease_s,
        "nobody_s": plan.nobody_s,
        "tick_s": max(1, min(_LONGEST_TICK_S, plan.lease_s // 4, plan.nobody_s // 4)),
        "retry_s": max(1, min(_LONGEST_RETRY_S, plan.lease_s // 4)),
        "key": plan.public_key,
    }
    script = _SCRIPT.format(
        folder=FOLDER,
        settings="\n".join(f"{name}={shlex.quote(str(value))}" for name, value in settings.items()),
        dead_man=dead_man(),
        nonce=plan.nonce,
        host_key=_HOST_KEY,
    )
    if len(script) > MOST_CHARACTERS:
        raise ProviderError(
            f"No machine was rented: what it is told has {len(script)} characters, and Vast takes "
            f"{MOST_CHARACTERS}; shorten VAST_URL."
        )
    return script


def host_keys_in(log: str, nonce: str) -> tuple[str, ...]:
    """The host keys that the machine of that nonce wrote into its log, each as in known_hosts: type and key.

    The log comes from Vast and not from the connection, so that a key which both show is the machine's own.
    """
    told = re.compile(rf"(?m)^.{{0,64}}?{_HOST_KEY} {re.escape(nonce)} (?P<key>{_KEY})(?:\s|$)")
    return tuple(dict.fromkeys(found["key"] for found in told.finditer(log)))
