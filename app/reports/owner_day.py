"""A person's day read from the database and written as their digest: for the mail, and for its preview."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.i18n import chosen_language
from app.core.keys import key_for
from app.core.settings import Settings
from app.reports.digest import Digest, Links, Reader, compose
from disputes.digest_tokens import LinkTokens
from disputes.digests import DigestMail, sections, zone_of
from disputes.queries.digests import Person, items_of
from disputes.queries.team_day import team_day
from disputes.rules_in_force import all_reasons

SETTINGS_PAGE = "/digest"


def day_of(session: Session, *, person: Person, now: datetime, case_id: int | None = None) -> Digest:
    """What a person must know now; `case_id` alone for an urgent one."""
    items = items_of(session, user=person.user, now=now, only=case_id)
    reasons = all_reasons(session)
    cases = sections(items, now=now, zone=zone_of(person.rhythm, person.calendar))
    if case_id is not None:
        return Digest(cases, urgent=bool(items), reasons=reasons)
    return Digest(cases, team_day(session, user=person.user, now=now), reasons=reasons)


def mail_of(digest: Digest, *, person: Person, links: Links, settings: Settings, now: datetime) -> DigestMail:
    """The digest in its reader's language and time."""
    usual = person.entity.language if person.entity else settings.default_language
    language = chosen_language(person.user.language, usual, settings.default_language)
    reader = Reader(person.user.name, language, zone_of(person.rhythm, person.calendar))
    return compose(digest, reader=reader, links=links, now=now)


def working_links(settings: Settings, *, person: Person, period: str, now: datetime) -> Links:
    """Links of a mail: to the cases, and signed ones that act without a password."""
    tokens = LinkTokens(key_for(settings, "digest action"))
    base = settings.public_url.rstrip("/")
    user_id = person.user.id

    def act(case_id: int, action: str) -> str:
        return f"{base}/do/{tokens.token(user_id=user_id, case_id=case_id, action=action, period=period, now=now)}"

    return _links(base, act)


def shown_links(settings: Settings) -> Links:
    """Links of a preview: its buttons do nothing."""
    return _links(settings.public_url.rstrip("/"), lambda _case, _action: "")


def _links(base: str, act: Callable[[int, str], str]) -> Links:
    return Links(
        case=lambda case_id: f"{base}/cases/{case_id}",
        task=lambda task_id: f"{base}/tasks/{task_id}",
        act=act,
        mine=f"{base}/inbox?owner=me",
        settings=f"{base}{SETTINGS_PAGE}",
    )
