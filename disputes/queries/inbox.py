"""The list of cases: keyset pages, the counts of the saved views, and what its filters offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.auth import Team, User, UserEntity
from disputes.bank_holds import held_cases
from disputes.clock_events import Chip
from disputes.models import Case, CaseClock, CaseInvoice, Message
from disputes.queries.clocks import chips
from disputes.queries.filters import STATES_OPEN, CaseFilter, standing_condition
from disputes.queries.visibility import visible_to
from invoices.models import Account, Entity, Invoice

_FAR = datetime(9999, 12, 31, tzinfo=UTC)
_PROMISED = (
    select(func.min(CaseClock.due_at))
    .where(CaseClock.case_id == Case.id, CaseClock.met_at.is_(None))
    .correlate(Case)
    .scalar_subquery()
)
"""By when the next of a case's promises is due; those that are paused are due at no time."""
SNIPPET = 160

SORTS: dict[str, tuple[Any, bool]] = {
    "activity": (Case.last_activity_at, True),
    "due": (func.coalesce(_PROMISED, _FAR), False),
    "oldest": (Case.opened_at, False),
    "newest": (Case.opened_at, True),
}
"""Name -> what orders the list, and whether the largest comes first."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of the list. `disputed` holds one sum per currency; `snippet` is the newest message's beginning; `chip`
    the promise that presses most; `checked` says that two people check bank details (disputes/bank_holds.py).
    """

    case: Case
    account_name: str
    account_number: str
    owner_name: str
    team_key: str
    disputed: tuple[tuple[Decimal, str], ...]
    snippet: str
    last_from: str
    last_direction: str
    chip: Chip | None = None
    checked: bool = False


@dataclass(frozen=True, slots=True)
class CaseList:
    """One page. `next_key` is the place to go on from, None on the last page."""

    rows: tuple[CaseRow, ...]
    next_key: str | None


@dataclass(frozen=True, slots=True)
class ViewCounts:
    """How many open cases each saved view holds."""

    open: int = 0
    mine: int = 0
    unassigned: int = 0
    urgent: int = 0
    overdue: int = 0
    disputes: int = 0
    queries: int = 0
    customer: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: teams, entities and people."""

    teams: tuple[tuple[str, str], ...]
    entities: tuple[tuple[str, str], ...]
    people: tuple[tuple[int, str], ...]


def list_cases(
    session: Session,
    *,
    user: User,
    filters: CaseFilter,
    now: datetime,
    sort: str = "activity",
    after: str | None = None,
    limit: int = 50,
) -> CaseList:
    """A page of cases the user may see, from the place `after` a former page gave. Four queries."""
    column, descending = SORTS[sort]
    order = (column.desc(), Case.id.desc()) if descending else (column, Case.id)
    # Only ids are sorted: sorting whole rows took ten times as long at 100,000 cases.
    chosen = _narrowed(_found(), user, filters, now)
    place = _parse_key(after)
    if place is not None:
        chosen = chosen.where(_beyond(column, place, descending=descending))
    ids = chosen.order_by(*order).limit(limit + 1).subquery()
    found = session.execute(_columns(column).where(Case.id.in_(select(ids.c.id))).order_by(*order)).all()
    page = found[:limit]
    shown = [row[0].id for row in page]
    sums, words = _disputed(session, shown), newest_words(session, shown)
    promised = chips(session, case_ids=shown, now=now)
    rows = tuple(_row(row, sums, words, promised) for row in page)
    return CaseList(rows, _key(page[-1]) if len(found) > limit else None)


def _columns(sort: ColumnElement[Any]) -> Select[Any]:
    return (
        select(Case, Account.name, Account.number, User.name, Team.key, sort, held_cases())
        .outerjoin(Account, Account.id == Case.account_id)
        .outerjoin(User, User.id == Case.owner_id)
        .outerjoin(Team, Team.id == Case.team_id)
    )


def _found() -> Select[int]:
    return select(Case.id).outerjoin(Account, Account.id == Case.account_id)


def _narrowed(query: Select[Any], user: User, filters: CaseFilter, now: datetime) -> Select[Any]:
    return query.where(visible_to(user), *filters.conditions(user, now=now))


def _key(row: Row[*tuple[Any, ...]]) -> str:
    """A place in the list as text for the address: the sort value and the id that breaks ties."""
    return f"{row[5].astimezone(UTC).isoformat()}~{row[0].id}"


def _parse_key(key: str | None) -> tuple[datetime, int] | None:
    """The place a key names; None for none or a mangled one, which then shows the first page."""
    moment, _, number = (key or "").partition("~")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), int(number)
    except ValueError:
        return None


def _beyond(column: Any, place: tuple[datetime, int], *, descending: bool) -> ColumnElement[bool]:
    value, number = place
    if descending:
        return or_(column < value, and_(column == value, Case.id < number))
    return or_(column > value, and_(column == value, Case.id > number))


def _row(
    row: Row[*tuple[Any, ...]],
    sums: Mapping[int, list[tuple[Decimal, str]]],
    words: Mapping[int, tuple[str, str, str]],
    promised: Mapping[int, Chip],
) -> CaseRow:
    case, account, number, owner, team, _, checked = row
    snippet, sender, direction = words.get(case.id, ("", "", ""))
    return CaseRow(
        case=case,
        account_name=account or "",
        account_number=number or "",
        owner_name=owner or "",
        team_key=team or "",
        disputed=tuple(sums.get(case.id, ())),
        snippet=" ".join(snippet.split()),
        last_from=sender,
        last_direction=direction,
        chip=promised.get(case.id),
        checked=bool(checked),
    )


def _disputed(session: Session, case_ids: Sequence[int]) -> dict[int, list[tuple[Decimal, str]]]:
    total = func.sum(CaseInvoice.disputed)
    query = (
        select(CaseInvoice.case_id, Invoice.currency, total)
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id.in_(case_ids))
        .group_by(CaseInvoice.case_id, Invoice.currency)
        .order_by(Invoice.currency)
    )
    sums: dict[int, list[tuple[Decimal, str]]] = {}
    for case_id, currency, amount in session.execute(query):
        if amount:
            sums.setdefault(case_id, []).append((amount, currency))
    return sums


def newest_words(session: Session, case_ids: Sequence[int]) -> dict[int, tuple[str, str, str]]:
    """How the newest message of each case begins, who wrote it, and its direction. One query."""
    place = func.row_number().over(partition_by=Message.case_id, order_by=(Message.sent_at.desc(), Message.id.desc()))
    numbered = (
        select(
            Message.case_id,
            func.substr(Message.new_text, 1, SNIPPET).label("words"),
            Message.from_name,
            Message.from_email,
            Message.direction,
            place.label("place"),
        )
        .where(Message.case_id.in_(case_ids))
        .subquery()
    )
    newest = session.execute(select(numbered).where(numbered.c.place == 1))
    return {row.case_id: (row.words or "", row.from_name or row.from_email, row.direction) for row in newest}


def view_counts(session: Session, *, user: User, now: datetime) -> ViewCounts:
    """The counts of the saved views over open cases. One query."""

    def count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(*conditions) if conditions else func.count()

    query = select(
        count(),
        count(Case.owner_id == user.id),
        count(Case.owner_id.is_(None)),
        count(Case.urgent.is_(True)),
        count(standing_condition("late", now=now)),
        count(Case.kind == "dispute"),
        count(Case.kind == "query"),
        count(standing_condition("customer", now=now)),
        count(standing_condition("held", now=now)),
    ).where(Case.state.in_(STATES_OPEN), visible_to(user))
    return ViewCounts(*session.execute(query).one())


def choices(session: Session) -> Choices:
    """What the filters and the owner menu offer. Three small queries."""
    teams = session.execute(select(Team.key, Team.name).order_by(Team.name))
    entities = session.execute(select(Entity.code, Entity.name).order_by(Entity.name))
    people = session.execute(select(User.id, User.name).where(User.active).order_by(User.name))
    return Choices(
        teams=tuple((key, name) for key, name in teams),
        entities=tuple((code, name) for code, name in entities),
        people=tuple((number, name) for number, name in people),
    )


def takers(session: Session, *, case: Case) -> tuple[tuple[int, str], ...]:
    """Who the case may be given to: active people who may open it. One query; `case.entity` must be loaded."""
    limited = select(UserEntity.user_id).where(UserEntity.user_id == User.id)
    theirs = limited.where(UserEntity.entity_code == (case.entity.code if case.entity else None))
    able = select(User.id, User.name).where(User.active, or_(~limited.exists(), theirs.exists()))
    return tuple((number, name) for number, name in session.execute(able.order_by(User.name)))


def neighbours(
    session: Session, *, user: User, filters: CaseFilter, now: datetime, sort: str, case: Case
) -> tuple[int | None, int | None]:
    """The cases before and after one in the list it was opened from. Two queries."""
    column, descending = SORTS[sort]
    place = (session.scalar(select(column).where(Case.id == case.id)), case.id)
    found = [
        _nearest(session, user=user, filters=filters, now=now, column=column, place=place, descending=way)
        for way in (not descending, descending)
    ]
    return found[0], found[1]


def _nearest(
    session: Session,
    *,
    user: User,
    filters: CaseFilter,
    now: datetime,
    column: Any,
    place: tuple[Any, int],
    descending: bool,
) -> int | None:
    order = (column.desc(), Case.id.desc()) if descending else (column, Case.id)
    query = _narrowed(_found(), user, filters, now)
    query = query.where(_beyond(column, place, descending=descending)).order_by(*order).limit(1)
    found: int | None = session.scalar(query)
    return found
