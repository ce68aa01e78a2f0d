"""A deployment words its mails itself, per language and entity, and can go back; every version stays."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput
from app.core.events import Event, user_actor
from disputes.actions.policies import NoPolicy, drop
from disputes.actions.wordings import save_wording
from disputes.correspondence import wording_of
from disputes.customer_mail import FAMILY, shipped
from disputes.models import Outgoing, Policy
from disputes.rulebook import BadPolicy
from tests.factories import an_entity
from tests.fixtures_pipeline import Deliver, Ledger

ACTOR = user_actor(1)


def save(session: Session, body: str, now: datetime, *, entity: str | None = None, kind: str = "status") -> Policy:
    return save_wording(
        session, kind=kind, language="fr", entity_code=entity, content={"body": body}, actor=ACTOR, now=now
    )


def test_the_entitys_own_comes_before_the_deployments_and_the_shipped_one(session: Session, now: datetime) -> None:
    entity = an_entity(session)

    def in_force() -> str:
        return wording_of(session, kind="status", language="fr", entity_id=entity.id).body

    assert in_force() == shipped("status", "fr").body
    save(session, "Pour tous.", now)
    assert in_force() == "Pour tous."
    save(session, "Pour nous.", now, entity=entity.code)
    second = save(session, "Pour nous, mieux.", now, entity=entity.code)
    assert (in_force(), second.version) == ("Pour nous, mieux.", 2)
    drop(session, family=FAMILY, key=f"status/fr/{entity.code}", actor=ACTOR, now=now)
    assert in_force() == "Pour tous."
    assert len(session.scalars(select(Policy)).all()) == 3
    assert len(session.scalars(select(Event).where(Event.subject == "policy")).all()) == 4
    with pytest.raises(NoPolicy):
        drop(session, family=FAMILY, key=f"status/fr/{entity.code}", actor=ACTOR, now=now)


def test_what_cannot_be_used_is_never_in_force(session: Session, now: datetime) -> None:
    with pytest.raises(BadPolicy, match="Getattr"):
        save(session, "{{ name.__class__ }}", now)
    with pytest.raises(BadInput, match="no wording"):
        save(session, "x", now, kind="dunning")
    with pytest.raises(BadInput, match="no entity"):
        save(session, "x", now, entity="XX99")
    assert session.scalars(select(Policy)).all() == []


def test_the_acknowledgement_too_may_be_worded_anew(
    session: Session, deliver: Deliver, ledger: Ledger, now: datetime
) -> None:
    save_wording(
        session,
        kind="acknowledgement",
        language="en",
        entity_code=ledger.entity.code,
        content={"subject": "Case {{ case }}", "body": "Got it{{ about }}; more by {{ day }}."},
        actor=ACTOR,
        now=now,
    )
    worked = deliver("The price on INV-2026-0101 is wrong: 72.00 were agreed, not 80.00.", at=now, subject="Price")
    sent = session.scalars(select(Outgoing)).one()
    assert sent.subject == f"Case {worked.case_id}"
    assert sent.body.startswith("Hello Ann Lee,\n\nGot it about invoice INV-2026-0101; more by ")
    assert sent.body.endswith("Kind regards,\nSeller Ltd\n")
