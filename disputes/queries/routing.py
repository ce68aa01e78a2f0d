"""Which open cases changed routing rules would move. It reads only."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team
from disputes.case_facts import facts_of_open_cases
from disputes.desks import desks_of
from disputes.lookups import OPEN_STATES
from disputes.models import Case
from disputes.routing_rules import AUTO, RoutingRules
from disputes.routing_trial import Move, OpenCase, dry_run
from disputes.rules_in_force import routing_rules


def dry_run_of(session: Session, *, rules: RoutingRules, today: date) -> tuple[Move, ...]:
    """What would move, the oldest cases first, if these rules took the place of those in force. Six queries.

    All open cases are looked at, also those a lead may not see: show them through visible_to.
    """
    facts = facts_of_open_cases(session)
    rows = session.execute(
        select(Case.id, Case.owner_id, Case.owner_by, Team.key)
        .outerjoin(Team, Team.id == Case.team_id)
        .where(Case.state.in_(OPEN_STATES))
        .order_by(Case.id)
    )
    cases = [
        OpenCase(facts[case_id], owner_id, team, by_hand=owner_by != AUTO) for case_id, owner_id, owner_by, team in rows
    ]
    return dry_run(cases, routing_rules(session).rules, rules, desks_of(session, today=today))
