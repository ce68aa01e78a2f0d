"""Runs of reminders: looked through in batches, started, written in batches, cancelled. The rows are the queue.

A worker that is killed loses the batch it had in hand; the next one finds those accounts still to be written, and a
letter's key makes a second one impossible.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import BadInput, Conflict, NotFound
from app.core.events import Actor, record
from disputes.actions.shared import user_id
from disputes.workhours import calendar_of, local_day
from invoices.models import Entity, Invoice
from letters.actions.drafting import NotDrafted, Origin, draft
from letters.actions.shared import move
from letters.models import Letter, Run, RunItem
from letters.planning import QUIET, Planned, plans
from letters.rules import LetterRules

LOOK, WRITE = 200, 50
"""Accounts looked at, and letters written, in one transaction."""


class NoRun(NotFound):
    """There is no such run."""


class RunMoved(Conflict):
    """The run is in another state than that asks for."""


def begin(session: Session, *, entity_id: int, name: str, actor: Actor, now: datetime) -> Run:
    """A run that is looked through next; nothing is written before somebody starts it. Raises NotFound, BadInput."""
    entity = session.get(Entity, entity_id)
    if entity is None:
        raise NotFound(f"There is no entity {entity_id}")
    going = select(Run.id).where(Run.entity_id == entity_id, Run.state.in_(("looking", "ready", "running")))
    if session.scalar(going.limit(1)) is not None:
        raise RunMoved(f"A run of {entity.name} is under way: start or cancel that one first")
    day = local_day(now, calendar_of(entity.country))
    run = Run(
        name=name.strip()[:120] or f"{entity.name} {day.isoformat()}",
        entity_id=entity_id,
        day=day,
        totals={},
        created_by=actor.name,
        created_at=now,
    )
    session.add(run)
    session.flush()
    _told(session, run, "letter run begun", actor=actor, now=now, after={"name": run.name, "entity_id": entity_id})
    return run


def run_for_change(session: Session, run_id: int, *states: str) -> Run:
    """The run in one of the states, locked where the database locks rows. Raises NoRun, RunMoved."""
    wanted = select(Run).where(Run.id == run_id).with_for_update().execution_options(populate_existing=True)
    run = session.scalar(wanted)
    if run is None:
        raise NoRun(f"There is no run {run_id}")
    if run.state not in states:
        raise RunMoved(f"Run {run_id} is {run.state}, not {' or '.join(states)}")
    return run


def look(session: Session, *, run_id: int, rules: LetterRules, actor: Actor, now: datetime, limit: int = LOOK) -> int:
    """What the next accounts would get; with none left the run is ready. Gives how many were looked at."""
    run = run_for_change(session, run_id, "looking", "ready", "running", "done", "cancelled")
    if run.state != "looking":
        return 0
    late = select(Invoice.account_id).where(
        Invoice.entity_id == run.entity_id,
        Invoice.account_id > run.cursor,
        Invoice.open_amount > 0,
        Invoice.due < run.day,
    )
    ids = session.scalars(late.distinct().order_by(Invoice.account_id).limit(limit)).all()
    if not ids:
        run.state = "ready"
        _told(session, run, "letter run ready", actor=actor, now=now, after={"looked_at": run.looked_at})
        return 0
    found = plans(session, account_ids=ids, rules=rules, now=now)
    session.add_all(_items(run, found))
    run.cursor, run.looked_at = ids[-1], run.looked_at + len(ids)
    session.flush()
    return len(ids)


def _items(run: Run, found: Iterable[Planned]) -> Iterable[RunItem]:
    for planned in found:
        letter = planned.letter
        account_id = planned.owing.account.id
        if letter is not None:
            yield RunItem(
                run_id=run.id,
                account_id=account_id,
                state="included",
                step=letter.level.id,
                kind=letter.level.kind,
                channel=letter.channel,
                totals={currency: str(one) for currency, one in letter.totals.items()},
            )
        elif planned.code not in QUIET:
            yield RunItem(
                run_id=run.id, account_id=account_id, state="exception", code=planned.code, why=planned.why[:2000]
            )


def exclude(session: Session, *, run_id: int, account_id: int, out: bool, actor: Actor, now: datetime) -> RunItem:
    """An account is left out of a run that is ready, or taken in again. Raises NoRun, RunMoved, NotFound."""
    run = run_for_change(session, run_id, "ready")
    item = session.get(RunItem, (run_id, account_id))
    if item is None or item.state not in {"included", "excluded"}:
        raise NotFound(f"Account {account_id} gets no letter of run {run_id}")
    state = "excluded" if out else "included"
    if item.state != state:
        before, item.state = {"account_id": account_id, "state": item.state}, state
        verb = "account left out of a run" if out else "account taken into a run"
        _told(session, run, verb, actor=actor, now=now, before=before, after={"account_id": account_id})
    return item


def start(session: Session, *, run_id: int, actor: Actor, now: datetime) -> Run:
    """A person lets the letters be written. Raises NoRun, RunMoved; BadInput where there is nothing to write."""
    run = run_for_change(session, run_id, "ready")
    if not count_of(session, run_id, "included"):
        raise BadInput("Nothing is left to write in this run")
    run.state, run.started_at = "running", now
    _told(session, run, "letter run started", actor=actor, now=now, before={"state": "ready"}, after={})
    return run


def count_of(session: Session, run_id: int, state: str) -> int:
    """How many accounts of a run are in a state."""
    mine = select(func.count()).select_from(RunItem).where(RunItem.run_id == run_id, RunItem.state == state)
    return session.scalar(mine) or 0


def cancel(session: Session, *, run_id: int, actor: Actor, now: datetime) -> int:
    """No more letters are written; those of it that nobody approved yet are taken back. Gives how many."""
    run = run_for_change(session, run_id, "looking", "ready", "running")
    before, run.state, run.ended_at = {"state": run.state}, "cancelled", now
    mine = select(Letter).where(Letter.run_id == run_id, Letter.state.in_(("drafted", "checked")))
    rows = session.scalars(mine.with_for_update()).all()
    ended: dict[str, Any] = {"state": "cancelled", "why": "the run was cancelled", "ended_at": now}
    for letter in rows:
        move(session, letter, verb="letter stopped", actor=actor, now=now, **ended)
    _told(session, run, "letter run cancelled", actor=actor, now=now, before=before, after={"taken_back": len(rows)})
    return len(rows)


def write_next(session: Session, *, run_id: int, rules: LetterRules, now: datetime, limit: int = WRITE) -> int:
    """Write the letters of the next accounts, each decided anew. Gives how many accounts were worked."""
    run = run_for_change(session, run_id, "looking", "ready", "running", "done", "cancelled")
    if run.state != "running":
        return 0
    actor = Actor(run.created_by, f"run:{run_id}")
    mine = select(RunItem).where(RunItem.run_id == run_id, RunItem.state == "included")
    items = session.scalars(mine.order_by(RunItem.account_id).limit(limit).with_for_update(skip_locked=True)).all()
    if not items:
        run.state, run.ended_at = "done", now
        _told(session, run, "letter run done", actor=actor, now=now, after={})
        return 0
    found = plans(session, account_ids=[item.account_id for item in items], rules=rules, now=now)
    planned = {one.owing.account.id: one for one in found}
    signer = _signer(session, run)
    for item in items:
        _write(session, run, item, planned[item.account_id], signer=signer, rules=rules, actor=actor, now=now)
    session.flush()
    return len(items)


def _write(
    session: Session,
    run: Run,
    item: RunItem,
    planned: Planned,
    *,
    signer: str,
    rules: LetterRules,
    actor: Actor,
    now: datetime,
) -> None:
    """One account's letter; what speaks against it now is kept with the item."""
    letter = planned.letter
    if letter is None:
        item.state, item.code, item.why = "stopped", planned.code, planned.why[:2000]
        return
    step = letter.level.id
    origin = Origin(
        subject=f"account:{item.account_id}",
        step=step,
        cycle=planned.owing.cycles.get(step, 0),
        signer=signer,
        run_id=run.id,
    )
    try:
        made = draft(session, planned=planned, letter=letter, origin=origin, rules=rules, actor=actor, now=now)
    except NotDrafted as error:
        item.state, item.code, item.why = "exception", "fault", error.message[:2000]
        return
    if made is None:
        item.state, item.code, item.why = "stopped", "waiting", "such a letter was written meanwhile"
        return
    item.state, item.letter_id, item.step, item.kind = "written", made.id, step, made.kind
    item.totals, item.channel = made.totals, made.channel


def _signer(session: Session, run: Run) -> str:
    number = user_id(Actor(run.created_by))
    user = session.get(User, number) if number is not None else None
    entity = session.get(Entity, run.entity_id)
    return user.name if user else entity.name if entity else ""


def to_work(session: Session) -> list[tuple[int, str]]:
    """Runs with something to do, and what: looking or running."""
    wanted = select(Run.id, Run.state).where(Run.state.in_(("looking", "running"))).order_by(Run.id)
    return [(run_id, state) for run_id, state in session.execute(wanted)]


def sums(items: Iterable[RunItem]) -> dict[str, Decimal]:
    """What items ask for, by currency."""
    found: dict[str, Decimal] = {}
    for item in items:
        for currency, amount in item.totals.items():
            found[currency] = found.get(currency, Decimal(0)) + Decimal(str(amount))
    return found


def _told(
    session: Session,
    run: Run,
    verb: str,
    *,
    actor: Actor,
    now: datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="letter_run",
        subject_id=run.id,
        before=before,
        after=after,
    )
