"""Letters: the list, one beside its PDF to approve or reject, its words, and what became of it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Response
from pydantic import BaseModel

from app.auth import may
from app.core.blobs import NoBlob
from app.core.errors import BadInput, Forbidden, NotFound
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.messages import download, shown
from app.web.telling import refusal
from disputes.queries import account_page
from letters.actions import blocks, drafting, life
from letters.approvals import needed
from letters.cover_mail import file_name
from letters.letter_facts import LetterFacts
from letters.models import WAITING, Letter, RunItem
from letters.queries import letters as queries

router = APIRouter()
N_ = str  # marks a msgid for extraction
VIEWS: tuple[tuple[str, str], ...] = (
    ("approve", N_("To approve")),
    ("trouble", N_("In trouble")),
    ("post", N_("For the post")),
    ("going", N_("On their way")),
    ("sent", N_("Sent")),
    ("stopped", N_("Not sent")),
    ("all", N_("All")),
)
JOB = "letters"


class LetterQuery(BaseModel):
    """The view and the place of the list, as the address carries them."""

    view: str = "approve"
    q: str = ""
    account: int | None = None
    after: int | None = None


class RejectForm(ActionForm):
    """Why it does not go."""

    why: str = ""


class OutcomeForm(ActionForm):
    """What became of it, with the proof in words."""

    became: Literal["delivered", "bounced", "answered"]
    why: str = ""


class WordsForm(ActionForm):
    """This letter's own words."""

    subject: str = ""
    body: str = ""
    note: str = ""
    channel: str = "email"
    version: int = 0


class BlockForm(ActionForm):
    """Why, and until when, an account gets no letters."""

    reason: str = ""
    until: str = ""


def _worker(desk: Desk) -> None:
    """Letters are written by those who work with customers."""
    if not may(desk.user, life.APPROVE):
        raise Forbidden(f"Your role ({desk.user.role}) may not {life.APPROVE}")


def totals_of(letter: Letter | RunItem) -> Mapping[str, Decimal]:
    """What a letter asks for by currency."""
    return {currency: Decimal(str(amount)) for currency, amount in letter.totals.items()}


@router.get("/letters")
def show_all(desk: DeskDep, asked: Annotated[LetterQuery, Query()]) -> Response:
    """Letters by what is to be done with them; searched by customer, invoice or number."""
    view = asked.view if asked.view in dict(VIEWS) else "approve"
    rows, following = queries.list_letters(
        desk.session, user=desk.user, view=view, text=asked.q, account_id=asked.account, after=asked.after
    )
    return desk.page(
        "letters/list.html",
        rows=rows,
        next_key=following,
        asked=asked,
        view=view,
        views=VIEWS,
        counts=queries.counts(desk.session, user=desk.user),
        totals_of=totals_of,
        post=queries.waiting_for_post(desk.session, user=desk.user) if view == "post" else (),
        prints=queries.list_prints(desk.session, user=desk.user) if view == "post" else (),
    )


@router.get("/letters/{letter_id}")
def show(desk: DeskDep, letter_id: int) -> Response:
    """One letter: its PDF beside what it was made from, and what may be done with it."""
    return _page(desk, queries.letter_of(desk.session, user=desk.user, letter_id=letter_id))


def _page(desk: Desk, letter: Letter, *, status: int = 200, error: str = "") -> Response:
    before, after = queries.beside(desk.session, user=desk.user, letter=letter)
    limit = desk.services.settings.letters.approval_limit
    wanted = life.APPROVE_FORMAL if needed(letter, limit=limit) == "lead" else life.APPROVE
    waits = letter.state in WAITING
    return desk.page(
        "letters/show.html",
        status=status,
        error=error,
        letter=letter,
        facts=LetterFacts.from_json(letter.facts),
        totals=totals_of(letter),
        against=life.against(desk.session, letter, now=desk.now) if waits else None,
        may_approve=may(desk.user, wanted),
        may_work=may(desk.user, life.APPROVE),
        history=queries.history(desk.session, letter=letter),
        before=before,
        after=after,
    )


@router.get("/letters/{letter_id}/pdf")
def pdf(desk: DeskDep, letter_id: int, keep: bool = False) -> Response:
    """The letter itself, shown by the browser's own viewer, or as a file to keep. Raises NotFound before it is made."""
    letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
    name = file_name(LetterFacts.from_json(letter.facts))
    try:
        content = desk.services.blobs.get(letter.content_hash or "")
    except NoBlob as error:
        raise NotFound(f"Letter {letter_id} has no PDF") from error
    if keep:
        return download(content, name)
    return shown(content, name)


@router.post("/letters/{letter_id}/approval")
def approve(desk: DeskDep, letter_id: int) -> Response:
    """It may go; on to the next one. A second click changes nothing."""
    letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
    if letter.state == "approved":
        return desk.done(f"/letters/{letter_id}")
    following = _following(desk, letter)
    limit = desk.services.settings.letters.approval_limit
    life.approve(desk.session, letter_id=letter_id, user=desk.user, limit=limit, actor=desk.actor, now=desk.now)
    desk.services.enqueue(desk.session, JOB, "approved")
    return desk.done(following, Flash("letter_approved", undo=f"/letters/{letter_id}/approval-return"))


def _following(desk: Desk, letter: Letter) -> str:
    before, after = queries.beside(desk.session, user=desk.user, letter=letter)
    following = after or before
    return f"/letters/{following}" if following else "/letters"


@router.post("/letters/{letter_id}/approval-return")
def take_back(desk: DeskDep, letter_id: int) -> Response:
    """An approval that was not meant."""
    letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
    if letter.state != "approved":
        return desk.done(f"/letters/{letter_id}", Flash("letter_left"))
    _worker(desk)
    life.take_back(desk.session, letter_id=letter_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/letters/{letter_id}", Flash("letter_waits"))


@router.post("/letters/{letter_id}/rejection")
def reject(desk: DeskDep, letter_id: int, form: Annotated[RejectForm, Form()]) -> Response:
    """It does not go, for a reason; without one the page comes back."""
    letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
    _worker(desk)
    if letter.state == "cancelled":
        return desk.done("/letters")
    if not form.why.strip():
        return _page(
            desk, letter, status=422, error=desk.words.gettext(N_("Say in a few words why the letter does not go."))
        )
    following = _following(desk, letter)
    life.reject(desk.session, letter_id=letter_id, why=form.why, actor=desk.actor, now=desk.now)
    return desk.done(following, Flash("letter_rejected"))


@router.post("/letters/{letter_id}/outcome")
def outcome(desk: DeskDep, letter_id: int, form: Annotated[OutcomeForm, Form()]) -> Response:
    """What became of a letter that left."""
    letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
    _worker(desk)
    if letter.state != form.became:
        life.note(desk.session, letter_id=letter_id, state=form.became, why=form.why, actor=desk.actor, now=desk.now)
    return desk.done(f"/letters/{letter_id}", Flash("saved"))


@router.get("/letters/{letter_id}/words")
def words(desk: DeskDep, letter_id: int) -> Response:
    """The words of one letter, to be changed."""
    letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
    _worker(desk)
    facts = LetterFacts.from_json(letter.facts)
    form = WordsForm(
        subject=letter.text["subject"],
        body=letter.text["body"],
        note=facts.note,
        channel=letter.channel,
        version=letter.version,
    )
    return desk.page("letters/words.html", letter=letter, facts=facts, form=form, error="")


@router.post("/letters/{letter_id}/words")
def save_words(desk: DeskDep, letter_id: int, form: Annotated[WordsForm, Form()]) -> Response:
    """The letter is printed anew with them, and looked at again."""
    letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
    _worker(desk)
    try:
        drafting.edit(
            desk.session,
            letter_id=letter_id,
            **form.model_dump(),
            actor=desk.actor,
            now=desk.now,
        )
    except BadInput as refused:  # refused before anything was written
        letter = queries.letter_of(desk.session, user=desk.user, letter_id=letter_id)
        facts = LetterFacts.from_json(letter.facts)
        return desk.page(
            "letters/words.html", status=422, letter=letter, facts=facts, form=form, error=refusal(refused, desk.words)
        )
    desk.services.enqueue(desk.session, JOB, "edited")
    return desk.done(f"/letters/{letter_id}", Flash("letter_printed_anew"))


@router.get("/accounts/{account_id}/letters")
def of_account(desk: DeskDep, account_id: int) -> Response:
    """All letters to an account, what was sent when with its proof, and whether it gets any."""
    page = account_page(desk.session, user=desk.user, account_id=account_id, now=desk.now)
    rows, _ = queries.list_letters(desk.session, user=desk.user, view="all", account_id=account_id)
    return desk.page(
        "letters/account.html",
        account=page.account,
        rows=rows,
        totals_of=totals_of,
        block=queries.block_of(desk.session, account_id=account_id),
        error="",
    )


@router.post("/accounts/{account_id}/letter-block")
def block(desk: DeskDep, account_id: int, form: Annotated[BlockForm, Form()]) -> Response:
    """No letters to the account, until a day or until somebody lifts it."""
    account_page(desk.session, user=desk.user, account_id=account_id, now=desk.now)
    _worker(desk)
    until = _day(form.until)
    blocks.block(desk.session, account_id=account_id, reason=form.reason, until=until, actor=desk.actor, now=desk.now)
    return desk.done(f"/accounts/{account_id}/letters", Flash("saved"))


@router.post("/accounts/{account_id}/letter-block/end")
def lift(desk: DeskDep, account_id: int) -> Response:
    """The account gets letters again."""
    account_page(desk.session, user=desk.user, account_id=account_id, now=desk.now)
    _worker(desk)
    blocks.lift(desk.session, account_id=account_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/accounts/{account_id}/letters", Flash("saved"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text.strip() else None
    except ValueError as error:
        raise BadInput(f"{text!r} is no day: choose one from the calendar", fields={"until": "no day"}) from error
