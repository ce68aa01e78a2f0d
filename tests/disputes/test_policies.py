"""Rules that people change: checked before they count, in versions, and back to any of them."""

import tomllib
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import disputes
from app.core.errors import BadInput
from app.core.events import Event, user_actor
from disputes.actions import policies
from disputes.actions.policies import NoPolicy, PolicyMoved, activate, drop
from disputes.clocks import default_levels
from disputes.models import Policy
from disputes.playbook import default_playbooks
from disputes.queries.policies import in_force, versions
from disputes.routing_rules import default_routing
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import PLAYBOOK, ROUTING, SERVICE_LEVELS, playbooks, routing_rules, service_levels
from tests.databases import QueryRecorder
from tests.factories import a_user

SHIPPED = Path(disputes.__path__[0])
LEVELS: dict[str, Any] = tomllib.loads((SHIPPED / "defaults" / "service_levels.toml").read_text("utf-8"))
ACTOR = user_actor(77)


def levels(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(LEVELS), **changes}


def save(session: Session, content: dict[str, Any], now: datetime, **values: Any) -> Policy:
    given = {"family": SERVICE_LEVELS, "key": "all", "actor": ACTOR, **values}
    return policies.save(session, content=content, now=now, **given)


def test_without_own_rules_the_shipped_ones_are_in_force(session: Session) -> None:
    assert (service_levels(session).rules, service_levels(session).policy_id) == (default_levels(), None)
    assert (routing_rules(session).rules, routing_rules(session).version) == (default_routing(), 0)
    assert {key: one.rules for key, one in playbooks(session).items()} == default_playbooks()


def test_a_save_is_the_next_version_in_force_with_who_and_what_before(session: Session, now: datetime) -> None:
    ana = a_user(session, now=now, role="lead")
    first = save(session, levels(warn_at=0.5), now, actor=user_actor(ana.id), note="earlier")
    assert (service_levels(session).rules.warn_at, service_levels(session).version) == (0.5, 1)
    second = save(session, levels(warn_at=0.6), now, based_on=1)
    assert service_levels(session).policy_id == second.id
    told = versions(session, family=SERVICE_LEVELS, key="all")
    assert [(one.version, one.active, one.by, one.note) for one in told] == [
        (2, True, "77", ""),
        (1, False, ana.name, "earlier"),
    ]
    events = session.scalars(select(Event).where(Event.subject == "policy").order_by(Event.id)).all()
    named = {"family": SERVICE_LEVELS, "key": "all"}
    assert [(one.actor, one.before, one.after) for one in events] == [
        (f"user:{ana.id}", None, {**named, "version": 1}),
        ("user:77", {**named, "version": 1}, {**named, "version": 2}),
    ]
    activate(session, policy_id=first.id, actor=ACTOR, now=now)
    assert service_levels(session).version == 1
    drop(session, family=SERVICE_LEVELS, key="all", actor=ACTOR, now=now)
    assert service_levels(session).policy_id is None
    assert in_force(session, family=SERVICE_LEVELS) == ()
    assert save(session, levels(warn_at=0.7), now, based_on=0).version == 3
    with pytest.raises(NoPolicy):
        activate(session, policy_id=999, actor=ACTOR, now=now)


def test_saving_what_is_in_force_changes_nothing(session: Session, now: datetime) -> None:
    first = save(session, levels(warn_at=0.5), now)
    assert save(session, levels(warn_at=0.50), now) is first
    activate(session, policy_id=first.id, actor=ACTOR, now=now)
    assert len(session.scalars(select(Policy)).all()) == len(session.scalars(select(Event.id)).all()) == 1


def test_what_cannot_be_read_is_refused_with_each_place(session: Session, now: datetime) -> None:
    standing = save(session, levels(warn_at=0.5), now)
    broken = levels(warn_at=2, colour="red")
    with pytest.raises(BadPolicy) as refused:
        save(session, broken, now)
    assert set(refused.value.fields) == {"warn_at", "colour"}
    assert session.scalars(select(Policy)).all() == [standing]
    for family, key in (("colours", "all"), (ROUTING, "mine"), (PLAYBOOK, "Not A Key")):
        with pytest.raises(BadInput):
            save(session, levels(), now, family=family, key=key)


def test_a_change_to_rules_that_moved_meanwhile_is_refused(session: Session, now: datetime) -> None:
    save(session, levels(warn_at=0.5), now, based_on=0)
    with pytest.raises(PolicyMoved, match="Version 1"):
        save(session, levels(warn_at=0.9), now, based_on=0)


def test_an_own_playbook_is_asked_before_the_shipped_ones_and_may_replace_one(
    session: Session, now: datetime, queries: QueryRecorder
) -> None:
    content = tomllib.loads((SHIPPED / "playbooks" / "query.toml").read_text("utf-8"))
    save(session, {**content, "name": "Ours"}, now, family=PLAYBOOK, key="query")
    save(session, {**content, "name": "Large"}, now, family=PLAYBOOK, key="very_large")
    session.flush()
    with queries:
        found = playbooks(session)
    assert queries.count == 1
    assert [(key, one.rules.name, one.version) for key, one in found.items()] == [
        ("very_large", "Large", 1),
        ("dispute", "Dispute", 0),
        ("query", "Ours", 1),
    ]


def test_a_text_that_postgresql_does_not_keep_is_refused_at_its_place(session: Session, now: datetime) -> None:
    content = levels()
    content["rules"][0]["name"] = "urgent\x00"
    with pytest.raises(BadPolicy) as refused:
        save(session, content, now)
    assert list(refused.value.fields) == ["rules.0.name"]
    assert save(session, levels(warn_at=0.5), now, note="why\x00").note == "why"
