"""What a text is shown on while it is written: a real case or its account, else the newest letter of its kind."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import BadInput
from disputes.models import Case
from disputes.queries import visible_case
from invoices.models import Entity
from letters.dunning_facts import Owing, owing
from letters.instalments import equal
from letters.kinds import Kind, Language
from letters.letter_facts import LetterFacts, Letterhead
from letters.models import Letter
from letters.planning import plans, reminder_facts
from letters.queries.letters import visible_letters
from letters.rules import LetterRules
from letters.writing_facts import OF_ACCOUNT, case_facts, plan_facts, statement_facts, with_plan

REMINDERS: frozenset[Kind] = frozenset({"reminder_1", "reminder_2", "reminder_3", "formal_notice"})
N_ = str  # marks a msgid for extraction
NUMBER = "L000000"


def example(
    session: Session,
    *,
    user: User,
    kind: Kind,
    language: Language,
    entity_code: str,
    case_id: int | None,
    rules: LetterRules,
    now: datetime,
) -> LetterFacts:
    """The facts to show a text on. Raises NotFound for a case of others; BadInput, in words, where nothing fits."""
    if case_id is None:
        facts = newest_of(session, user=user, kind=kind, entity_code=entity_code)
    else:
        case = visible_case(session, user=user, case_id=case_id)
        facts = _of_case(session, case, kind, user=user, rules=rules, now=now)
    return facts.model_copy(update={"language": language})


def newest_of(session: Session, *, user: User, kind: Kind | None = None, entity_code: str = "") -> LetterFacts:
    """The facts of the newest letter, of a kind or any. Raises BadInput, in words, where there is none."""
    wanted = select(Letter.facts).where(Letter.facts != "", visible_letters(user))
    if kind is not None:
        wanted = wanted.where(Letter.kind == kind)
    if entity_code:
        wanted = wanted.join(Entity, Entity.id == Letter.entity_id).where(Entity.code == entity_code)
    found = session.scalar(wanted.order_by(Letter.id.desc()).limit(1))
    if found is None:
        raise BadInput(N_("There is no letter of this kind yet: say on which case to show it"))
    return LetterFacts.from_json(found)


def _of_case(session: Session, case: Case, kind: Kind, *, user: User, rules: LetterRules, now: datetime) -> LetterFacts:
    if case.account_id is None:
        raise BadInput(N_("This case has no account: choose another one"))
    found = owing(session, account_ids=[case.account_id], now=now)[case.account_id]
    head = rules.letterhead(found.account.entity)
    if kind in OF_ACCOUNT:
        return statement_facts(found, head, signer=user.name) if kind == "statement" else _plan(found, head, user)
    if kind not in REMINDERS:
        return case_facts(session, case, found, head, kind=kind, signer=user.name)
    [planned] = plans(session, account_ids=[case.account_id], rules=rules, now=now)
    if planned.letter is None:
        raise BadInput(N_("This customer would get no reminder now: choose another case"))
    facts = reminder_facts(planned, planned.letter, rules, signer=user.name, reference=NUMBER)
    return facts.model_copy(update={"kind": kind})


def _plan(found: Owing, head: Letterhead, user: User) -> LetterFacts:
    """All that the account owes in its own currency, in three instalments from next month on."""
    currency = found.account.entity.currency
    facts = plan_facts(found, head, currency=currency, not_due=True, signer=user.name)
    total = facts.totals.get(currency)
    if not total:
        raise BadInput(N_("This customer owes nothing: choose another case"))
    first = found.today + timedelta(days=30)
    return with_plan(facts, equal(total, currency, number=3, first=first, every="month"))
