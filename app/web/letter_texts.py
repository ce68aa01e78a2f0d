"""The texts of letters by kind, language and entity, shown on a real case while they are written."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from pydantic import BaseModel
from sqlalchemy import select

from app.core.errors import BadInput, NotFound
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.messages import shown
from app.web.rules import common
from app.web.rules.common import MANAGE
from disputes.actions import policies
from invoices.models import Entity
from letters.compose import compose
from letters.kinds import KINDS, LANGUAGES, Kind, Language
from letters.printer import LetterPrinter, NotPrinted
from letters.queries.example import example
from letters.rules import TEXT, letter_rules, reader_of
from letters.wording import BLOCKS, VALUES, Template, read_template

router = APIRouter(dependencies=MANAGE)
PAGE = "/letter-rules/texts/{kind}/{language}"


class TextQuery(BaseModel):
    """For which entity (its code), in which version, shown on which case."""

    entity: str = ""
    version: str = ""
    case: int | None = None


class TextForm(ActionForm):
    """The text of a kind of letter; `based_on` is the version the change began from, `case` what it is shown on."""

    subject: str = ""
    body: str = ""
    greeting: str = ""
    closing: str = ""
    note: str = ""
    entity: str = ""
    case: str = ""
    based_on: int = 0

    @property
    def words(self) -> dict[str, str]:
        """As a policy keeps it."""
        kept = self.model_dump(include={"subject", "greeting", "closing"})
        return kept | {"body": self.body.replace("\r\n", "\n")}

    @property
    def case_id(self) -> int | None:
        """The number of the case, None for none."""
        number = self.case.strip().lstrip("#")
        return int(number) if number.isdecimal() and len(number) < 18 else None  # noqa: PLR2004 - ids are 64-bit


@dataclass(frozen=True, slots=True)
class Which:
    """One text: for everybody, or for one entity (its code)."""

    kind: Kind
    language: Language
    entity: str = ""

    @property
    def key(self) -> str:
        """As policies know it."""
        return "/".join(filter(None, (self.kind, self.language, self.entity)))

    @property
    def page(self) -> str:
        """Its address."""
        return f"/letter-rules/texts/{self.kind}/{self.language}" + (f"?entity={self.entity}" if self.entity else "")


@router.get(PAGE)
def show(desk: DeskDep, kind: str, language: str, asked: Annotated[TextQuery, Query()]) -> Response:
    """The text in force, or an older version, and what it may name."""
    which = _which(desk, kind, language, asked.entity)
    found = letter_rules(desk.session).text(which.kind, which.language, which.entity).rules
    if asked.version:
        older = common.older(desk, TEXT, which.key, asked.version)
        found = older if isinstance(older, Template) else found
    words = found.model_dump(include={"subject", "body", "greeting", "closing"})
    form = TextForm(**words, entity=which.entity, case=str(asked.case or ""))
    return _page(desk, which, form, opened=asked.version)


def _which(desk: Desk, kind: str, language: str, entity: str) -> Which:
    kinds = next((one for one in KINDS if one == kind), None)
    languages = next((one for one in LANGUAGES if one == language), None)
    known = not entity or desk.session.scalar(select(Entity.id).where(Entity.code == entity)) is not None
    if kinds is None or languages is None or not known:
        raise NotFound(f"There is no letter {kind} in {language}")
    return Which(kinds, languages, entity)


def _page(
    desk: Desk, which: Which, form: TextForm, *, status: int = 200, error: str = "", opened: str = ""
) -> Response:
    history = common.history(desk, family=TEXT, key=which.key)
    version = next((one.version.version for one in history if one.version.active), 0)
    return common.page(
        desk,
        "letters/text.html",
        status=status,
        family=TEXT,
        key=which.key,
        which=which,
        languages=LANGUAGES,
        form=form if form.based_on else form.model_copy(update={"based_on": version}),
        error=error,
        opened=opened,
        version=version,
        own=version > 0,
        choices=common.choices(desk),
        history=history,
        shipped=True,
        values=VALUES,
        blocks=BLOCKS,
    )


@router.post(f"{PAGE}/preview")
def preview(desk: DeskDep, kind: str, language: str, form: Annotated[TextForm, Form()]) -> Response:
    """The text as it is typed on a real letter, as a PDF in its own frame; nothing is saved."""
    which = _which(desk, kind, language, form.entity)
    try:
        template = read_template(which.kind, which.language, form.words)
        facts = example(
            desk.session,
            user=desk.user,
            kind=which.kind,
            language=which.language,
            entity_code=which.entity,
            case_id=form.case_id,
            rules=letter_rules(desk.session),
            now=desk.now,
        )
        with LetterPrinter(workers=1) as printer:
            made = printer.print_letter(compose(facts, template))
    except (BadInput, NotFound, NotPrinted) as refused:
        return desk.page("letters/no_preview.html", status=422, error=refused.message)
    return shown(made, "preview.pdf")


@router.post(PAGE)
def save(desk: DeskDep, kind: str, language: str, form: Annotated[TextForm, Form()]) -> Response:
    """A new version, for every letter written from now on; a letter keeps the text it was made from."""
    which = _which(desk, kind, language, form.entity)
    try:
        policies.save(
            desk.session,
            family=TEXT,
            key=which.key,
            content=form.words,
            note=form.note,
            based_on=form.based_on,
            actor=desk.actor,
            now=desk.now,
            read=reader_of(TEXT, which.key),
        )
    except (BadInput, policies.PolicyMoved) as refused:  # refused before anything was written
        return _page(desk, which, form, status=422, error=refused.message)
    return desk.done(which.page, Flash("saved"))
