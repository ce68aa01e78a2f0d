"""What letters are made with: each entity's letterhead, and the texts by kind and language; every save is a version."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response

from app.core.errors import BadInput, NotFound
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.letters import shown
from app.web.rules.common import MANAGE
from disputes.actions import policies
from disputes.queries.policies import versions
from invoices.models import Entity
from letters.compose import compose
from letters.kinds import KINDS, LANGUAGES, Kind, Language
from letters.letter_facts import LetterFacts, Letterhead
from letters.printer import LetterPrinter, NotPrinted
from letters.queries.letters import newest_of_kind, visible_entities
from letters.rules import LETTERHEAD, TEXT, letter_rules, reader_of
from letters.wording import BLOCKS, VALUES, read_template

router = APIRouter(dependencies=MANAGE)


class LetterheadForm(ActionForm):
    """A letterhead as it is typed: addresses and legal lines line by line."""

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
    note: str = ""

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
        }


class TextForm(ActionForm):
    """The text of a kind of letter; `based_on` is the version the change began from."""

    subject: str = ""
    body: str = ""
    greeting: str = ""
    closing: str = ""
    note: str = ""
    based_on: int = 0

    @property
    def words(self) -> dict[str, str]:
        """As a policy keeps it."""
        kept = self.model_dump(include={"subject", "greeting", "closing"})
        return kept | {"body": self.body.replace("\r\n", "\n")}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@router.get("/letter-rules")
def show_all(desk: DeskDep) -> Response:
    """The entities' letterheads, and the texts: which are the deployment's own."""
    rules = letter_rules(desk.session)
    entities = visible_entities(desk.session, user=desk.user)
    return desk.page(
        "letters/rules.html", entities=entities, heads=rules.letterheads, texts=rules.texts, kinds=KINDS,
        languages=LANGUAGES,
    )  # fmt: skip


@router.get("/letter-rules/letterheads/{entity_id}")
def letterhead(desk: DeskDep, entity_id: int) -> Response:
    """An entity's letterhead."""
    entity = _entity(desk, entity_id)
    return _head_page(desk, entity, _typed(letter_rules(desk.session).letterhead(entity)))


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
    )


def _head_page(desk: Desk, entity: Entity, form: LetterheadForm, *, status: int = 200, error: str = "") -> Response:
    history = versions(desk.session, family=LETTERHEAD, key=entity.code)
    return desk.page("letters/letterhead.html", status=status, entity=entity, form=form, error=error, history=history)


@router.post("/letter-rules/letterheads/{entity_id}")
def save_letterhead(desk: DeskDep, entity_id: int, form: Annotated[LetterheadForm, Form()]) -> Response:
    """A new version, for every letter written from now on; logo and window stay as they are."""
    entity = _entity(desk, entity_id)
    old = letter_rules(desk.session).letterhead(entity).model_dump(mode="json", include={"logo", "window", "postal"})
    try:
        policies.save(
            desk.session,
            family=LETTERHEAD,
            key=entity.code,
            content={**old, **form.content(entity.country)},
            note=form.note,
            actor=desk.actor,
            now=desk.now,
            read=reader_of(LETTERHEAD, entity.code),
        )
    except BadInput as refused:  # refused before anything was written
        return _head_page(desk, entity, form, status=422, error=refused.message)
    return desk.done(f"/letter-rules/letterheads/{entity_id}", Flash("saved"))


@router.get("/letter-rules/texts/{kind}/{language}")
def text(desk: DeskDep, kind: str, language: str) -> Response:
    """The text of a kind of letter in a language, and what it may name."""
    which = _which(kind, language)
    found = letter_rules(desk.session).text(*which)
    words = found.rules.model_dump(include={"subject", "body", "greeting", "closing"})
    return _text_page(desk, which, TextForm(**words, based_on=found.version))


def _which(kind: str, language: str) -> tuple[Kind, Language]:
    kinds = next((one for one in KINDS if one == kind), None)
    languages = next((one for one in LANGUAGES if one == language), None)
    if kinds is None or languages is None:
        raise NotFound(f"There is no letter {kind} in {language}")
    return kinds, languages


def _text_page(
    desk: Desk, which: tuple[Kind, Language], form: TextForm, *, status: int = 200, error: str = ""
) -> Response:
    history = versions(desk.session, family=TEXT, key="/".join(which))
    return desk.page(
        "letters/text.html",
        status=status,
        kind=which[0],
        language=which[1],
        languages=LANGUAGES,
        form=form,
        error=error,
        history=history,
        values=VALUES,
        blocks=BLOCKS,
    )


@router.post("/letter-rules/texts/{kind}/{language}/preview")
def preview(desk: DeskDep, kind: str, language: str, form: Annotated[TextForm, Form()]) -> Response:
    """The text as it is now on the newest letter of its kind, as a PDF; nothing is saved."""
    which = _which(kind, language)
    newest = newest_of_kind(desk.session, user=desk.user, kind=which[0])
    if newest is None:
        return _text_page(desk, which, form, status=422, error="There is no letter of this kind yet to show it on")
    try:
        template = read_template(*which, form.words)
        facts = LetterFacts.from_json(newest.facts).model_copy(update={"language": which[1]})
        with LetterPrinter(workers=1) as printer:
            made = printer.print_letter(compose(facts, template))
    except (BadInput, NotPrinted) as refused:
        return _text_page(desk, which, form, status=422, error=refused.message)
    return shown(made, "preview.pdf")


@router.post("/letter-rules/texts/{kind}/{language}")
def save_text(desk: DeskDep, kind: str, language: str, form: Annotated[TextForm, Form()]) -> Response:
    """A new version, for every letter written from now on; a letter keeps the text it was made from."""
    which = _which(kind, language)
    key = "/".join(which)
    try:
        policies.save(
            desk.session,
            family=TEXT,
            key=key,
            content=form.words,
            note=form.note,
            based_on=form.based_on,
            actor=desk.actor,
            now=desk.now,
            read=reader_of(TEXT, key),
        )
    except (BadInput, policies.PolicyMoved) as refused:  # refused before anything was written
        return _text_page(desk, which, form, status=422, error=refused.message)
    return desk.done(f"/letter-rules/texts/{key}", Flash("saved"))
