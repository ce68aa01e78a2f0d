"""The rules in force: each family's active policies, read and checked, else what ships with the program. It reads only.

One query a family; what a policy says is read once and kept, for versions never change.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes import customer_mail
from disputes.clocks import ServiceLevels, default_levels, read_levels
from disputes.models import Policy
from disputes.playbook import Playbook, default_playbooks, read_playbook
from disputes.routing_rules import RoutingRules, default_routing, read_routing
from disputes.rulebook import Rules

PLAYBOOK, ROUTING, SERVICE_LEVELS, WORDING = "playbook", "routing", "service_levels", customer_mail.FAMILY
"""Families of policies."""
ONLY = "all"
"""The key of families that have one policy for everything: routing and service levels."""

_READERS: Mapping[str, Callable[[Mapping[str, Any]], Rules]] = MappingProxyType(
    {
        PLAYBOOK: read_playbook,
        ROUTING: read_routing,
        SERVICE_LEVELS: read_levels,
        WORDING: lambda content: customer_mail.wording(content, what="The wording"),
    }
)
FAMILIES = tuple(_READERS)

Kind = TypeVar("Kind", bound=Rules)


@dataclass(frozen=True, slots=True)
class InForce(Generic[Kind]):
    """Rules with the policy they come from; `policy_id` None and version 0 for those that ship with the program."""

    policy_id: int | None
    version: int
    rules: Kind


def playbooks(session: Session) -> Mapping[str, InForce[Playbook]]:
    """Key -> playbook, in the order they are asked whether a case is theirs: a deployment's further ones come first,
    since those that ship fit everything. One query.
    """
    shipped = {key: InForce(None, 0, playbook) for key, playbook in default_playbooks().items()}
    own = {row.key: _in_force(row, Playbook) for row in _active(session, PLAYBOOK)}
    return {**{key: own[key] for key in sorted(own.keys() - shipped.keys())}, **shipped, **own}


def routing_rules(session: Session) -> InForce[RoutingRules]:
    """Who settles what. One query."""
    row = next(iter(_active(session, ROUTING)), None)
    return _in_force(row, RoutingRules) if row else InForce(None, 0, default_routing())


def service_levels(session: Session) -> InForce[ServiceLevels]:
    """What is promised by when. One query."""
    row = next(iter(_active(session, SERVICE_LEVELS)), None)
    return _in_force(row, ServiceLevels) if row else InForce(None, 0, default_levels())


def rules_of(family: str, content: Mapping[str, Any]) -> Rules:
    """A policy's content as rules of one of FAMILIES. Raises BadPolicy with each place at fault."""
    return _READERS[family](content)


def _active(session: Session, family: str) -> list[Policy]:
    rows = select(Policy).where(Policy.family == family, Policy.active).order_by(Policy.key)
    return list(session.scalars(rows))


def _in_force(row: Policy, kind: type[Kind]) -> InForce[Kind]:
    rules = _kept(row.family, json.dumps(row.content, sort_keys=True))
    if not isinstance(rules, kind):  # a family's reader makes no other
        raise TypeError(f"policy {row.id} is no {kind.__name__}")
    return InForce(row.id, row.version, rules)


@lru_cache(maxsize=200)
def _kept(family: str, text: str) -> Rules:
    """Kept by its words and not by its id, which another database gives to another policy."""
    return rules_of(family, json.loads(text))
