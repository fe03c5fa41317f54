"""A program in the folder of `tests.warm.programs`: a warm process is the program, this one ends as it does.

It reads what to ask for from the file beside it. Signals are passed on. Each program that a test starts waits
for what is imported here: no `pathlib`, no `contextlib`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def without_own_locale(settings: dict[str, str]) -> dict[str, str]:
    """These without what an interpreter that is told no locale sets for itself and its programs (PEP 538)."""
    told = "LC_ALL" in settings or settings.get("LANG", "C") not in ("", "C", "POSIX")
    own = not told and settings.get("LC_CTYPE") == "C.UTF-8"
    return {name: value for name, value in settings.items() if not (own and name == "LC_CTYPE")}


def main() -> None:
    with open(f"{__file__}.json", encoding="utf-8") as file:
        given = json.load(file)
    argv, environ = [given["program"], *sys.argv[1:]], dict(os.environ)
    prefixes, anytime = tuple(given["at_start"]), given["anytime"]
    own = {name: environ[name] for name in environ if name.startswith(prefixes) and name not in anytime}
    own = without_own_locale(own)
    if own != given["settings"]:
        os.execv(argv[0], argv)
    asked = {"argv": argv, "call": given["call"], "cwd": os.getcwd(), "environ": environ}
    asked["python"] = given["python"]
    request = json.dumps(asked).encode()
    server = socket.socket(socket.AF_UNIX)
    server.connect(given["place"])
    socket.send_fds(server, [len(request).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(request)
    answers = server.makefile()
    pid = int(answers.readline())

    def pass_on(number: int, _frame: object) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return  # it has ended, and how is about to be told

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    status = int(answers.readline())
    if status < 0:
        if -status not in (signal.SIGKILL, signal.SIGSTOP):  # which nobody handles
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


if __name__ == "__main__":
    main()
