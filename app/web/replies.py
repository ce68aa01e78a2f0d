"""Answers to customers: written on the case page, kept as they are typed, sent with ten seconds to take them back."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import Field

from app.core.keys import key_for
from app.web import labels
from app.web.case_actions import ActionForm, next_after
from app.web.cases import case_response
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.messages import download
from app.web.reply_view import composer_of, copies, filled, saved_mark, state_of, words_of
from disputes.actions import cases, draft_files, replies
from disputes.actions.customer_messages import composed
from disputes.actions.replies import CannotSend, HarshWords, Seen, ThreadChanged, Words
from disputes.models import Case, Outgoing
from disputes.queries import STATES_OPEN, visible_case
from disputes.queries.outbox import outgoing_of
from disputes.queries.replies import draft_for, drafts_of
from disputes.replies import UNDO_WINDOW
from disputes.reply_tokens import ReplyTokens

router = APIRouter()


class ReplyForm(ActionForm):
    """The whole composer. `version`, `event` and `saved` say what the page showed; `knowingly` harsh words stood by."""

    to: str = ""
    cc: str = ""
    subject: str = ""
    body: str = ""
    version: int = 0
    event: int = 0
    saved: str = ""
    quote: bool = False
    keep: bool = False
    knowingly: str = ""
    then: Literal["stay", "close"] = "stay"
    resolution: str = ""
    kind: str = ""

    @property
    def words(self) -> Words:
        """What is typed; the files are the draft's own."""
        body = self.body.replace("\r\n", "\n")
        return Words(to=self.to, cc=copies(self.cc), subject=self.subject, body=body)


class ReceivedForm(ActionForm):
    """A file of one of the case's mails."""

    attachment: int


class RemovalForm(ActionForm):
    """The place of a file in the draft, from 0."""

    position: int = Field(ge=0)


class ReturnForm(ActionForm):
    """Whether the case was closed with the answer and opens again with it."""

    reopen: bool = False


@router.get("/drafts")
def begun(desk: DeskDep) -> Response:
    """Answers the user began and did not send."""
    return desk.page("reply/drafts.html", drafts=drafts_of(desk.session, user=desk.user))


@router.get("/cases/{case_id}/reply")
def write(desk: DeskDep, case_id: int) -> Response:
    """The case with the composer open."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    if case.merged_into_id is not None:
        return desk.done(f"/cases/{case_id}")
    return case_response(desk, case_id, reply=composer_of(desk, case))


@router.post("/cases/{case_id}/reply")
def send(desk: DeskDep, case_id: int, form: Annotated[ReplyForm, Form()]) -> Response:
    """Send the answer; what stops it comes back in words, and the draft is kept (U12, U13, U18)."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    on = next_after(desk, case) if form.then == "close" else f"/cases/{case_id}"
    seen = saved_mark(replies.draft_of(desk.session, case_id=case_id, actor=desk.actor))
    if form.saved and not seen:  # pressed twice, or sent or thrown away in another tab
        return desk.done(f"/cases/{case_id}")
    if form.saved != seen:
        return _stopped(desk, case, form, elsewhere=True)
    try:
        mail = _sent(desk, case, form)
    except ThreadChanged as stopped:
        return _stopped(desk, case, form, changes=stopped.changes or ("case changed",))
    except (CannotSend, HarshWords) as refused:
        harsh = isinstance(refused, HarshWords)
        return _stopped(desk, case, form, faults={} if harsh else refused.fields)
    closed = form.then == "close" and case.state in STATES_OPEN
    if closed:
        cases.close(desk.session, case_id=case_id, resolution=form.resolution, actor=desk.actor, now=desk.now)
    desk.services.enqueue(desk.session, "send", mail.id, delay=UNDO_WINDOW)
    undo = {"reopen": "true"} if closed else {}
    return desk.done(on, Flash("sent_and_closed" if closed else "sent", f"/mails/{mail.id}/return", undo))


def _sent(desk: Desk, case: Case, form: ReplyForm) -> Outgoing:
    replies.save_draft(desk.session, case_id=case.id, words=form.words, actor=desk.actor, now=desk.now)
    return replies.send_reply(
        desk.session,
        case_id=case.id,
        tokens=ReplyTokens(key_for(desk.services.settings, "reply token")),
        blobs=desk.services.blobs,
        actor=desk.actor,
        now=desk.now,
        quote=form.quote,
        await_answer=not form.keep and form.then == "stay",
        seen=Seen(form.version, form.event),
        knowingly=form.knowingly,
    )


def _stopped(desk: Desk, case: Case, form: ReplyForm, **why: Any) -> Response:
    composer = composer_of(desk, case, typed=form.words, quote=form.quote, keep=form.keep, **why)
    return case_response(desk, case.id, status=422, reply=composer)


@router.post("/cases/{case_id}/draft")
def save(desk: DeskDep, case_id: int, form: Annotated[ReplyForm, Form()]) -> Response:
    """Keep what is typed (U14), unless the draft went another way in another tab since this one last saw it."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    draft = replies.draft_of(desk.session, case_id=case_id, actor=desk.actor)
    seen = saved_mark(draft)
    if seen == form.saved:
        draft = replies.save_draft(
            desk.session,
            case_id=case_id,
            words=form.words,
            actor=desk.actor,
            now=desk.now,
            seen_version=None if draft else form.version or None,
        )
        form.saved = saved_mark(draft)
    told = {"event": form.event, "saved": form.saved, "knowingly": form.knowingly}
    return desk.done(f"/cases/{case_id}/draft?{urlencode(told)}")


@router.get("/cases/{case_id}/draft")
def state(desk: DeskDep, case_id: int, event: int | None = None, saved: str = "", knowingly: str = "") -> Response:
    """How the draft stands: when it was saved, words to think about, what changed in the case meanwhile."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    told = state_of(desk, case, event=event, saved=saved, knowingly=knowingly)
    return desk.page("reply/draft.html", case=case, state=told, saved=saved)


@router.post("/cases/{case_id}/draft/words")
def fill_in(desk: DeskDep, case_id: int, form: Annotated[ReplyForm, Form()]) -> Response:
    """Begin the answer with a template's words, in the customer's language."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    say = partial(composed, desk.session, case=case, now=desk.now, agent=desk.user.name)
    said, typed = say(kind=form.kind, resolution=form.resolution), form.words
    others = [say(kind=kind) for kind in labels.MESSAGE_KINDS]
    others += [say(kind="resolution", resolution=way) for way in labels.RESOLUTIONS]
    body = filled(typed.body, said.body, [one.body for one in others])
    words = replace(typed, body=body, subject=typed.subject or said.subject)
    replies.save_draft(desk.session, case_id=case_id, words=words, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}/reply")


@router.post("/cases/{case_id}/draft/files")
def attach(desk: DeskDep, case_id: int, files: Annotated[list[UploadFile] | None, File()] = None) -> Response:
    """Put files into the draft; what is empty or too much is refused in words."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    try:
        for file in files or ():
            draft_files.attach(
                desk.session,
                case_id=case_id,
                filename=file.filename or "",
                content_type=file.content_type or "application/octet-stream",
                content=file.file.read(replies.MOST_BYTES + 1),
                blobs=desk.services.blobs,
                actor=desk.actor,
                now=desk.now,
            )
    except CannotSend as refused:
        composer = composer_of(desk, case, faults={"files": refused.message})
        return case_response(desk, case_id, status=422, reply=composer)
    return desk.done(f"/cases/{case_id}/reply")


@router.post("/cases/{case_id}/draft/received")
def attach_received(desk: DeskDep, case_id: int, form: Annotated[ReceivedForm, Form()]) -> Response:
    """Put a file that is in the case into the draft."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    try:
        draft_files.attach_received(
            desk.session, case_id=case_id, attachment_id=form.attachment, actor=desk.actor, now=desk.now
        )
    except CannotSend as refused:
        composer = composer_of(desk, case, faults={"files": refused.message})
        return case_response(desk, case_id, status=422, reply=composer)
    return desk.done(f"/cases/{case_id}/reply")


@router.post("/cases/{case_id}/draft/removal")
def detach(desk: DeskDep, case_id: int, form: Annotated[RemovalForm, Form()]) -> Response:
    """Take a file out of the draft."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    draft_files.detach(desk.session, case_id=case_id, position=form.position, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}/reply")


@router.get("/cases/{case_id}/draft/files/{position}")
def draft_file(desk: DeskDep, case_id: int, position: int) -> Response:
    """A file of the draft, to look at before it is sent."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    draft = draft_for(desk.session, user=desk.user, case_id=case_id)
    return _file(desk, words_of(draft).files if draft else (), position)


@router.get("/mails/{outbox_id}/files/{position}")
def sent_file(desk: DeskDep, outbox_id: int, position: int) -> Response:
    """A file that goes, or went, with a mail of ours."""
    mail = outgoing_of(desk.session, user=desk.user, outbox_id=outbox_id)
    return _file(desk, [replies.File(**one) for one in mail.attachments], position)


def _file(desk: Desk, files: Sequence[replies.File] | None, position: int) -> Response:
    if not files or not 0 <= position < len(files):
        raise draft_files.NoFile(f"There is no file {position}")
    file = files[position]
    return download(desk.services.blobs.get(file.content_hash), file.filename)


@router.post("/cases/{case_id}/draft/discarding")
def discard(desk: DeskDep, case_id: int) -> Response:
    """Throw the draft away; it can be had back."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    if replies.draft_of(desk.session, case_id=case_id, actor=desk.actor) is None:
        return desk.done(f"/cases/{case_id}")
    replies.discard_draft(desk.session, case_id=case_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("discarded", f"/cases/{case_id}/draft/restoring"))


@router.post("/cases/{case_id}/draft/restoring")
def restore(desk: DeskDep, case_id: int) -> Response:
    """Have the draft back."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    replies.restore_draft(desk.session, case_id=case_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}/reply")


@router.post("/mails/{outbox_id}/return")
def take_back(desk: DeskDep, outbox_id: int, form: Annotated[ReturnForm, Form()]) -> Response:
    """Take an answer back before it leaves, or correct one that failed: it is a draft again (U12)."""
    mail = outgoing_of(desk.session, user=desk.user, outbox_id=outbox_id)
    try:
        draft = replies.undo_reply(desk.session, outbox_id=outbox_id, actor=desk.actor, now=desk.now)
    except replies.TooLate:
        return desk.done(f"/cases/{mail.case_id}", Flash("left_already"))
    case = visible_case(desk.session, user=desk.user, case_id=draft.case_id)
    if form.reopen and case.state not in STATES_OPEN:
        cases.reopen(desk.session, case_id=case.id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case.id}/reply", Flash("taken_back"))
