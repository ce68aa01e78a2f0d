"""The demo's team: who signs in, and what they did with the cases before the newcomer looks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import auth
from app.core.events import Actor, user_actor
from app.demo.answers import SOON, keep_informed
from app.demo.later import live_on, partly
from disputes.actions import cases, life, links, notes
from disputes.models import Case, Link, Message
from disputes.reply_tokens import ReplyTokens

PASSWORD = "amiable-demo"  # noqa: S105 - the demo's own, printed on purpose
PEOPLE: tuple[tuple[str, str, str, str], ...] = (
    ("agent@demo.example", "Camille Ferrand", "agent", "collections"),
    ("agent2@demo.example", "Rosa Whitfield", "agent", "collections"),
    ("pricing@demo.example", "Étienne Garnier", "owner", "pricing"),
    ("logistics@demo.example", "Nora Haskell", "owner", "logistics"),
    ("quality@demo.example", "Yann Perrot", "owner", "quality"),
    ("billing@demo.example", "Dilys Morgan", "owner", "billing"),
    ("cash@demo.example", "Samir Benali", "owner", "cash"),
    ("tax@demo.example", "Agnès Vidal", "owner", "tax"),
    ("sales@demo.example", "Tom Ridley", "owner", "sales"),
    ("lead@demo.example", "Hélène Aubry", "lead", "collections"),
    ("admin@demo.example", "Demo Admin", "admin", "collections"),
)
"""Address, name, role, team key."""
ENDINGS = {
    "dispute": ("accepted", "partly_accepted", "partly_accepted", "paid", "withdrawn", "rejected"),
    "query": ("answered", "answered", "paid"),
}
STALE = timedelta(days=4)
IN_HAND = 0.55
"""Up to here an open case is in an agent's hands; above, somebody else has the word."""
QUIET_WEEK = timedelta(days=7)
NOTES = {
    "fr": ("Vu avec l'entrepôt, on attend leur retour.", "Le commercial confirme l'accord de prix."),
    "en": ("Spoke to the warehouse, they are checking.", "Sales confirm the agreed price."),
}


def add_people(session: Session, *, actor: Actor, now: datetime) -> None:
    """Add the demo's users, each in a team; the lead leads every team. Those already there are left alone."""
    teams = {team.key: team for team in session.scalars(select(auth.Team))}
    known = set(session.scalars(select(auth.User.email)))
    for email, name, role, team in PEOPLE:
        if email not in known:
            auth.add_user(
                session,
                email=email,
                name=name,
                role=role,
                password=PASSWORD,
                actor=actor,
                now=now,
                team_id=teams[team].id,
            )
    lead = session.scalars(select(auth.User).where(auth.User.role == "lead")).first()
    for team_row in teams.values():
        team_row.lead_id = team_row.lead_id or (lead.id if lead else None)


def work_cases(session: Session, *, random: Random, now: datetime, tokens: ReplyTokens) -> None:
    """What the team did: links confirmed, owners chosen, old matters closed, some on hold, one corrected."""
    agents = session.scalars(select(auth.User).where(auth.User.role == "agent").order_by(auth.User.id)).all()
    open_cases = session.scalars(
        select(Case).where(Case.state.in_(("new", "in_progress", "waiting"))).order_by(Case.id)
    )
    for case in list(open_cases):
        agent = random.choice(agents)
        at = min(case.last_activity_at + timedelta(hours=random.randint(2, 60)), now - timedelta(minutes=1))
        # Most old ones are settled; of the others a third came too lately for anybody to have opened them.
        settled = now - case.last_activity_at > STALE and random.random() < 0.85  # noqa: PLR2004 - as said
        chance = random.random()
        if not settled and chance < 0.35 and now - case.opened_at < STALE:  # noqa: PLR2004 - as said
            continue
        actor = user_actor(agent.id)
        until = at if settled or chance >= IN_HAND else now
        keep_informed(session, case=case, until=until, tokens=tokens, actor=actor, at=case.opened_at + SOON)
        _confirm(session, case, actor=actor, at=at)
        if chance > 0.6:  # noqa: PLR2004 - for many somebody wrote down what they did
            text = random.choice(NOTES["fr" if case.language == "fr" else "en"])
            notes.add_note(session, case_id=case.id, text=text, actor=actor, now=at)
        if settled:
            _settle(session, case, actor=actor, at=at, random=random, now=now)
        elif chance < IN_HAND:
            cases.assign(session, case_id=case.id, owner_id=agent.id, team_id=case.team_id, actor=actor, now=at)
        else:
            _wait(session, case, actor=actor, at=at, chance=chance, now=now)
    live_on(session, random=random, now=now)


def _settle(session: Session, case: Case, *, actor: Actor, at: datetime, random: Random, now: datetime) -> None:
    """The outcome is told; a week later nothing came back and the case is closed."""
    resolution = random.choice(ENDINGS[case.kind])
    amounts = partly(session, case) if resolution == "partly_accepted" else None
    if resolution == "partly_accepted" and not amounts:
        resolution = "rejected"
    life.resolve(session, case_id=case.id, resolution=resolution, note="", amounts=amounts, actor=actor, now=at)
    if at + QUIET_WEEK < now:
        cases.close(session, case_id=case.id, resolution=resolution, actor=actor, now=at + QUIET_WEEK)


def _wait(session: Session, case: Case, *, actor: Actor, at: datetime, chance: float, now: datetime) -> None:
    """Somebody else has the word: the customer, the carrier, or the case is held."""
    until = now + timedelta(days=round(2 + chance * 10))
    if chance > 0.9:  # noqa: PLR2004 - one in ten is held
        why = "Waiting for the carrier's inquiry"
        cases.hold(session, case_id=case.id, until=until, why=why, actor=actor, now=at)
        return
    on = "customer" if chance < 0.75 else "third_party"  # noqa: PLR2004 - mostly the customer
    life.wait(session, case_id=case.id, on=on, until=until, actor=actor, now=at)


def _confirm(session: Session, case: Case, *, actor: Actor, at: datetime) -> None:
    for link_id in _proposed(session, case):
        links.confirm(session, link_id=link_id, actor=actor, now=at)


def _proposed(session: Session, case: Case) -> Sequence[int]:
    """The likeliest proposed link of each message of the case."""
    found = session.execute(
        select(Link.message_id, Link.id)
        .join(Message)
        .where(Message.case_id == case.id, Link.state == "proposed")
        .order_by(Link.probability)
    )
    return list({row.message_id: row.id for row in found}.values())
