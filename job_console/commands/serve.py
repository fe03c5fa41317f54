"""`job-console serve`: REST and live events, until told to stop."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from job_console import wiring
from job_console.listening import USUAL_PLACE, Certificate, check_place, open_listener
from lib.child import when_parent_exits
from lib.cli import output
from lib.errors import UsageError

EXAMPLES = (
    "job-console serve",
    "job-console serve --listen 0.0.0.0:8640 --certificate chain.pem --key key.pem",
)

ListenOption = Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where.")]
CertificateOption = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="FILE", help="Certificate and chain in PEM.", show_default=False),
]
KeyOption = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="Its key in PEM.", show_default=False)
]
ClearOption = Annotated[
    bool, typer.Option("--in-the-clear", help="Let other computers come without TLS: a proxy speaks it.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The operator's file for runs started here; else conf/operator.yaml.",
        show_default=False,
    ),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Say in JSON where it listens.")]


def command(
    listen: ListenOption = USUAL_PLACE,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    in_the_clear: ClearOption = False,
    config: ConfigOption = None,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="End when standard input ends.")
    ] = False,
    verbose: VerboseOption = False,
    json_: JsonOption = False,
) -> None:
    """Serve REST under /api/v1 and live events over what runs, costs and waits for a decision.

    Whoever asks must know the token: JOB_CONSOLE_TOKEN, else one that is made at the first start in
    console.token of the data folder. Other computers reach it only by TLS, or with --in-the-clear. Each
    change that is asked for is written to console/audit.jsonl. SIGTERM or Ctrl-C ends it in good order.
    """
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key go together; give both or none")
    from job_console.app import build_app
    from job_console.serving import serve

    if exit_with_parent:
        when_parent_exits(partial(os.kill, os.getpid(), signal.SIGTERM))
    files = None if certificate is None or key is None else Certificate(certificate, key)
    if files is not None:
        files.context()  # before anything is opened: it says what is wrong with them
    check_place(listen, files, in_the_clear=in_the_clear)
    found = wiring.settings()
    wiring.log_as(found, verbose=verbose)
    token, file = wiring.token_of(found)
    with wiring.open_parts(found, token, config=config, secure=files is not None) as parts:
        listener = open_listener(listen, files, in_the_clear=in_the_clear)
        where = "JOB_CONSOLE_TOKEN" if file is None else str(file)
        if json_:
            output.tell_json_line({"event": "listening", "url": listener.url, "token": where})
        else:
            output.note(f"the console listens at {listener.url}/api/v1; its token is in {where}")
        serve(build_app(parts), listener, files, parts.limits)
