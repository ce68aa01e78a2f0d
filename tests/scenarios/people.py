"""The seller's people in the stories."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team as TeamRow
from app.auth import User
from app.core.events import Actor, user_actor
from tests.factories import a_user

HIRED = datetime(2026, 1, 5, 9, tzinfo=UTC)
PEOPLE = (
    ("Fay Lead", "lead", "collections"),
    ("Gus Agent", "agent", "collections"),
    ("Pia Price", "owner", "pricing"),
    ("Max Price", "owner", "pricing"),
    ("Lou Store", "owner", "logistics"),
    ("Cas Cash", "owner", "cash"),
)


@dataclass(frozen=True)
class Team:
    """Everybody by first name: Fay leads, Gus is the agent, Pia and Max settle prices, Lou logistics, Cas payments."""

    people: Mapping[str, User]

    @classmethod
    def of(cls, session: Session) -> "Team":
        """The people, each in a team of the shipped ones; Fay leads every team."""
        teams = {team.key: team for team in session.scalars(select(TeamRow))}
        people = {}
        for name, role, key in PEOPLE:
            user = a_user(session, name, now=HIRED, role=role)
            user.team_id = teams[key].id
            people[name.split()[0].lower()] = user
        for team in teams.values():
            team.lead_id = people["fay"].id
        session.flush()
        return cls(people)

    def id(self, name: str) -> int:
        """The id of a person."""
        return self.people[name].id

    def actor(self, name: str) -> Actor:
        """A person as the event log names them."""
        return user_actor(self.id(name))

    def name(self, user_id: int | None) -> str:
        """The first name of a person, "nobody" for none."""
        return next((name for name, user in self.people.items() if user.id == user_id), "nobody")
