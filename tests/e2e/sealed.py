"""Runs a command where every network address leads back to this machine, and notes what it tries to reach.

As a program, inside a network and mount namespace of its own: `python sealed.py NOTES COMMAND ...`. Every
packet passes the loopback interface, whoever sends it: our code, a library or native code in a wheel. So
nothing has to be wrapped, and nothing can be missed. Each attempt becomes a line of NOTES, such as
`asks for example.org` or `tcp 203.0.113.7:443`.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_TCP, _UDP, _DNS = 6, 17, 53
_IPV4, _IPV6 = 0x0800, 0x86DD
_ALL_KINDS = 0x0003  # of Ethernet frames
_SYN_ACK, _SYN = 0x12, 0x02


def namespace() -> list[str]:
    """The words that put a command into namespaces of its own; root needs no user namespace for that."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--net", "--mount", *user, "--"]


def why_not() -> str | None:
    """Why no command can be sealed on this machine, or None."""
    probe = [*namespace(), sys.executable, __file__, os.devnull, "true"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        return "unshare (util-linux) is not installed"
    last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return None if done.returncode == 0 else f"this user may not make a network namespace: {last}"


def attempts(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], timeout_s: float = 100
) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """Run `command` in `folder`, sealed; what it tried to reach, in order, and how it ended."""
    with tempfile.TemporaryDirectory() as place:
        notes = Path(place) / "notes"
        argv = [*namespace(), sys.executable, __file__, str(notes), *command]
        # A file, since a pipe would stay open for as long as any process that the command leaves behind.
        with open(Path(place) / "said", "w+") as said:
            done = subprocess.run(
                argv,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                timeout=timeout_s,
            )
            said.seek(0)
            words = said.read()
        seen = notes.read_text().splitlines() if notes.exists() else []
    return seen, subprocess.CompletedProcess(command, done.returncode, words, "")


def main(notes: str, *command: str) -> int:
    """Seal this namespace, run the command in it and note what it tries; its exit status."""
    _route_everything_here()
    _ask_the_network_for_names()
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL_KINDS)) as wire,
        open(notes, "a") as file,
    ):
        wire.bind(("lo", 0))
        wire.settimeout(0.1)
        process = subprocess.Popen(command)
        while True:
            try:
                data, address = wire.recvfrom(65_535)
            except TimeoutError:
                if process.poll() is not None:  # and nothing waits to be read
                    return process.returncode
                continue
            # The loopback interface shows each packet twice: as it leaves, and as it arrives.
            note = attempt_of(address[1], data) if address[2] == socket.PACKET_OUTGOING else None
            if note is not None:
                print(note, file=file, flush=True)


def _route_everything_here() -> None:
    for words in (
        ["link", "set", "lo", "up"],
        ["route", "add", "local", "0.0.0.0/0", "dev", "lo"],
    ):
        subprocess.run(["ip", *words], check=True)
    # A kernel without IPv6 has nothing to watch there.
    subprocess.run(["ip", "-6", "route", "add", "local", "::/0", "dev", "lo"], stderr=subprocess.DEVNULL)


def _ask_the_network_for_names() -> None:
    """Names are asked for by DNS, not through a local service that would ask on a program's behalf."""
    for path, text in (
        ("/etc/nsswitch.conf", "hosts: files dns\n"),
        ("/etc/resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n"),
    ):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text)
            file.flush()
            os.chmod(file.name, 0o644)
            # The mount keeps the file; its name may go.
            subprocess.run(["mount", "--bind", file.name, os.path.realpath(path)], check=True)


def attempt_of(kind: int, data: bytes) -> str | None:
    """What an IP packet tries to reach; None for answers, and for packets that reach for nothing."""
    if kind == _IPV4:
        protocol, rest = data[9], data[(data[0] & 0x0F) * 4 :]
        host = socket.inet_ntop(socket.AF_INET, data[16:20])
    elif kind == _IPV6:
        protocol, rest = data[6], data[40:]
        host = f"[{socket.inet_ntop(socket.AF_INET6, data[24:40])}]"
    else:
        return None
    port = struct.unpack("!H", rest[2:4])[0] if len(rest) >= 4 else 0
    if protocol == _TCP:
        return f"tcp {host}:{port}" if rest[13] & _SYN_ACK == _SYN else None
    if protocol == _UDP:
        return f"asks for {_question(rest[8:])}" if port == _DNS else f"udp {host}:{port}"
    return None


def _question(message: bytes) -> str:
    labels, at = [], 12
    while at < len(message) and message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
