"""The life of a case: wait for someone, go on, resolve, flow into another case and out of it again.

To close and to open again are in disputes/actions/cases.py. A move that does not fit the case's state is a Conflict.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, inspect, select
from sqlalchemy.orm import Session

from app.core.db import locked
from app.core.errors import BadInput, Conflict
from app.core.events import Actor, Event
from disputes.actions import clocks, money, planning, tasks, writeback
from disputes.actions.cases import CaseEnded
from disputes.actions.opening import hear, place_of
from disputes.actions.shared import NoCase, case_for_change, change, change_case, correction, plain, record_case, touch
from disputes.clock_events import Happened
from disputes.models import Case, CaseInvoice, Message, Note, Outgoing, Promise, Task
from invoices.models import Invoice

WAITS_ON = ("customer", "us", "third_party")
RESOLUTIONS = ("accepted", "partly_accepted", "rejected", "paid", "withdrawn", "duplicate", "answered")
"""How a case is resolved; `answered` is a query's."""
_ENDED = frozenset({"resolved", "closed"})
_STAYS_DISPUTED = frozenset({"accepted", "paid"})
"""The ERP's credit note or payment will move this money: until it comes nobody duns what was granted."""
_CARRIED = (Message, Task, Promise, Note, Outgoing)
_OWN = frozenset({"id", "version"})


class CannotMerge(Conflict):
    """Two cases that cannot flow together, or apart."""


def wait(session: Session, *, case_id: int, on: str, until: datetime, actor: Actor, now: datetime) -> Case:
    """The case waits on the customer, on us or on a third party until a time. Raises NoCase, CaseMerged, CaseEnded,
    BadInput.
    """
    if on not in WAITS_ON:
        raise BadInput(f"A case waits on {', '.join(WAITS_ON)}, not on {on!r}", fields={"on": "unknown"})
    if until <= now:
        raise BadInput("A case waits until a time to come", fields={"until": "is past"})
    case = _going(session, case_id, "wait")
    values = {"state": "waiting", "waiting_on": on, "waiting_until": until, "waiting_since": now}
    change_case(session, case, verb="case waits", actor=actor, now=now, **values)
    what = Happened.WAITS_ON_CUSTOMER if on == "customer" else Happened.WORK_GOES_ON
    planning.heard(session, case=case, what=what, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    return case


def resume(session: Session, *, case_id: int, actor: Actor, now: datetime) -> Case:
    """What the case waited for came, or the time is over: we go on. Raises NoCase, CaseMerged, Conflict."""
    case = case_for_change(session, case_id)
    if case.state != "waiting":
        raise Conflict(f"Case {case_id} does not wait: it is {_said(case.state)}")
    values = {"state": "in_progress", "waiting_on": "us", "waiting_until": None, "waiting_since": None}
    change_case(session, case, verb="case goes on", actor=actor, now=now, **values)
    planning.heard(session, case=case, what=Happened.WORK_GOES_ON, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    return case


def resolve(
    session: Session,
    *,
    case_id: int,
    resolution: str,
    note: str,
    actor: Actor,
    now: datetime,
    amounts: Mapping[int, Decimal] | None = None,
) -> Case:
    """A person says how the matter ends; what is left to do in it falls.

    `amounts` are what is accepted by invoice id, for `partly_accepted` alone: the rest is given up. What is accepted
    or said to be paid stays in dispute, and undunned, until the ERP's document moves it (disputes/actions/ledger.py).
    Raises NoCase, CaseMerged, CaseEnded, BadInput, NotPossible.
    """
    case = _going(session, case_id, "be resolved")
    keep = _kept(session, case, resolution, amounts)
    change_case(
        session,
        case,
        verb="case resolved",
        actor=actor,
        now=now,
        resolution_note=note.strip(),
        **ended(resolution, now),
    )
    tasks.cancel_of_case(session, case_id=case_id, outcome="case resolved", actor=actor, now=now)
    money.give_back(session, case=case, keep=keep, actor=actor, now=now)
    planning.heard(session, case=case, what=Happened.RESOLVED, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    return case


def ended(resolution: str, now: datetime) -> dict[str, Any]:
    """The values of a case that is resolved: nobody is waited for, nothing is held back."""
    nothing = dict.fromkeys(("waiting_on", "waiting_since", "waiting_until", "hold_until", "hold_reason"))
    return {"state": "resolved", "resolution": resolution, "resolved_at": now, **nothing}


def _kept(
    session: Session, case: Case, resolution: str, amounts: Mapping[int, Decimal] | None
) -> Mapping[int, Decimal]:
    """What stays in dispute until the ERP moves it, by invoice id."""
    if resolution not in RESOLUTIONS:
        raise BadInput(f"{resolution!r} is no resolution; use one of {', '.join(RESOLUTIONS)}")
    if bool(amounts) != (resolution == "partly_accepted"):
        raise BadInput("Say what is accepted of which invoice for partly_accepted, and for it alone")
    still = {number: one.still for number, one in money.tallies(session, case_id=case.id).items()}
    if resolution in _STAYS_DISPUTED:
        return still
    if amounts and not 0 < sum(amounts.values()) < sum(still.values()):
        raise BadInput(f"Partly accepted is more than nothing and less than all ({sum(still.values())})")
    return amounts or {}


def merge(session: Session, *, case_id: int, target_id: int, actor: Actor, now: datetime) -> Case:
    """The case flows into another of the same account: all it holds goes there, later mail for it too (M28).

    The event keeps what is needed to undo it exactly. Gives the target. Raises NoCase, CaseMerged, CannotMerge.
    """
    source, target = _both(session, case_id, target_id)
    before = {"case": _values(source), "target": _values(target)}
    moved = {model.__tablename__: _take(session, model, source.id, target.id) for model in _CARRIED}
    amounts, new = _carry_invoices(session, source, target, actor=actor, now=now)
    change(
        source, state="merged", merged_into_id=target.id, message_count=0, closed_at=now, playbook=None, next_step=None,
        due_at=None, waiting_on=None, waiting_until=None, hold_until=None, hold_reason=None,
    )  # fmt: skip
    target.message_count += len(moved[Message.__tablename__])
    touch(source, now=now)
    touch(target, now=now)
    session.flush()
    hear(session, case=target, place=place_of(session, target.entity_id), actor=actor, now=now)
    money_moved = {str(number): str(amount) for number, amount in amounts.items()}
    after = {"target_id": target.id, "moved": moved, "money": money_moved, "new_invoices": new}
    after |= {"version": target.version, "messages": moved[Message.__tablename__]}
    record_case(session, source, verb="case merged", actor=actor, now=now, before=before, after=after)
    record_case(session, target, verb="case joined by another", actor=actor, now=now, after={"case_id": source.id})
    correction(session, field="case", before=source.id, after=target.id, actor=actor, now=now, case_id=target.id)
    writeback.tell(session, case=target, now=now)
    return target


def unmerge(session: Session, *, case_id: int, actor: Actor, now: datetime) -> Case:
    """The case lives on its own again, with all it brought; the target is as before where nothing happened since.

    Mail that came since stays in the target. Gives the case. Raises NoCase, CannotMerge.
    """
    source, target, event = _merged(session, case_id)
    kept, was = dict(event.after or {}), dict(event.before or {})
    untouched = target.version == kept["version"]
    for model in _CARRIED:
        _return(session, model, kept["moved"][model.__tablename__], source.id, target.id)
    _restore(source, was["case"])
    source.merged_into_id = None
    clocks.wake(session, case=source)
    _carry_back(session, source, target, kept, actor=actor, now=now)
    target.message_count -= len(kept["moved"][Message.__tablename__])
    session.flush()
    if untouched:
        _restore(target, was["target"])
    else:
        hear(session, case=target, place=place_of(session, target.entity_id), actor=actor, now=now)
    for case in (source, target):
        case.version += 1
        record_case(session, case, verb="cases unmerged", actor=actor, now=now, after={"case_id": source.id})
        writeback.tell(session, case=case, now=now)
    correction(session, field="case", before=target.id, after=source.id, actor=actor, now=now, case_id=source.id)
    return source


def _going(session: Session, case_id: int, what: str) -> Case:
    case = case_for_change(session, case_id)
    if case.state in _ENDED:
        raise CaseEnded(f"Case {case_id} is {case.state} and cannot {what}: open it again first")
    return case


def _both(session: Session, case_id: int, target_id: int) -> tuple[Case, Case]:
    if case_id == target_id:
        raise CannotMerge(f"Case {case_id} cannot flow into itself")
    found = {number: case_for_change(session, number) for number in sorted((case_id, target_id))}
    source, target = found[case_id], found[target_id]
    if source.account_id != target.account_id:
        raise CannotMerge("The cases belong to two accounts: put the account right first")
    if target.state in _ENDED:
        raise CannotMerge(f"Case {target_id} is {target.state}: open it again first")
    return source, target


def _merged(session: Session, case_id: int) -> tuple[Case, Case, Event]:
    """The merged case, the one it lives in, and the event of a merge by hand."""
    source = locked(session, Case, case_id)
    if source is None:
        raise NoCase(f"There is no case {case_id}")
    if source.merged_into_id is None:
        raise CannotMerge(f"Case {case_id} is merged into no other")
    target = case_for_change(session, source.merged_into_id)
    query = select(Event).where(Event.case_id == case_id, Event.verb == "case merged").order_by(Event.id.desc())
    event = session.scalars(query.limit(1)).first()
    if event is None or "moved" not in (event.after or {}):
        raise CannotMerge(f"Case {case_id} flowed together by its mails: move the messages instead")
    return source, target, event


def _take(session: Session, model: Any, source_id: int, target_id: int) -> list[int]:
    rows = session.scalars(select(model).where(model.case_id == source_id).order_by(model.id)).all()
    for row in rows:
        row.case_id = target_id
    return [row.id for row in rows]


def _return(session: Session, model: Any, ids: Sequence[int], source_id: int, target_id: int) -> None:
    for row in session.scalars(select(model).where(model.id.in_(ids), model.case_id == target_id)):
        row.case_id = source_id


def _carry_invoices(
    session: Session, source: Case, target: Case, *, actor: Actor, now: datetime
) -> tuple[dict[int, Decimal], list[int]]:
    """The source's invoices and their disputed money go over: the amounts, and which invoices are new to the target."""
    new = []
    for row in session.scalars(select(CaseInvoice).where(CaseInvoice.case_id == source.id)).all():
        if session.get(CaseInvoice, (target.id, row.invoice_id)) is None:
            new.append(row.invoice_id)
            session.add(
                CaseInvoice(
                    case_id=target.id,
                    invoice_id=row.invoice_id,
                    disputed=Decimal(0),
                    claimed=row.claimed,
                    added_at=row.added_at,
                )
            )
    session.flush()
    amounts = {number: one.still for number, one in money.tallies(session, case_id=source.id).items() if one.still}
    money.carry(session, source=source, target=target, amounts=amounts, actor=actor, now=now)
    return amounts, new


def _carry_back(
    session: Session, source: Case, target: Case, kept: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:
    """The money goes back, as far as the target still disputes it; invoices only the merge brought leave the target."""
    standing = money.tallies(session, case_id=target.id)
    wanted = {int(number): Decimal(amount) for number, amount in kept["money"].items()}
    amounts = {number: min(one, standing[number].still) for number, one in wanted.items() if number in standing}
    money.carry(session, source=target, target=source, amounts=amounts, actor=actor, now=now)
    empty = select(Invoice.id).where(Invoice.id.in_(kept["new_invoices"]))
    session.execute(
        delete(CaseInvoice).where(
            CaseInvoice.case_id == target.id, CaseInvoice.invoice_id.in_(empty), CaseInvoice.disputed == 0
        )
    )


def _values(case: Case) -> dict[str, Any]:
    """Every column of a case, as JSON keeps it."""
    return {name: plain(getattr(case, name)) for name in _columns() if name not in _OWN}


def _restore(case: Case, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        moment = isinstance(value, str) and (name.endswith(("_at", "_until", "_since")) or name == "step_from")
        setattr(case, name, datetime.fromisoformat(value) if moment else value)


def _columns() -> list[str]:
    return [column.key for column in inspect(Case).column_attrs]


def _said(state: str) -> str:
    return state.replace("_", " ")
