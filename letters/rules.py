"""The rules letters are made by: dunning procedures, whom each is for, letterheads, texts. It reads only.

Each is a policy of its own family, versioned like all rules (disputes/actions/policies.py); without one what ships with
the program is in force.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput
from disputes.models import Policy
from disputes.rulebook import Rules, read
from disputes.rules_in_force import InForce
from invoices.models import Account, Entity
from letters import rate_tables
from letters.kinds import Kind, Language
from letters.letter_facts import Letterhead
from letters.procedure import Assignment, Chosen, Procedure, choose, groups_of, read_procedure
from letters.procedure import shipped as shipped_procedures
from letters.rate_tables import RateTables, TableContent, table_of, with_more
from letters.wording import Template, read_template
from letters.wording import shipped as shipped_text

PROCEDURE, ASSIGNMENTS, TEXT, LETTERHEAD = "dunning", "dunning_for", "letter_text", "letterhead"
RATES = "rates"
"""A rate table of the deployment, by its key: rates that came after this program, or other ones."""
FAMILIES = (PROCEDURE, ASSIGNMENTS, TEXT, LETTERHEAD, RATES)


class Assignments(Rules):
    """Whom each procedure is for, in the order they are asked."""

    rows: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterRules:
    """All rules in force, read at once. Texts by "kind/language" or "kind/language/entity", letterheads by the entity's
    code.
    """

    procedures: Mapping[str, InForce[Procedure]]
    assignments: InForce[Assignments]
    texts: Mapping[str, InForce[Template]]
    letterheads: Mapping[str, InForce[Letterhead]]
    tables: RateTables

    def chosen(self, account: Account) -> Chosen:
        """The procedure of an account; its entity is loaded."""
        return choose(
            self.assignments.rules.rows,
            {key: one.rules for key, one in self.procedures.items()},
            entity=account.entity.code,
            account=account.number,
            groups=groups_of(account.customer_group),
            country=account.entity.country,
        )

    def text(self, kind: Kind, language: Language, entity: str = "") -> InForce[Template]:
        """The text of a letter in a language: the entity's own (by its code), else everybody's, else shipped."""
        own = self.texts.get(f"{kind}/{language}/{entity}") if entity else None
        return own or self.texts.get(f"{kind}/{language}") or InForce(None, 0, shipped_text(kind, language))

    def letterhead(self, entity: Entity) -> Letterhead:
        """The entity's letterhead; without one its name and mailbox."""
        own = self.letterheads.get(entity.code)
        if own is not None:
            return own.rules
        return Letterhead(name=entity.name, country=entity.country, email=entity.mailbox or "")


def letter_rules(session: Session) -> LetterRules:
    """The rules in force. One query."""
    rows = session.scalars(select(Policy).where(Policy.family.in_(FAMILIES), Policy.active).order_by(Policy.key))
    found: dict[str, dict[str, InForce[Any]]] = {family: {} for family in FAMILIES}
    for row in rows:
        rules = _kept(row.family, row.key, json.dumps(row.content, sort_keys=True))
        found[row.family][row.key] = InForce(row.id, row.version, rules)
    shipped = {key: InForce(None, 0, one) for key, one in shipped_procedures().items()}
    every = next(iter(found[ASSIGNMENTS].values()), InForce(None, 0, Assignments()))
    return LetterRules({**shipped, **found[PROCEDURE]}, every, found[TEXT], found[LETTERHEAD], _tables(found[RATES]))


def _tables(own: Mapping[str, InForce[TableContent]]) -> RateTables:
    return with_more({key: table_of(key, one.rules) for key, one in own.items()}) if own else rate_tables.shipped()


def unknown_procedures(assignments: Assignments, known: Collection[str]) -> tuple[str, ...]:
    """Procedures that assignments name and there are not; none at all ("") is no name."""
    named = dict.fromkeys(one.procedure for one in assignments.rows if one.procedure)
    return tuple(name for name in named if name not in known)


def check_assigned(session: Session) -> None:
    """After a change of rules: every assignment names a procedure in force. Raises BadInput. One query."""
    rules = letter_rules(session)
    unknown = unknown_procedures(rules.assignments.rules, rules.procedures)
    if unknown:
        raise BadInput(
            f"{', '.join(unknown)} would be in force no more, and customers are on it: change for whom it is first"
        )


def reader_of(family: str, key: str) -> Callable[[Mapping[str, Any]], Rules]:
    """How a policy of one of FAMILIES is read and checked; it raises BadPolicy or BadTemplate in words."""
    if family == TEXT:
        kind, language = key.split("/")[:2]
        return lambda content: read_template(kind, language, content)  # type: ignore[arg-type] # it checks both itself
    if family == LETTERHEAD:
        return lambda content: read(Letterhead, content, what="The letterhead")
    if family == RATES:
        return lambda content: _read_rates(key, content)
    if family == ASSIGNMENTS:
        return lambda content: read(Assignments, content, what="Whom procedures are for")
    return read_procedure


def _read_rates(key: str, content: Mapping[str, Any]) -> TableContent:
    """Rates that go on where the shipped ones end. Raises BadPolicy or BadInput."""
    found = read(TableContent, content, what=f"Rate table {key}")
    with_more({key: table_of(key, found)})
    return found


@lru_cache(maxsize=300)
def _kept(family: str, key: str, text: str) -> Rules:
    return reader_of(family, key)(json.loads(text))
