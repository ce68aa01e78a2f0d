"""Letters as pages show them: lists, one of them, runs, print runs; who may see which is decided in the query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from app.auth import User
from app.core.errors import NotFound
from app.core.events import Event
from disputes.models import Case
from disputes.queries.visibility import entities_of, visible_to
from invoices.models import Account, Entity
from letters.models import Letter, LetterBlock, PrintRun, Run, RunItem

PAGE = 50
_FAULTY = and_(Letter.state == "drafted", Letter.fault != "")
VIEWS: Mapping[str, ColumnElement[bool]] = {
    "approve": Letter.state == "checked",
    "trouble": or_(_FAULTY, Letter.state.in_(("bounced", "uncertain"))),
    "post": and_(Letter.state == "approved", Letter.channel != "email"),
    "going": or_(
        and_(Letter.state == "drafted", Letter.fault == ""),
        and_(Letter.state == "approved", Letter.channel == "email"),
        Letter.state == "queued",
    ),
    "sent": Letter.state.in_(("sent", "delivered", "answered")),
    "stopped": Letter.state == "cancelled",
}
"""What the list shows; what waits for a person comes oldest first."""
_OLDEST_FIRST = frozenset({"approve", "trouble", "post"})


def visible_letters(user: User) -> ColumnElement[bool]:
    """Letters of the user's entities; a finance owner sees those of their cases."""
    if user.role == "owner":
        return Letter.case_id.in_(select(Case.id).where(visible_to(user)))
    entities = entities_of(user)
    return Letter.id > 0 if entities is None else Letter.entity_id.in_(entities)


def counts(session: Session, *, user: User) -> dict[str, int]:
    """How many letters each view has. One query."""
    columns = [func.count().filter(condition).label(name) for name, condition in VIEWS.items()]
    row = session.execute(select(*columns).where(visible_letters(user))).one()
    return dict(zip(VIEWS, row, strict=True))


def list_letters(
    session: Session, *, user: User, view: str, text: str = "", account_id: int | None = None, after: int | None = None
) -> tuple[Sequence[Letter], int | None]:
    """A page of letters and where the next begins; `text` is of the account, an invoice or the letter's number."""
    wanted = select(Letter).where(visible_letters(user)).join(Account, Account.id == Letter.account_id)
    if view in VIEWS:
        wanted = wanted.where(VIEWS[view])
    if account_id is not None:
        wanted = wanted.where(Letter.account_id == account_id)
    if text.strip():
        wanted = wanted.where(_meaning(text.strip()))
    rising = view in _OLDEST_FIRST
    if after is not None:
        wanted = wanted.where(Letter.id > after if rising else Letter.id < after)
    order = Letter.id if rising else Letter.id.desc()
    loaded = joinedload(Letter.account)
    rows = session.scalars(wanted.options(loaded).order_by(order).limit(PAGE + 1)).all()
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def _meaning(text: str) -> ColumnElement[bool]:
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    digits = text.upper().removeprefix("L").lstrip("0")
    number: ColumnElement[bool] = Letter.id == int(digits) if digits.isdecimal() and len(digits) < 18 else false()  # noqa: PLR2004 - ids are 64-bit
    return or_(
        Account.name.ilike(f"%{plain}%", escape="\\"),
        Account.number.ilike(f"{plain}%", escape="\\"),
        Letter.facts.contains(f'"number":"{text}"', autoescape=True),
        number,
    )


def letter_of(session: Session, *, user: User, letter_id: int) -> Letter:
    """One letter with account, entity, case and mail. Raises NotFound, also for one of others."""
    wanted = select(Letter).where(Letter.id == letter_id, visible_letters(user))
    loaded = (
        joinedload(Letter.account), joinedload(Letter.entity), joinedload(Letter.case), joinedload(Letter.outgoing)
    )  # fmt: skip
    letter = session.scalar(wanted.options(*loaded))
    if letter is None:
        raise NotFound(f"There is no letter {letter_id}")
    return letter


def beside(session: Session, *, user: User, letter: Letter) -> tuple[int | None, int | None]:
    """The letters before and after this one among those to approve."""
    mine = select(Letter.id).where(visible_letters(user), VIEWS["approve"])
    before = session.scalar(mine.where(Letter.id < letter.id).order_by(Letter.id.desc()).limit(1))
    after = session.scalar(mine.where(Letter.id > letter.id).order_by(Letter.id).limit(1))
    return before, after


@dataclass(frozen=True, slots=True)
class Happening:
    """Something in a letter's life, with who did it."""

    verb: str
    at: datetime
    by: str


def history(session: Session, *, letter: Letter) -> list[Happening]:
    """What happened to a letter, oldest first."""
    rows = session.scalars(
        select(Event).where(Event.subject == "letter", Event.subject_id == letter.id).order_by(Event.id)
    ).all()
    names = names_of(session, {row.actor for row in rows})
    return [Happening(row.verb, row.at, names.get(row.actor, "Amiable")) for row in rows]


def names_of(session: Session, actors: set[str]) -> dict[str, str]:
    """Actor ("user:7") -> the person's name."""
    ids = {int(one.removeprefix("user:")) for one in actors if one.startswith("user:")}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {f"user:{number}": name for number, name in rows}


def letters_of_account(session: Session, *, user: User, account_id: int, limit: int = 6) -> Sequence[Letter]:
    """The newest letters of an account."""
    wanted = select(Letter).where(Letter.account_id == account_id, visible_letters(user))
    return session.scalars(wanted.order_by(Letter.id.desc()).limit(limit)).all()


def block_of(session: Session, *, account_id: int) -> LetterBlock | None:
    """Whether the account gets no letters, and why."""
    return session.get(LetterBlock, account_id)


# --- runs


def visible_entities(session: Session, *, user: User) -> Sequence[Entity]:
    """Entities the user may write letters for."""
    if user.role == "owner":
        return []
    entities = entities_of(user)
    wanted = select(Entity).order_by(Entity.code)
    return session.scalars(wanted if entities is None else wanted.where(Entity.id.in_(entities))).all()


def _entities(user: User, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    if user.role == "owner":
        return false()
    entities = entities_of(user)
    return column > 0 if entities is None else column.in_(entities)


def list_runs(session: Session, *, user: User, limit: int = 30) -> Sequence[Run]:
    """The newest runs."""
    wanted = select(Run).where(_entities(user, Run.entity_id)).options(joinedload(Run.entity))
    return session.scalars(wanted.order_by(Run.id.desc()).limit(limit)).all()


def run_of(session: Session, *, user: User, run_id: int) -> Run:
    """One run. Raises NotFound, also for one of others."""
    wanted = select(Run).where(Run.id == run_id, _entities(user, Run.entity_id)).options(joinedload(Run.entity))
    run = session.scalar(wanted)
    if run is None:
        raise NotFound(f"There is no run {run_id}")
    return run


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run comes to: accounts by state, letters and sums by kind, exceptions by code."""

    states: Mapping[str, int]
    kinds: Mapping[str, tuple[int, Mapping[str, Decimal]]]
    codes: Mapping[str, int]
    totals: Mapping[str, Decimal]


def figures(session: Session, *, run: Run) -> Figures:
    """The figures of a run, from its items."""
    rows = session.execute(
        select(RunItem.state, RunItem.kind, RunItem.code, RunItem.totals).where(RunItem.run_id == run.id)
    )
    states: dict[str, int] = {}
    codes: dict[str, int] = {}
    kinds: dict[str, tuple[int, dict[str, Decimal]]] = {}
    totals: dict[str, Decimal] = {}
    for state, kind, code, amounts in rows:
        states[state] = states.get(state, 0) + 1
        if state in {"included", "written"}:
            count, sums = kinds.get(kind, (0, {}))
            _add(sums, amounts)
            _add(totals, amounts)
            kinds[kind] = count + 1, sums
        elif code:
            codes[code] = codes.get(code, 0) + 1
    return Figures(states, kinds, codes, totals)


def _add(sums: dict[str, Decimal], amounts: Mapping[str, Any]) -> None:
    for currency, amount in amounts.items():
        sums[currency] = sums.get(currency, Decimal(0)) + Decimal(str(amount))


def run_items(
    session: Session, *, run: Run, state: str = "", code: str = "", after: int | None = None
) -> tuple[Sequence[RunItem], int | None]:
    """A page of a run's accounts and where the next begins."""
    wanted = select(RunItem).where(RunItem.run_id == run.id).options(joinedload(RunItem.account))
    if state:
        wanted = wanted.where(RunItem.state == state)
    if code:
        wanted = wanted.where(RunItem.code == code)
    if after is not None:
        wanted = wanted.where(RunItem.account_id > after)
    rows = session.scalars(wanted.order_by(RunItem.account_id).limit(PAGE + 1)).all()
    return rows[:PAGE], rows[PAGE - 1].account_id if len(rows) > PAGE else None


def list_prints(session: Session, *, user: User, limit: int = 20) -> Sequence[tuple[PrintRun, str]]:
    """The newest files for the print shop, each with its entity's name."""
    rows = session.execute(
        select(PrintRun, Entity.name)
        .join(Entity, Entity.id == PrintRun.entity_id)
        .where(_entities(user, PrintRun.entity_id))
        .order_by(PrintRun.id.desc())
        .limit(limit)
    )
    return [(made, name) for made, name in rows]


def print_of(session: Session, *, user: User, print_id: int) -> PrintRun:
    """One file for the print shop. Raises NotFound, also for one of others."""
    made = session.scalar(select(PrintRun).where(PrintRun.id == print_id, _entities(user, PrintRun.entity_id)))
    if made is None:
        raise NotFound(f"There is no print run {print_id}")
    return made


def waiting_for_post(session: Session, *, user: User) -> Sequence[tuple[Entity, int]]:
    """Entities with approved letters for the post, and how many."""
    rows = session.execute(
        select(Letter.entity_id, func.count()).where(VIEWS["post"], visible_letters(user)).group_by(Letter.entity_id)
    )
    waiting = {entity_id: count for entity_id, count in rows}  # noqa: C416 - rows are no pairs to mypy
    return [(one, waiting[one.id]) for one in visible_entities(session, user=user) if one.id in waiting]
