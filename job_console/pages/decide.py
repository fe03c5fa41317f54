"""A decision from a phone: a signed link shows one gate, and a form of plain HTML decides there.

Mail and chat look at the links that they carry, so that looking changes nothing. Who has the link needs no
session; it opens this one gate, its files, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from job_console.access.by_link import may_decide
from job_console.api.artifacts import artifact_answer
from job_console.api.kinds import Parts
from job_console.api.runs import tell
from job_console.error_answers import NotFound, status_of
from job_console.pages.forms import form_of
from job_console.pages.linked_files import linked_files
from job_console.pages.rendering import HtmlPage, page
from job_console.route_services import ConsoleParts
from lib.clock import rfc3339
from lib.errors import JobRunnerError, UsageError
from lib.pipeline.decision_links import PATH, DecisionLink
from lib.pipeline.failures import AlreadyDecided, SeenSomethingElse, WrongState
from lib.pipeline.gate_inspection import approve_inspected
from lib.pipeline.gates import AUTO, TIMEOUT
from lib.pipeline.linked_gate import LinkedGate, find_linked
from lib.pipeline.rejected_texts import reject_and_keep
from lib.pipeline.runs import LONGEST_WORDS

router = APIRouter(include_in_schema=False)

_LONGEST_PATH: Final = 404
_AGAIN: Final = "Ask for a new one: job-pipeline gates --link, or the console itself."
Signed = Annotated[str, Path(max_length=2000)]


@dataclass(frozen=True, slots=True)
class LinkTrouble:
    """Why a link leads nowhere."""

    status: int
    head: str
    sentence: str

    def page(self, request: Request) -> HtmlPage:
        """As a page."""
        return _page(request, "decide_not.html", self.status, head=self.head, sentence=self.sentence)


@router.api_route("/decide/{signed}", methods=["GET", "HEAD"])
def show(request: Request, parts: Parts, signed: Signed) -> Response:
    """Show what a link is about. Nothing changes by that, however often it is looked at."""
    link = _good_link(request, parts)
    if isinstance(link, LinkTrouble):
        return link.page(request)
    return _now(request, parts, link)


@router.api_route("/decide/{signed}/files/{path:path}", methods=["GET", "HEAD"])
def file(
    request: Request, parts: Parts, signed: Signed, path: Annotated[str, Path(max_length=_LONGEST_PATH)]
) -> Response:
    """Hear or see a file of the gate that a link is about, as long as that waits for the decision."""
    link = _good_link(request, parts)
    if isinstance(link, LinkTrouble):
        return link.page(request)
    found = find_linked(parts.ledger, link)
    if found is None or not found.is_open:
        return _now(request, parts, link)
    known = next((each for each in found.artifacts if each.path == path), None)
    if known is None:
        raise NotFound("the gate that this link is about has no file of that name")
    return artifact_answer(parts.trail_files.folder_of(link.run), link.run, known, request.headers)


@router.post("/decide/{signed}")
async def decide(request: Request, parts: Parts, signed: Signed) -> Response:
    """Decide. The first decision wins, and a later one is told who was first."""
    link = _good_link(request, parts)
    if isinstance(link, LinkTrouble):
        return link.page(request)
    if not may_decide(link, request.scope, parts.clock.now()):
        sentence = "Another site's page asked for this, and nothing was decided. Open the link itself."
        return LinkTrouble(403, "Not from here", sentence).page(request)
    try:
        asked = await form_of(request)
    except UsageError as error:
        return LinkTrouble(422, "Nothing was decided", f"What came is no form of this page: {error}").page(
            request
        )
    except HTTPException as error:  # too long, or too slow
        answer = LinkTrouble(error.status_code, "Nothing was decided", f"{error.detail}.").page(request)
        answer.headers.update(error.headers or {})
        return answer
    return await run_in_threadpool(_decided, request, parts, link, asked)


def _decided(request: Request, parts: ConsoleParts, link: DecisionLink, asked: dict[str, str]) -> Response:
    note = asked.get("note", "").replace("\r\n", "\n").replace("\0", "").strip()
    decision, seen = asked.get("decision"), asked.get("seen") or link.seen
    if decision not in ("approve", "reject"):
        return _now(request, parts, link, 422, "Press one of the two buttons.", note)
    if len(note) > LONGEST_WORDS:
        sentence = f"The note has {len(note)} letters, and {LONGEST_WORDS} are the most. Shorten it."
        return _now(request, parts, link, 422, sentence, note)
    if decision == "reject" and not note and not asked.get("wordless"):
        sentence = "Say why, so that it can be made otherwise, or press Reject again."
        return _now(request, parts, link, 422, sentence, wordless=True)
    who: dict[str, Any] = {"operator": link.operator, "notes": note or None, "seen": seen}
    who["number"] = link.number
    try:
        carry_out = approve_inspected if decision == "approve" else reject_and_keep
        carry_out(parts.ledger, link.run, link.stage, folder=parts.trail_files.folder_of(link.run), **who)
    except SeenSomethingElse as error:
        return _now(request, parts, link, 409, f"Nothing was decided: {error.message}.", note)
    except (AlreadyDecided, WrongState):
        return _now(request, parts, link, 409, "Nothing was decided by this: it was too late.")
    except JobRunnerError as error:
        sentence = f"{parts.redactor.hide(error.message)}. Try again; the link stays good."
        return LinkTrouble(status_of(error), "Nothing was decided", sentence).page(request)
    finally:
        tell(parts)
    # A reload of what follows asks for the page, and does not decide again.
    return RedirectResponse(PATH + request.path_params["signed"], 303)


def _good_link(request: Request, parts: ConsoleParts) -> DecisionLink | LinkTrouble:
    link: DecisionLink | None = request.scope["state"]["link"]
    if link is None:
        if request.scope["state"]["wrong_token"]().status_code == 429:
            return LinkTrouble(429, "Too many wrong links", "Too many came from here. Wait a minute.")
        sentence = "This link is not one of this console's: a part of it is missing, or its token is another"
        return LinkTrouble(403, "That is no link of ours", f"{sentence}. {_AGAIN}")
    if link.is_over(parts.clock.now()):
        sentence = f"This link was good until {_moment(link.expires_at)}. {_AGAIN}"
        return LinkTrouble(410, "The link is too old", sentence)
    return link


def _now(
    request: Request,
    parts: ConsoleParts,
    link: DecisionLink,
    status: int = 200,
    said: str = "",
    note: str = "",
    *,
    wordless: bool = False,
) -> HtmlPage:
    """How the gate of a link stands, as a page: to decide about, or with what was decided.

    `wordless`: from there it is rejected without a word.
    """
    found = find_linked(parts.ledger, link)
    if found is None:
        sentence = f"This console knows no such gate of {link.run}: it may look at another database now."
        return LinkTrouble(404, "There is no such gate", sentence).page(request)
    about = {"link": link, "found": found, "gate": found.gate, "said": said}
    if not found.is_open:
        return _over(request, found, about, status)
    files = linked_files(parts.trail_files.folder_of(link.run), found.artifacts)
    address = f"{PATH}{request.path_params['signed']}"
    changed = found.gate.seen != link.seen
    about |= {"files": files, "address": address, "changed": changed, "note": note, "wordless": wordless}
    return _page(request, "decide.html", status, **about)


def _over(request: Request, found: LinkedGate, about: dict[str, Any], status: int) -> HtmlPage:
    gate = found.gate
    if gate.decision in ("approved", "rejected"):
        who = {AUTO: "nobody: it needs no one", TIMEOUT: "nobody: the time was over"}.get(
            gate.operator or "", gate.operator
        )
        return _page(request, "decide_over.html", status, **about, who=who)
    why = (
        "the run was canceled"
        if found.is_canceled
        else "the stage is made anew, and asks anew when it is done"
    )
    sentence = f"Nobody is asked about {gate.task} of {gate.run} any more: {why}."
    return LinkTrouble(410, "No longer asked", sentence).page(request)


def _page(request: Request, template: str, status: int, **values: Any) -> HtmlPage:
    """A page without navigation: whoever has a link has nothing else here."""
    return page(request, template, status=status, **{**values, "operator": None})


def _moment(at: float) -> str:
    return rfc3339(at)[:16].replace("T", " ") + " UTC"
