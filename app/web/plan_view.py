"""What happens next in a case (U30): each step of its playbook with the rule it follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.web.desk import Desk
from disputes.models import Case
from disputes.planning import step_of
from disputes.playbook import Step
from disputes.queries.progress import CasePlan, Coming, plan_of
from disputes.rules_in_force import playbooks


@dataclass(frozen=True, slots=True)
class Planned:
    """A step as the case has it, and the rule of the playbook it follows."""

    coming: Coming
    rule: Step


@dataclass(frozen=True, slots=True)
class PlanView:
    """What comes next, what after that, what is not for this case now, and what was done."""

    plan: CasePlan
    next: Planned | None
    later: Sequence[Planned]
    other: Sequence[Planned]
    done: Sequence[Planned]

    @property
    def rest(self) -> int:
        """How many steps there are beside the next one."""
        return len(self.later) + len(self.other) + len(self.done)


def plan_view(desk: Desk, case: Case) -> PlanView:
    """The case's plan as it is now. Eleven queries."""
    plan = plan_of(desk.session, case=case, now=desk.now)
    steps = _planned(desk, plan)
    by_stand = {stand: [one for one in steps if one.coming.stand == stand] for stand in ("coming", "not_now", "done")}
    first = next((one for one in steps if one.coming.stand == "next"), None)
    return PlanView(plan, first, by_stand["coming"], by_stand["not_now"], by_stand["done"])


def _planned(desk: Desk, plan: CasePlan) -> list[Planned]:
    if plan.playbook is None:
        return []
    book = playbooks(desk.session)[plan.playbook].rules
    rules = ((one, step_of(book, one.step)) for one in plan.steps)
    return [Planned(one, rule) for one, rule in rules if rule is not None]
