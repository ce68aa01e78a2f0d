"""The world that the stories of this folder are told in."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from app.core.events import Actor
from app.workflows.intake import Tools
from disputes.actions.opening import ensure_teams
from tests.fixtures_pipeline import Ledger
from tests.scenarios.people import Team
from tests.scenarios.world import World

BEGINNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""Monday 2 March 2026."""


@pytest.fixture
def team(session: Session) -> Team:
    """Fay leads collections, Gus is its agent; Pia settles prices, Lou what logistics settles."""
    ensure_teams(session)
    return Team.of(session)


@pytest.fixture
def world(session: Session, tools: Tools, ledger: Ledger, team: Team) -> World:  # noqa: ARG001 - people before mail
    """Acme and Brook, their invoices, the team; it is Monday morning."""
    return World(session, tools, ledger, BEGINNING)


@pytest.fixture
def gus(team: Team) -> Actor:
    """The agent at the desk."""
    return team.actor("gus")
