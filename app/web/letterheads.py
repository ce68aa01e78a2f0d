"""Letterheads: who writes, where to pay, the logo, where the envelope's window is; every save is a version."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile as Uploaded

from app.core.errors import BadInput, NotFound
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.messages import shown
from app.web.rules import common
from app.web.rules.common import MANAGE
from disputes.actions import policies
from disputes.rulebook import read
from invoices.models import Entity
from letters.compose import compose
from letters.letter_facts import Letterhead
from letters.printer import LetterPrinter, NotPrinted
from letters.queries.example import newest_of
from letters.queries.letters import visible_entities
from letters.rules import LETTERHEAD, letter_rules, reader_of

router = APIRouter(dependencies=MANAGE)
N_ = str  # marks a msgid for extraction
MOST_BYTES = 1_400_000
"""A logo's file: Letterhead bounds what it unpacks to."""


class LetterheadForm(ActionForm):
    """A letterhead as it is typed: addresses and legal lines line by line. `logo` is a picture that takes the old one's
    place; `based_on` is the version the change began from.
    """

    name: str = ""
    address: str = ""
    place: str = ""
    phone: str = ""
    email: str = ""
    web: str = ""
    legal: str = ""
    holder: str = ""
    iban: str = ""
    bic: str = ""
    bank: str = ""
    accent: str = "#234f68"
    window: Literal["", "din_a", "din_b", "right", "swiss"] = ""
    note: str = ""
    based_on: int = 0
    without_logo: bool = False
    logo: bytes = b""

    def content(self, country: str) -> dict[str, Any]:
        """As a policy keeps it; without an IBAN there is no bank."""
        bank = {"holder": self.holder or self.name, "iban": self.iban, "bic": self.bic, "name": self.bank}
        return {
            "name": self.name,
            "country": country,
            "address": _lines(self.address),
            "place": self.place,
            "phone": self.phone,
            "email": self.email,
            "web": self.web,
            "legal": _lines(self.legal),
            "bank": bank if self.iban.strip() else None,
            "accent": self.accent,
            "window": self.window or None,
        }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


async def posted_head(request: Request) -> LetterheadForm:
    """The form with its file, of which no more is read than is taken. Raises RequestValidationError."""
    async with request.form(max_files=1, max_fields=40) as form:
        fields: dict[str, object] = {name: value for name, value in form.items() if isinstance(value, str)}
        picture = form.get("logo")
        if isinstance(picture, Uploaded):
            fields["logo"] = await picture.read(MOST_BYTES + 1)
    try:
        return LetterheadForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error


HeadDep = Annotated[LetterheadForm, Depends(posted_head)]


@router.get("/letter-rules/letterheads/{entity_id}")
def show(desk: DeskDep, entity_id: int, version: str = "") -> Response:
    """An entity's letterhead as it is, or an older version of it."""
    entity = _entity(desk, entity_id)
    head = letter_rules(desk.session).letterhead(entity)
    if version:
        older = common.older(desk, LETTERHEAD, entity.code, version)
        head = older if isinstance(older, Letterhead) else head
    return _page(desk, entity, _typed(head), head, opened=version)


def _entity(desk: Desk, entity_id: int) -> Entity:
    found = next((one for one in visible_entities(desk.session, user=desk.user) if one.id == entity_id), None)
    if found is None:
        raise NotFound(f"There is no entity {entity_id}")
    return found


def _typed(head: Letterhead) -> LetterheadForm:
    bank = head.bank
    return LetterheadForm(
        name=head.name,
        address="\n".join(head.address),
        place=head.place,
        phone=head.phone,
        email=head.email,
        web=head.web,
        legal="\n".join(head.legal),
        holder=bank.holder if bank else "",
        iban=bank.iban if bank else "",
        bic=bank.bic if bank else "",
        bank=bank.name if bank else "",
        accent=head.accent,
        window=head.window or "",
    )


def _page(
    desk: Desk,
    entity: Entity,
    form: LetterheadForm,
    head: Letterhead,
    *,
    status: int = 200,
    error: str = "",
    opened: str = "",
) -> Response:
    history = common.history(desk, family=LETTERHEAD, key=entity.code)
    return common.page(
        desk,
        "letters/letterhead.html",
        status=status,
        family=LETTERHEAD,
        key=entity.code,
        entity=entity,
        form=form,
        logo=head.logo is not None,
        error=error,
        opened=opened,
        version=next((one.version.version for one in history if one.version.active), 0),
        history=history,
        shipped=False,
    )


def _content(desk: Desk, entity: Entity, form: LetterheadForm) -> dict[str, Any]:
    """What is to be kept: the old logo stays until another one comes or it is taken off. Raises BadInput."""
    old = letter_rules(desk.session).letterhead(entity)
    if len(form.logo) > MOST_BYTES:
        raise BadInput(N_("The picture is too large: at most 1.4 MB."))
    logo = form.logo or (None if form.without_logo else old.logo)
    kept = old.model_dump(include={"postal"})
    return {**kept, **form.content(entity.country), "logo": logo}


@router.get("/letter-rules/letterheads/{entity_id}/logo")
def logo(desk: DeskDep, entity_id: int, version: str = "") -> Response:
    """The logo of the letterhead as it is, or of an older version."""
    entity = _entity(desk, entity_id)
    head: object = letter_rules(desk.session).letterhead(entity)
    if version:
        head = common.older(desk, LETTERHEAD, entity.code, version)
    picture = head.logo if isinstance(head, Letterhead) else None
    if picture is None:
        raise NotFound(f"{entity.name} writes without a logo")
    return Response(picture, media_type="image/png" if picture.startswith(b"\x89PNG") else "image/jpeg")


@router.post("/letter-rules/letterheads/{entity_id}/preview")
def preview(desk: DeskDep, entity_id: int, form: HeadDep) -> Response:
    """The newest letter of the entity with the letterhead as it is typed, as a PDF; nothing is saved."""
    entity = _entity(desk, entity_id)
    try:
        head = read(Letterhead, _content(desk, entity, form), what="The letterhead")
        facts = newest_of(desk.session, user=desk.user, entity_code=entity.code)
        with LetterPrinter(workers=1) as printer:
            made = printer.print_letter(compose(facts.model_copy(update={"seller": head})))
    except (BadInput, NotPrinted) as refused:
        return desk.page("letters/no_preview.html", status=422, error=refused.message)
    return shown(made, "preview.pdf")


@router.post("/letter-rules/letterheads/{entity_id}")
def save(desk: DeskDep, entity_id: int, form: HeadDep) -> Response:
    """A new version, for every letter written from now on; letters that are written keep theirs."""
    entity = _entity(desk, entity_id)
    try:
        policies.save(
            desk.session,
            family=LETTERHEAD,
            key=entity.code,
            content=_content(desk, entity, form),
            note=form.note,
            based_on=form.based_on,
            actor=desk.actor,
            now=desk.now,
            read=reader_of(LETTERHEAD, entity.code),
        )
    except (BadInput, policies.PolicyMoved) as refused:  # refused before anything was written
        head = letter_rules(desk.session).letterhead(entity)
        return _page(desk, entity, form, head, status=422, error=refused.message)
    return desk.done(f"/letter-rules/letterheads/{entity_id}", Flash("saved"))
