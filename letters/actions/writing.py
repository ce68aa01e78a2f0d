"""Letters that a person starts: about a case, an account's statement, a plan to pay. Then they go the way of all.

One waits at a time for each case or account and kind: who starts it again, or clicks twice, gets the one that waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import BadInput, Conflict
from app.core.events import Actor
from disputes.models import Case
from letters.actions.shared import told
from letters.compose import check
from letters.dunning_facts import Owing, owing
from letters.instalments import Every, equal, own
from letters.kinds import Kind
from letters.letter_facts import Instalment, LetterFacts
from letters.models import WAITING, Letter
from letters.rules import LetterRules
from letters.writing_facts import (
    REASONED,
    Wording,
    case_facts,
    offered,
    plan_facts,
    statement_facts,
    ways,
    with_plan,
)

N_ = str  # marks a msgid for extraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was agreed: `number` equal instalments from `first` on, or `rows` of their own. `not_due`: also about
    invoices that are not late yet.
    """

    currency: str
    not_due: bool = False
    number: int = 0
    first: date | None = None
    every: Every = "month"
    rows: Sequence[tuple[date, Decimal]] = ()


def draft_for_case(
    session: Session, *, case: Case, kind: Kind, wording: Wording, user: User, rules: LetterRules, actor: Actor,
    now: datetime,
) -> Letter:  # fmt: skip
    """A letter about a case, with amounts from what was decided. Raises BadInput in words for the form."""
    subject = f"case:{case.id}"
    if (waiting := _waiting(session, subject, kind)) is not None:
        return waiting
    if kind not in offered(case) or case.account_id is None:
        raise BadInput(f"No such letter can be written while the case is {case.state}: look at the case again")
    if kind in REASONED and not wording.reasons.strip():
        raise BadInput(N_("This letter owes the customer reasons: write them"))
    found = _owing(session, case.account_id, now)
    head = rules.letterhead(found.account.entity)
    facts = case_facts(session, case, found, head, kind=kind, signer=user.name)
    draft = _Draft(session, found, rules, actor, now)
    return draft.write(facts, wording, subject=subject, case_id=case.id)


def draft_statement(
    session: Session, *, account_id: int, wording: Wording, user: User, rules: LetterRules, actor: Actor, now: datetime
) -> Letter:
    """The account as it stands today; disputed amounts are shown, and not part of what is to be paid."""
    subject = f"account:{account_id}"
    if (waiting := _waiting(session, subject, "statement")) is not None:
        return waiting
    found = _owing(session, account_id, now)
    facts = statement_facts(found, rules.letterhead(found.account.entity), signer=user.name)
    return _Draft(session, found, rules, actor, now).write(facts, wording, subject=subject)


def draft_plan(
    session: Session, *, account_id: int, plan: Plan, wording: Wording, user: User, rules: LetterRules, actor: Actor,
    now: datetime,
) -> Letter:  # fmt: skip
    """An agreement to pay in instalments, which add up to what is owed to the cent. Raises BadInput for the form."""
    subject = f"account:{account_id}"
    if (waiting := _waiting(session, subject, "payment_plan")) is not None:
        return waiting
    found = _owing(session, account_id, now)
    head = rules.letterhead(found.account.entity)
    facts = plan_facts(found, head, currency=plan.currency, not_due=plan.not_due, signer=user.name)
    facts = with_plan(facts, _instalments(plan, facts, found.today))
    return _Draft(session, found, rules, actor, now).write(facts, wording, subject=subject)


def _instalments(plan: Plan, facts: LetterFacts, today: date) -> tuple[Instalment, ...]:
    total = facts.totals.get(plan.currency)
    if not total:
        raise BadInput(N_("Nothing is to be paid in instalments: all is settled, in dispute or not late yet"))
    if plan.rows:
        made = own(total, plan.currency, plan.rows)
    elif plan.first is None:
        raise BadInput(N_("Say when the first instalment is to be paid"))
    else:
        made = equal(total, plan.currency, number=plan.number, first=plan.first, every=plan.every)
    if made[0].day < today:
        raise BadInput(N_("The first instalment is not in the past"))
    return made


def _owing(session: Session, account_id: int, now: datetime) -> Owing:
    return owing(session, account_ids=[account_id], now=now)[account_id]


def _step(kind: Kind) -> str:
    return f"written:{kind}"


def _waiting(session: Session, subject: str, kind: Kind) -> Letter | None:
    mine = select(Letter).where(Letter.subject == subject, Letter.step == _step(kind), Letter.state.in_(WAITING))
    return session.scalar(mine.order_by(Letter.id.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class _Draft:
    session: Session
    found: Owing
    rules: LetterRules
    actor: Actor
    now: datetime

    def write(self, facts: LetterFacts, wording: Wording, *, subject: str, case_id: int | None = None) -> Letter:
        """The row with its facts and text; checked before anything is written."""
        facts = self._worded(facts, wording)
        text = self.rules.text(facts.kind, facts.language, self.found.account.entity.code)
        check(facts, text.rules)
        letter = self._row(facts, subject, case_id, "email" if not facts.by_post else wording.channel)
        letter.text, letter.template_id = text.rules.model_dump(), text.policy_id
        try:
            with self.session.begin_nested():
                self.session.add(letter)
        except IntegrityError as error:
            waiting = _waiting(self.session, subject, facts.kind)
            if waiting is None:
                raise Conflict("Somebody started this letter at the same moment: look at it again") from error
            return waiting
        letter.facts = facts.model_copy(update={"reference": f"L{letter.id:06d}"}).as_json()
        after = {"kind": letter.kind, "account_id": letter.account_id, "totals": letter.totals}
        told(self.session, letter, verb="letter drafted", actor=self.actor, now=self.now, after=after)
        return letter

    def _worded(self, facts: LetterFacts, wording: Wording) -> LetterFacts:
        possible = ways(self.found, facts.kind)
        if wording.channel not in possible:
            raise BadInput(N_("This customer cannot be written to that way: no address is known for it"))
        paragraphs = wording.reasons.replace("\r\n", "\n").split("\n\n")
        words = {
            "by_post": wording.channel != "email",
            "subject_matter": " ".join(wording.matter.split()),
            "reasons": tuple(one.strip() for one in paragraphs if one.strip()),
            "note": wording.note.replace("\r\n", "\n").strip(),
            "answer_by": wording.answer_by,
            "pay_by": wording.pay_by or facts.pay_by,
        }
        try:
            return LetterFacts.model_validate({**dict(facts), **words})
        except ValidationError as error:
            raise BadInput("; ".join(str(one["msg"]) for one in error.errors(include_url=False))) from error

    def _row(self, facts: LetterFacts, subject: str, case_id: int | None, channel: str) -> Letter:
        account, step = self.found.account, _step(facts.kind)
        last = select(Letter.cycle).where(Letter.subject == subject, Letter.step == step)
        cycle = self.session.scalar(last.order_by(Letter.cycle.desc()).limit(1))
        return Letter(
            subject=subject,
            step=step,
            cycle=0 if cycle is None else cycle + 1,
            kind=facts.kind,
            language=facts.language,
            entity_id=account.entity_id,
            account_id=account.id,
            case_id=case_id,
            day=facts.day,
            channel=channel,
            email=self.found.email,
            totals={currency: str(one) for currency, one in facts.totals.items()},
            facts="",
            approval="agent",
            drafted_by=self.actor.name,
            drafted_at=self.now,
        )
