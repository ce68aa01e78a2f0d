"""Cases go on by themselves: the sweep takes the steps that are due, people skip one or bring it forward.

A step is taken, with all that it does, in the transaction that writes its row; the row's key (case, step, cycle) makes
a second time impossible whoever sweeps, and whoever is killed when. The sweep locks what it takes; others pass by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.db import one_at_a_time
from app.core.errors import BadInput, Conflict, NotFound
from app.core.events import Actor, system
from app.core.log import logger
from disputes.actions import alarms, planning, retiming, stepping, waits
from disputes.actions.planning import heard, replan
from disputes.actions.retiming import retime_all
from disputes.actions.shared import case_for_change, record_case
from disputes.models import Case, CaseStep
from disputes.planning import Plan, plan_for, step_of
from disputes.playbook import CALL_FIRST, NextDue, Playbook, Step, cycle_of, due_of, written
from disputes.playbook_guards import Judgement, judge
from disputes.progress_facts import Going, progress_of
from disputes.queries.due import anything_due
from disputes.reply_tokens import ReplyTokens
from disputes.rules_in_force import InForce, playbooks
from disputes.satisfaction import RatingLinks
from disputes.standing_facts import Stood, last_automatic, standings_of

__all__ = ["NoStep", "NotNow", "bring_forward", "heard", "replan", "retime_all", "skip", "take_due"]

BATCH = 100
"""Cases in one transaction of the sweep: few enough to lock, many enough that facts cost little a case."""
AFTER_TROUBLE = timedelta(hours=1)
"""How long a step waits that could not be done because something went wrong."""
TROUBLE = "trouble"
"""What stands for the guard of such a step."""


class NoStep(NotFound):
    """The case's playbook has no such step, or the case is on none."""


class NotNow(Conflict):
    """The step is not for this case now, or was done as often as it may be."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What signs the mails that steps write: reply tokens and, where there is a public address, links to rate us."""

    tokens: ReplyTokens
    links: RatingLinks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taking:
    """A step of a case that is to be taken, with what decides it; `refused` is why it was refused last time."""

    session: Session
    case: Case
    going: Going
    book: Playbook
    step: Step
    cycle: int
    why: str
    stood: Stood
    refused: str = ""
    signing: Signing
    actor: Actor
    now: datetime


def take_due(
    session: Session, *, now: datetime, tokens: ReplyTokens, links: RatingLinks | None = None, limit: int = BATCH
) -> int:
    """Take the steps that are due in up to `limit` cases, one a case, and plan what comes next in each.

    Before that, waits that are over end, promises in danger are told, and cases follow a playbook that was changed. To
    be called, a transaction each, until it gives 0: how many cases it looked at.
    """
    if not anything_due(session, now=now):
        return 0
    books = playbooks(session)
    waits.end_due(session, now=now, limit=limit)
    alarms.alarms_due(session, now=now, limit=limit)
    retiming.bring_up_to_date(session, books=books, now=now, limit=limit)
    due = select(Case).where(Case.due_at <= now).order_by(Case.due_at, Case.id).limit(limit)
    locked = due.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    cases = {case.id: case for case in session.scalars(locked)}
    if not cases:
        return 0
    going = progress_of(session, case_ids=cases, now=now)
    plans = {case_id: plan_for(found, books) for case_id, found in going.items()}
    ripe = {case_id: plan for case_id, plan in plans.items() if plan.due is not None and plan.due.due_at <= now}
    for case_id in plans.keys() - ripe.keys():
        planning.write_plan(cases[case_id], plans[case_id])
    if ripe:
        sweep = _Sweep(session, Signing(tokens, links), now)
        _take_each(sweep, [_Ripe(cases[one], going[one], plan) for one, plan in ripe.items()])
        session.flush()
        planning.replan_many(session, cases=[cases[one] for one in ripe], now=now, books=books)
    return len(cases)


@dataclass(frozen=True, slots=True)
class _Sweep:
    """What all steps of a sweep share."""

    session: Session
    signing: Signing
    now: datetime


@dataclass(frozen=True, slots=True)
class _Ripe:
    """A case whose next step is due."""

    case: Case
    going: Going
    plan: Plan


def _take_each(sweep: _Sweep, ripe: Sequence[_Ripe]) -> None:
    """One step a case. Addresses are locked first, in order, so that two sweepers never write to one at once."""
    going = {one.case.id: one.going for one in ripe}
    settings = {one.case.id: one.plan.playbook.rules.guards for one in ripe if one.plan.playbook}
    stood = standings_of(sweep.session, going=going, settings=settings, now=sweep.now)
    refused = _refused(sweep.session, list(going))
    found = [_planned(sweep, one, stood[one.case.id], refused) for one in ripe]
    taking = [one for one in found if one is not None]
    for address in sorted({one.stood.address for one in taking if written(one.step)}):
        one_at_a_time(sweep.session, f"automatic:{address}")
    for one in taking:
        _carefully(one)


def _refused(session: Session, case_ids: Sequence[int]) -> dict[tuple[int, str, int], str]:
    """Why steps of these cases were refused, by their keys."""
    rows = select(CaseStep.case_id, CaseStep.step, CaseStep.cycle, CaseStep.why)
    found = session.execute(rows.where(CaseStep.case_id.in_(case_ids), CaseStep.state == "refused"))
    return {(case_id, step, cycle): why for case_id, step, cycle, why in found}


def _planned(sweep: _Sweep, ripe: _Ripe, stood: Stood, refused: Mapping[tuple[int, str, int], str]) -> _Taking | None:
    due, step, book = ripe.plan.due, ripe.plan.step(), ripe.plan.playbook
    if due is None or step is None or book is None:
        return None
    return _Taking(
        session=sweep.session,
        case=ripe.case,
        going=ripe.going,
        book=book.rules,
        step=step,
        cycle=due.cycle,
        why=due.why,
        stood=stood,
        refused=refused.get((ripe.case.id, due.step, due.cycle), ""),
        signing=sweep.signing,
        actor=system("progress", f"step:{due.step}:{due.cycle}"),
        now=sweep.now,
    )


def _carefully(taking: _Taking) -> None:
    """What goes wrong with one case is told, put off, and stops no other."""
    try:
        with taking.session.begin_nested():
            _take(taking)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever goes wrong with one case must not stop the others
        why = f"it could not be done: {str(error).partition(chr(10))[0]}"
        logger().error("step not taken", kind=type(error).__name__, case_id=taking.case.id, step=taking.step.id)
        until = taking.now + AFTER_TROUBLE
        _refuse(taking, Judgement("refuse", why, TROUBLE, until))


def _take(taking: _Taking) -> Judgement:
    """Judge the step, and do it or write down why not."""
    verdict = _judged(taking)
    if verdict.verdict == "refuse":
        _refuse(taking, verdict)
    elif verdict.verdict == "take" and _write_step(taking, state="taken", why=taking.why):
        _do(taking, verdict)
    return verdict


def _judged(taking: _Taking) -> Judgement:
    """By the guards; whether the address got a mail meanwhile is asked again, now that nobody else can write to it."""
    standing, address = taking.stood.standing, taking.stood.address
    if written(taking.step) and address:
        last = last_automatic(taking.session, addresses=[address]).get(address)
        standing = replace(standing, last_automatic=last)
    return judge(
        taking.step, taking.going.progress, standing, settings=taking.book.guards, calendar=taking.going.calendar,
        now=taking.now,
    )  # fmt: skip


def _do(taking: _Taking, verdict: Judgement) -> None:
    nothing = stepping.do(
        stepping.Doing(
            session=taking.session, case=taking.case, going=taking.going, step=taking.step, cycle=taking.cycle,
            amount=verdict.amount, tokens=taking.signing.tokens, links=taking.signing.links, actor=taking.actor,
            now=taking.now,
        )
    )  # fmt: skip
    if nothing:
        row = taking.session.get_one(CaseStep, (taking.case.id, taking.step.id, taking.cycle), populate_existing=True)
        row.state, row.why = "skipped", nothing[:300]
    state = "skipped" if nothing else "taken"
    after = {"step": taking.step.id, "action": taking.step.action, "cycle": taking.cycle}
    told = {**after, "why": nothing or taking.why, **({"amount": str(verdict.amount)} if verdict.amount else {})}
    record_case(taking.session, taking.case, verb=f"step {state}", actor=taking.actor, now=taking.now, after=told)


def _refuse(taking: _Taking, verdict: Judgement) -> None:
    """Written over the last refusal of this time; the timeline tells it when it is a new one."""
    _write_step(taking, state="refused", why=verdict.why, guard=verdict.guard, until=verdict.until)
    if taking.refused != verdict.why[:300]:
        after = {"step": taking.step.id, "action": taking.step.action, "guard": verdict.guard, "why": verdict.why}
        record_case(taking.session, taking.case, verb="step refused", actor=taking.actor, now=taking.now, after=after)


def _write_step(taking: _Taking, *, state: str, why: str, guard: str = "", until: datetime | None = None) -> bool:
    """The step's row, by its key: a refused one may be written over; False where it was taken or skipped before."""
    insert = sqlite_insert if taking.session.get_bind().dialect.name == "sqlite" else postgres_insert
    values = {"state": state, "guard": guard, "why": why[:300], "until": until, "actor": taking.actor.name,
              "at": taking.now}  # fmt: skip
    key = {"case_id": taking.case.id, "step": taking.step.id, "cycle": taking.cycle}
    statement = (
        insert(CaseStep)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_=values, where=CaseStep.state == "refused")
        .returning(CaseStep.case_id)
    )
    return taking.session.scalar(statement) is not None


def skip(session: Session, *, case_id: int, step: str, why: str, actor: Actor, now: datetime) -> NextDue | None:
    """A person says that a step is not needed (this time); gives what comes next instead.

    To skip the call to somebody upset says that none is needed. Raises NoCase, CaseMerged, NoStep, BadInput, NotNow.
    """
    if not why.strip():
        raise BadInput("Say why the step is skipped", fields={"why": "empty"})
    case = case_for_change(session, case_id)
    going, _, found = _found(session, case, step, now=now)
    _check(going, found)
    cycle = cycle_of(step, going.progress.done)
    row = session.get(CaseStep, (case.id, step, cycle), populate_existing=True)
    if row is None:
        row = CaseStep(case_id=case.id, step=step, cycle=cycle)
        session.add(row)
    row.state, row.why, row.guard, row.until = "skipped", why.strip()[:300], "", None
    row.actor, row.at = actor.name, now
    after = {"step": step, "action": found.action, "cycle": cycle, "why": why.strip()[:300]}
    record_case(session, case, verb="step skipped", actor=actor, now=now, after=after)
    return replan(session, case=case, now=now)


def bring_forward(
    session: Session,
    *,
    case_id: int,
    step: str,
    tokens: ReplyTokens,
    actor: Actor,
    now: datetime,
    links: RatingLinks | None = None,
) -> Judgement:
    """A person has a step taken now, before its time. Every guard is asked all the same: the answer says whether it was
    taken, or which guard refused it and why. Raises NoCase, CaseMerged, NoStep, NotNow.
    """
    case = case_for_change(session, case_id)
    going, book, found = _found(session, case, step, now=now)
    _check(going, found)
    stood = standings_of(session, going={case.id: going}, settings={case.id: book.guards}, now=now)[case.id]
    if written(found) and stood.address:
        one_at_a_time(session, f"automatic:{stood.address}")
    verdict = _take(
        _Taking(
            session=session, case=case, going=going, book=book, step=found,
            cycle=cycle_of(step, going.progress.done), why="brought forward", stood=stood, refused="",
            signing=Signing(tokens, links), actor=actor, now=now,
        )
    )  # fmt: skip
    session.flush()
    replan(session, case=case, now=now)
    return verdict


def _found(session: Session, case: Case, step: str, *, now: datetime) -> tuple[Going, Playbook, Step]:
    """How far the case is, its playbook and the step of that id. Raises NoStep."""
    books: Mapping[str, InForce[Playbook]] = playbooks(session)
    going = progress_of(session, case_ids=[case.id], now=now)[case.id]
    plan = plan_for(going, books)
    found = step_of(plan.playbook.rules, step) if plan.playbook is not None else None
    if plan.playbook is None or found is None:
        raise NoStep(f"Nothing called {step!r} is planned for case {case.id}")
    return going, plan.playbook.rules, found


def _check(going: Going, step: Step) -> None:
    """Raises NotNow unless the step is still to come. A call to somebody upset always is."""
    upset = step.id == CALL_FIRST.id and going.progress.upset
    if upset or due_of(step, going.progress, calendar=going.calendar) is not None:
        return
    why = "it was done, or what it counts from has not happened" if step.fits(going.progress) else ""
    raise NotNow(f"{step.id} is not for this case now: {why or step.missed(going.progress)}")
