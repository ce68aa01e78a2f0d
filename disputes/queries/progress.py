"""What happens next in a case, and why: the coming steps of its playbook, what a guard refused, what was done.

Asked of the facts as they are now: a page shows the truth even before the sweep has looked again. It reads only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.models import Case, CaseStep
from disputes.planning import plan_for
from disputes.playbook import CALL_FIRST, NextDue, Playbook, Step, due_of
from disputes.progress_facts import Going, progress_of
from disputes.rules_in_force import InForce, playbooks

Stand = Literal["next", "coming", "done", "not_now"]
"""The step that comes first; one that comes later; one done as often as it may be; one not for this case now."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A step of the case's playbook. `why` says since when it counts, or why it is not for this case now (in English).

    `due_at` None where nothing makes it due. `held` is what puts it off (a hold's reason). `refused` is the refusal
    that still stands, with its guard, why and when it is tried again; `last` when it was last taken or skipped.
    """

    step: str
    action: str
    stand: Stand
    due_at: datetime | None
    why: str
    held: str = ""
    refused: CaseStep | None = None
    last: CaseStep | None = None
    times: int = 0

    @property
    def can_skip(self) -> bool:
        """Whether a person may skip it, or bring it forward: it is still to come."""
        return self.stand in {"next", "coming"}


@dataclass(frozen=True, slots=True)
class CasePlan:
    """What happens next: the first first, then what comes later, then the rest in the playbook's order.

    `playbook` is its key, None where nothing happens by itself (the case ended, or was opened by an old mail);
    `done` are the rows of steps taken, skipped and refused, newest first.
    """

    playbook: str | None
    name: str
    version: int
    steps: tuple[Coming, ...]
    hold_until: datetime | None
    hold_reason: str
    done: tuple[CaseStep, ...]

    @property
    def next(self) -> Coming | None:
        """The step that comes first."""
        return next((one for one in self.steps if one.stand == "next"), None)


def plan_of(session: Session, *, case: Case, now: datetime) -> CasePlan:
    """The case's plan as the facts have it now. Ten queries."""
    going = progress_of(session, case_ids=[case.id], now=now)[case.id]
    plan = plan_for(going, playbooks(session))
    rows = session.scalars(
        select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.at.desc(), CaseStep.step)
    ).all()
    steps = _steps(going, plan.playbook, plan.due, rows) if plan.playbook and case.playbook is not None else ()
    return CasePlan(
        playbook=plan.key if steps else None,
        name=plan.playbook.rules.name if plan.playbook and steps else "",
        version=plan.playbook.version if plan.playbook and steps else 0,
        steps=steps,
        hold_until=going.progress.hold_until,
        hold_reason=going.progress.hold_reason,
        done=tuple(rows),
    )


def _steps(
    going: Going, book: InForce[Playbook], first: NextDue | None, rows: Sequence[CaseStep]
) -> tuple[Coming, ...]:
    playbook = book.rules
    ours = playbook.steps if playbook.step(CALL_FIRST.id) else (CALL_FIRST, *playbook.steps)
    told = [_coming(step, going, first, [row for row in rows if row.step == step.id]) for step in ours]
    shown = [one for one in told if one.step != CALL_FIRST.id or playbook.step(one.step) or one.stand != "not_now"]
    return tuple(sorted(shown, key=lambda one: (_ORDER[one.stand], one.due_at or going.progress.since["opened"])))


_ORDER = {"next": 0, "coming": 1, "not_now": 2, "done": 3}


def _coming(step: Step, going: Going, first: NextDue | None, rows: Sequence[CaseStep]) -> Coming:
    """One step; the call before anything written counts as next where next_due says so."""
    is_first = first is not None and first.step == step.id
    due = first if is_first else due_of(step, going.progress, calendar=going.calendar)
    ended = [row for row in rows if row.state in {"taken", "skipped"}]
    refused = next((row for row in rows if row.state == "refused" and row.cycle == len(ended)), None)
    last = ended[0] if ended else None
    if due is not None:
        stand: Stand = "next" if is_first else "coming"
        return Coming(step.id, step.action, stand, due.due_at, due.why, due.held, refused, last, len(ended))
    stand, why = ("done", "") if ended and step.fits(going.progress) else ("not_now", _missed(step, going))
    return Coming(step.id, step.action, stand, None, why, refused=refused, last=last, times=len(ended))


def _missed(step: Step, going: Going) -> str:
    if step.fits(going.progress):
        return f"not yet: it counts from when {_ANCHORS.get(step.counted_from, step.counted_from)}"
    return step.missed(going.progress)


_ANCHORS = {
    "customer_wrote": "the customer writes",
    "owner_asked": "the owner is asked",
    "waiting": "the case waits",
    "resolved": "the matter is resolved",
}
