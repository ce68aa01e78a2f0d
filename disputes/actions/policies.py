"""Rules that people change: every save is a new version, one version of a key at most is in force, none is lost."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput, Conflict, NotFound
from app.core.events import Actor, record
from disputes.models import Policy
from disputes.own_reasons import refuse_lost
from disputes.rulebook import Rules
from disputes.rules_in_force import FAMILIES, ONLY, OWN_REASONS, PLAYBOOK, ROUTING, SERVICE_LEVELS, rules_of

_KEYS = {
    PLAYBOOK: re.compile(r"[a-z][a-z0-9_]{0,59}"),
    **{family: re.compile(ONLY) for family in (ROUTING, SERVICE_LEVELS, OWN_REASONS)},
}
_SUCCESSION: Mapping[str, Callable[[Rules | None, Rules | None], None]] = {OWN_REASONS: refuse_lost}
"""What a family asks of rules that come after others; None stands for those that ship."""
_ANY_KEY = re.compile(r".{1,80}")
Reader = Callable[[Mapping[str, Any]], Rules]


class NoPolicy(NotFound):
    """There is no such policy, or nobody wrote one: the shipped rules are in force."""


class PolicyMoved(Conflict):
    """Somebody saved another version since these rules were opened for a change."""


def save(
    session: Session,
    *,
    family: str,
    key: str,
    content: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    note: str = "",
    based_on: int | None = None,
    read: Reader | None = None,
) -> Policy:
    """A new version of a key's rules, in force at once; what is in force already gives that and changes nothing.

    `based_on` is the version the change began from (0: the shipped rules). `read` reads and checks a family of a
    package above this one (letters/rules.py). Raises BadPolicy with each place at fault,
    BadInput for a key the family does not have, PolicyMoved when another version came in between.
    """
    if read is None:
        _check(family, key)
    rules = _rules(family, content, read)
    versions = _versions(session, family, key)
    active = _in_force(versions)
    if active is not None and _rules(family, active.content, read) == rules:
        return active
    _succeeds(family, active, rules, read)
    standing = active.version if active else 0
    if based_on is not None and based_on != standing:
        raise PolicyMoved(f"Version {standing} of {key} was saved meanwhile; look at it and save again")
    made = Policy(
        family=family,
        key=key,
        version=1 + max((policy.version for policy in versions), default=0),
        content=rules.model_dump(mode="json"),
        note=note.replace("\x00", "")[:300],  # which PostgreSQL does not keep
        created_by=actor.name,
        created_at=now,
    )
    session.add(made)
    _switch(session, active, made, actor=actor, now=now)
    return made


def activate(session: Session, *, policy_id: int, actor: Actor, now: datetime, read: Reader | None = None) -> Policy:
    """An old version is in force again. Raises NoPolicy; BadPolicy when today's program cannot read it any more."""
    found = session.get(Policy, policy_id)
    if found is None:
        raise NoPolicy(f"There is no policy {policy_id}")
    rules = _rules(found.family, found.content, read)
    active = _in_force(_versions(session, found.family, found.key))
    if active is not found:
        _succeeds(found.family, active, rules, read)
        _switch(session, active, found, actor=actor, now=now)
    return found


def drop(session: Session, *, family: str, key: str, actor: Actor, now: datetime) -> None:
    """What ships with the program is in force again (a further playbook: none); the versions stay. Raises NoPolicy."""
    active = _in_force(_versions(session, family, key))
    if active is None:
        raise NoPolicy(f"There are no {family} rules of your own for {key}")
    _succeeds(family, active, None, None)
    _switch(session, active, None, actor=actor, now=now)


def _rules(family: str, content: Mapping[str, Any], read: Reader | None) -> Rules:
    return read(content) if read is not None else rules_of(family, content)


def _succeeds(family: str, active: Policy | None, rules: Rules | None, read: Reader | None) -> None:
    """Raise what the family says against these rules after the ones in force."""
    check = _SUCCESSION.get(family)
    if check is not None:
        check(_rules(family, active.content, read) if active else None, rules)


def _check(family: str, key: str) -> None:
    if family not in FAMILIES:
        raise BadInput(f"There are no rules of family {family!r}; there are {', '.join(FAMILIES)}")
    if not _KEYS.get(family, _ANY_KEY).fullmatch(key):
        raise BadInput(f"{key!r} cannot name {family} rules", fields={"key": "small letters, digits and _"})


def _versions(session: Session, family: str, key: str) -> list[Policy]:
    """All versions, read once the lock is ours: whoever held it may have added one."""
    of_key = (Policy.family == family, Policy.key == key)
    session.execute(select(Policy.id).where(*of_key).with_for_update())
    rows = select(Policy).where(*of_key).order_by(Policy.version).execution_options(populate_existing=True)
    return list(session.scalars(rows))


def _in_force(versions: list[Policy]) -> Policy | None:
    return next((policy for policy in versions if policy.active), None)


def _switch(session: Session, old: Policy | None, new: Policy | None, *, actor: Actor, now: datetime) -> None:
    if old is not None:
        old.active = False
    if new is not None:
        new.active = True
    session.flush()
    subject = new or old
    record(
        session,
        actor=actor,
        now=now,
        verb="policy changed" if new else "policy dropped",
        subject="policy",
        subject_id=subject.id if subject else None,
        before=_named(old),
        after=_named(new),
    )


def _named(policy: Policy | None) -> dict[str, Any] | None:
    """What an event keeps: which version. Its rules are the policy's, which never change."""
    return {"family": policy.family, "key": policy.key, "version": policy.version} if policy else None
