"""The rules in force: each family's active policies, read and checked, else what ships with the program. It reads only.

One query a family; what a policy says is read once and kept, for versions never change.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from disputes import customer_mail
from disputes.clocks import ServiceLevels, default_levels, read_levels
from disputes.codes import CodeMap, Codes, read_codes
from disputes.models import Policy
from disputes.own_reasons import OwnReasons, Reasons, read_own
from disputes.playbook import Playbook, default_playbooks, read_playbook
from disputes.routing_rules import RoutingRules, default_routing, read_routing
from disputes.rulebook import Rules

PLAYBOOK, ROUTING, SERVICE_LEVELS, WORDING = "playbook", "routing", "service_levels", customer_mail.FAMILY
OWN_REASONS, CODES = "reasons", "codes"
"""Families of policies."""
ONLY = "all"
"""The key of families that have one policy for everything: routing, service levels, reasons. Codes have one for every
entity under this key, and one under an entity's own code for what is different there.
"""

_READERS: Mapping[str, Callable[[Mapping[str, Any]], Rules]] = MappingProxyType(
    {
        PLAYBOOK: read_playbook,
        ROUTING: read_routing,
        SERVICE_LEVELS: read_levels,
        WORDING: lambda content: customer_mail.wording(content, what="The wording"),
        OWN_REASONS: read_own,
        CODES: read_codes,
    }
)
FAMILIES = tuple(_READERS)
_CONTENTS = select(Policy.family, Policy.key, Policy.content).where(Policy.active)
# Made once and of columns: mails ask them all the time, and building and loading took three times as long.
_REASONS_IN_FORCE = _CONTENTS.where(Policy.family == OWN_REASONS)
_CODES_IN_FORCE = _CONTENTS.where(Policy.family.in_((OWN_REASONS, CODES)))

_ACTIVE = (
    select(Policy.id, Policy.version, Policy.family, Policy.key, Policy.content)
    .where(Policy.family == bindparam("family"), Policy.active)
    .order_by(Policy.key)
)

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


def own_reasons(session: Session) -> InForce[OwnReasons]:
    """The reasons a deployment added. One query."""
    row = next(iter(_active(session, OWN_REASONS)), None)
    return _in_force(row, OwnReasons) if row else InForce(None, 0, OwnReasons())


def all_reasons(session: Session) -> Reasons:
    """Every reason there is: shipped ones and the deployment's. One query."""
    return _reasons({(family, key): content for family, key, content in session.execute(_REASONS_IN_FORCE)})


def codes(session: Session, *, key: str = ONLY) -> InForce[Codes]:
    """What was said of codes for every entity, or for the one whose code is `key`. One query."""
    row = next((one for one in _active(session, CODES) if one.key == key), None)
    return _in_force(row, Codes) if row else InForce(None, 0, Codes())


def code_map(session: Session, *, entity: str | None = None) -> CodeMap:
    """The codes other systems know reasons by, as they hold for an entity (its code; None: in general). One query."""
    found = {(family, key): content for family, key, content in session.execute(_CODES_IN_FORCE)}
    said = [found[CODES, key] for key in dict.fromkeys((entity or ONLY, ONLY)) if (CODES, key) in found]
    return CodeMap(_reasons(found), tuple(_read(CODES, content, Codes) for content in said))


def _reasons(found: Mapping[tuple[str, str], Any]) -> Reasons:
    content = found.get((OWN_REASONS, ONLY))
    return Reasons() if content is None else Reasons.of(_read(OWN_REASONS, content, OwnReasons).reasons)


def rules_of(family: str, content: Mapping[str, Any]) -> Rules:
    """A policy's content as rules of one of FAMILIES. Raises BadPolicy with each place at fault."""
    return _READERS[family](content)


def _active(session: Session, family: str) -> Sequence[Row[Any]]:
    return session.execute(_ACTIVE, {"family": family}).all()


def _in_force(row: Row[Any], kind: type[Kind]) -> InForce[Kind]:
    return InForce(row.id, row.version, _read(row.family, row.content, kind))


def _read(family: str, content: Any, kind: type[Kind]) -> Kind:
    rules = _kept(family, json.dumps(content, sort_keys=True))
    if not isinstance(rules, kind):  # a family's reader makes no other
        raise TypeError(f"rules of {family} are no {kind.__name__}")
    return rules


@lru_cache(maxsize=200)
def _kept(family: str, text: str) -> Rules:
    """Kept by its words and not by its id, which another database gives to another policy."""
    return rules_of(family, json.loads(text))
