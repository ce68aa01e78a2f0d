"""Customer mails: the deployment's own wordings by kind, language and entity, shown on a real case before saving."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import select

from app.core.errors import NotFound
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.rules import common
from app.web.rules.common import MANAGE, PostedDep
from app.web.rules.forms import Sheet
from disputes.actions.policies import PolicyMoved
from disputes.actions.wordings import save_wording
from disputes.correspondence import facts_of, partner_of
from disputes.customer_mail import FAMILY, OWN_KINDS, Composed, CustomerFacts, Wording, compose, wording
from disputes.customer_mail import signature as signed
from disputes.models import Case
from disputes.queries import policies as versions
from disputes.queries import visible_case, visible_to
from disputes.queries.filters import STATES_OPEN
from disputes.reading import LANGUAGES
from disputes.rulebook import BadPolicy, Rules
from invoices.models import Entity

router = APIRouter(dependencies=MANAGE)
PAGE = "/rules/wordings/{kind}/{language}"
SIGNATURE = "signature"
N_ = str  # marks a msgid for extraction
QUESTION = N_("Could you send us the delivery note you received?")
WHY = N_("The carrier's signature was found.")
"""Stand in the preview for what a person will write."""


class NoSuchMail(NotFound):
    """There is no mail of that kind in that language."""


class WordingQuery(BaseModel):
    """For which entity, in which version, shown on which case."""

    entity: str = ""
    version: str = ""
    case: int | None = None


@dataclass(frozen=True, slots=True)
class Which:
    """One wording: for everybody, or for one entity (its code)."""

    kind: str
    language: str
    entity: str = ""

    @property
    def key(self) -> str:
        """As policies know it."""
        return "/".join(filter(None, (self.kind, self.language, self.entity)))

    @property
    def page(self) -> str:
        """Its address."""
        return f"/rules/wordings/{self.kind}/{self.language}" + (f"?entity={self.entity}" if self.entity else "")


@dataclass(frozen=True, slots=True)
class Preview:
    """The words as the customer of a case would read them."""

    case: Case
    to: str
    mail: Composed


@router.get("/rules/wordings")
def show_all(desk: DeskDep) -> Response:
    """Which mails there are, and which the deployment words itself."""
    own: dict[str, list[versions.Version]] = {}
    for one in versions.in_force(desk.session, family=FAMILY):
        own.setdefault("/".join(one.key.split("/")[:2]), []).append(one)
    return common.page(desk, "rules/wordings.html", kinds=OWN_KINDS, languages=LANGUAGES, own=own)


@router.get(PAGE)
def show(desk: DeskDep, kind: str, language: str, asked: Annotated[WordingQuery, Query()]) -> Response:
    """The wording in force with how it reads on a case, or an older version."""
    which = _which(desk, kind, language, asked.entity)
    content = (_older(desk, which, asked.version) if asked.version else _in_force(desk, which)).model_dump()
    words = wording(content, what=which.key)
    return _page(desk, which, Sheet(content), words=words, case=asked.case, opened=asked.version)


@router.post(f"{PAGE}/preview")
def preview(desk: DeskDep, kind: str, language: str, form: PostedDep) -> Response:
    """The same page with the words as they are now; nothing is saved."""
    which, content, case = _asked(desk, kind, language, form.content)
    try:
        words = wording(content, what=which.key)
    except BadPolicy as refused:
        return _page(desk, which, Sheet(content, refused.fields), case=case, note=form.note, status=422)
    return _page(desk, which, Sheet(content), words=words, case=case, note=form.note)


@router.post(f"{PAGE}/versions")
def save(desk: DeskDep, kind: str, language: str, form: PostedDep) -> Response:
    """A new version, in force for every mail written from now on."""
    which, content, case = _asked(desk, kind, language, form.content)
    try:
        save_wording(
            desk.session,
            kind=which.kind,
            language=which.language,
            entity_code=which.entity or None,
            content=content,
            note=form.note,
            based_on=form.based_on,
            actor=desk.actor,
            now=desk.now,
        )
    except BadPolicy as refused:
        return _page(desk, which, Sheet(content, refused.fields), case=case, note=form.note, status=422)
    except PolicyMoved:
        return _page(desk, which, Sheet(content), case=case, note=form.note, moved=True, status=409)
    return desk.done(which.page, Flash("saved"))


def _which(desk: Desk, kind: str, language: str, entity: str) -> Which:
    known = not entity or desk.session.scalar(select(Entity.id).where(Entity.code == entity)) is not None
    if kind not in OWN_KINDS or language not in LANGUAGES or not known:
        raise NoSuchMail(f"There is no mail {kind} in {language}")
    return Which(kind, language, entity)


def _asked(
    desk: Desk, kind: str, language: str, content: Mapping[str, str]
) -> tuple[Which, dict[str, str], int | None]:
    """What is worded, its words, and the case they are shown on."""
    words = {name: value for name, value in content.items() if name not in {"entity", "case"}}
    number = str(content.get("case", "")).lstrip("#")
    case = int(number) if number.isdecimal() and len(number) < 18 else None  # noqa: PLR2004 - ids are 64-bit
    return _which(desk, kind, language, str(content.get("entity", ""))), words, case


def _in_force(desk: Desk, which: Which) -> Rules:
    """The wording of this key, else what it stands for: the deployment's for everybody, else the shipped one."""
    found = {one.key: one for one in versions.in_force(desk.session, family=FAMILY)}
    own = found.get(which.key) or found.get(f"{which.kind}/{which.language}")
    return wording(own.content, what=own.key) if own else _shipped(which)


def _older(desk: Desk, which: Which, version: str) -> Rules:
    return _shipped(which) if version == common.SHIPPED else common.older(desk, FAMILY, which.key, version)


def _shipped(which: Which) -> Wording:
    return common.shipped_wording(which.kind, which.language)


def _page(
    desk: Desk,
    which: Which,
    sheet: Sheet,
    *,
    words: Wording | None = None,
    case: int | None = None,
    note: str = "",
    opened: str = "",
    moved: bool = False,
    status: int = 200,
) -> Response:
    found = common.history(desk, family=FAMILY, key=which.key)
    return common.page(
        desk,
        "rules/wording.html",
        status=status,
        family=FAMILY,
        key=which.key,
        which=which,
        kinds=OWN_KINDS,
        languages=LANGUAGES,
        sheet=sheet,
        note=note,
        opened=opened,
        moved=moved,
        version=next((one.version.version for one in found if one.version.active), 0),
        preview=_preview(desk, which, words, case) if words else None,
        case=case,
        choices=common.choices(desk),
        history=found,
        own=any(one.version.active for one in found),
        shipped=True,
    )


def _preview(desk: Desk, which: Which, words: Wording, number: int | None) -> Preview | None:
    """The words on the case asked for, else on the newest open one that fits; None where there is none."""
    case = visible_case(desk.session, user=desk.user, case_id=number) if number else _newest(desk, which)
    if case is None:
        return None
    partner = partner_of(desk.session, case=case)
    asked, why = desk.words.gettext(QUESTION), desk.words.gettext(WHY)
    facts = facts_of(
        desk.session, case=case, partner=partner, agent=desk.user.name, now=desk.now, question=asked, why=why
    )
    facts = replace(facts, language=which.language, resolution=facts.resolution or "partly_accepted")
    return Preview(case, partner.email if partner else "", _read(which, facts, words))


def _read(which: Which, facts: CustomerFacts, words: Wording) -> Composed:
    return Composed("", signed(facts, words)) if which.kind == SIGNATURE else compose(facts, words)


def _newest(desk: Desk, which: Which) -> Case | None:
    query = select(Case).where(Case.state.in_(STATES_OPEN), visible_to(desk.user))
    if which.entity:
        query = query.join(Entity, Entity.id == Case.entity_id).where(Entity.code == which.entity)
    fits = (Case.language == which.language).desc()
    return desk.session.scalar(query.order_by(fits, Case.last_activity_at.desc(), Case.id.desc()).limit(1))
