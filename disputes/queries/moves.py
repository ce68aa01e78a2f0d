"""Cases that changed routing rules would move, with the words a person needs to judge it. It reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.auth import Team, User
from disputes.models import Case
from disputes.queries.visibility import visible_to
from disputes.routing_trial import Move
from disputes.told import Told
from invoices.models import Account

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Who has a case: a person's name, "" for a team's queue, and the team's key."""

    person: str
    team: str


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One case that would move: from whom, to whom, and why there."""

    case_id: int
    title: str
    account: str
    before: Place
    after: Place
    why: tuple[Told, ...]


def rows_of(session: Session, *, user: User, moves: Sequence[Move]) -> tuple[MoveRow, ...]:
    """The first moves of cases the user may see. Three queries. `user.entities` must be loaded."""
    shown = moves[:SHOWN]
    rows = session.execute(
        select(Case.id, Case.title, Account.name, Account.number, User.name.label("owner"), Team.key.label("team"))
        .outerjoin(Account, Account.id == Case.account_id)
        .outerjoin(User, User.id == Case.owner_id)
        .outerjoin(Team, Team.id == Case.team_id)
        .where(Case.id.in_([move.case_id for move in shown]), visible_to(user))
    )
    cases = {row.id: row for row in rows}
    owners = {move.after.owner_id for move in shown if move.after.owner_id is not None}
    people = _names(session, select(User.id, User.name).where(User.id.in_(owners)))
    teams = _names(session, select(Team.id, Team.key))
    return tuple(
        MoveRow(
            case_id=move.case_id,
            title=row.title,
            account=row.name or row.number or "",
            before=Place(row.owner or "", row.team or ""),
            after=Place(people.get(move.after.owner_id or 0, ""), teams.get(move.after.team_id or 0, "")),
            why=move.after.why,
        )
        for move in shown
        if (row := cases.get(move.case_id)) is not None
    )


def _names(session: Session, query: Select[int, str]) -> dict[int, str]:
    return {number: name for number, name in session.execute(query)}  # noqa: C416 - dict() would want tuples, not rows
