"""What was understood of a message, its case and what follows from it: promises and tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor, record
from disputes.actions import promises
from disputes.actions.links import evidence_row
from disputes.actions.planning import is_fresh
from disputes.actions.tasks import answered, open_task, review_key
from disputes.callbacks import wish_of
from disputes.casework import ANSWER_DISPUTE_DAYS, ANSWER_QUERY_DAYS, REVIEW_DAYS, CaseView, call_first
from disputes.models import Case, Link, Message, Promise
from disputes.reading import Understanding
from disputes.reasons import DISPUTE, NOBODY, OTHER, kind_of, shipped_row, team_of
from disputes.threading import ThreadDecision, ThreadEvidence
from disputes.workdays import due
from disputes.workhours import add_business_time, calendar_of, hours
from matching.facts import MatchDecision

CALLBACK, CALLBACK_HOURS = "callback_requested", 4
"""The flag of a mail that asks to be called, and within how many office hours that is done."""


PARTIAL = "partial"
"""The flag of a mail that speaks of a part of what is owed."""


def store(
    session: Session,
    *,
    message: Message,
    match: MatchDecision,
    understood: Understanding,
    decision: ThreadDecision,
    account_id: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Write what was decided about a message beside it, with the reasons; the message is worked."""
    message.state = "worked"
    message.account_id = account_id
    message.account_evidence = [evidence_row(one) for one in match.account.evidence] if match.account else []
    message.thread_rule = decision.rule[:40]
    message.thread_evidence = thread_rows(decision)
    message.kind, message.reason, message.confidence = understood.kind, understood.reason, understood.confidence
    message.ranking = [[reason, round(p, 4)] for reason, p in understood.ranking]
    message.decided_by = understood.decided_by
    message.deciding_words = [_span_row(span) for span in understood.words]
    message.sentiment, message.urgent, message.language = understood.sentiment, understood.urgent, understood.language
    message.flags = sorted(understood.flags)
    message.promise = _promise_row(understood)
    message.model_version = understood.model_version
    record(
        session,
        actor=actor,
        now=now,
        verb="message worked",
        subject="message",
        subject_id=message.id,
        after={"kind": message.kind, "reason": message.reason, "account_id": account_id, "rule": decision.rule},
    )


def thread_rows(decision: ThreadDecision) -> list[dict[str, Any]]:
    """The evidence of a thread decision as a message keeps it; a proposal names its case."""
    told = [_evidence_row(one) for one in decision.evidence]
    offered = [
        {
            "what": "proposal",
            "case_id": proposal.case_id,
            "probability": proposal.probability,
            "evidence": [_evidence_row(one) for one in proposal.evidence],
        }
        for proposal in decision.proposals
    ]
    return [*told, *offered]


def _evidence_row(evidence: ThreadEvidence) -> dict[str, Any]:
    return {"what": evidence.what, "detail": evidence.detail, "bits": evidence.bits}


def _span_row(span: Any) -> dict[str, Any]:
    return {
        "source": span.source,
        "start": span.start,
        "end": span.end,
        "text": span.text,
        "weight": round(float(span.weight), 3),
    }


def _promise_row(understood: Understanding) -> dict[str, Any] | None:
    promise = understood.promise
    if promise is None:
        return None
    return {
        "date": promise.date.isoformat(),
        "amount": None if promise.amount is None else str(promise.amount),
        "currency": promise.currency or None,
        "span": _span_row(promise.span),
    }


def first_view(message: Message, understood: Understanding) -> CaseView:
    """What a new case is about by its first message; a mail that opens one has a matter, whatever came first."""
    told = dict(understood.ranking)
    reason = max((one for one in told if kind_of(one) != OTHER), key=lambda one: told[one], default="other_query")
    reason = understood.reason if understood.kind != OTHER else reason
    return CaseView(
        kind=kind_of(reason),
        reason=reason,
        confidence=told.get(reason),
        sentiment=understood.sentiment,
        urgent=understood.urgent,
        flags=tuple(sorted(understood.flags)),
        language=message.language,
    )


def follow_up(
    session: Session, *, message: Message, case: Case, understood: Understanding, country: str | None, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """What a message in a case asks for: the promise it holds, an answer, a call where it is angry or urgent.

    An old mail, of an archive, asks for nothing any more; what it promises for days to come still counts.
    """
    if message.direction == "out":
        answered(session, case_id=case.id, actor=actor, now=now)
    if message.direction != "in" or message.kind == OTHER:
        return
    fresh = is_fresh(message, now=now)
    if fresh or (understood.promise is not None and understood.promise.date >= now.date()):
        _keep_promise(session, message=message, case=case, understood=understood, actor=actor, now=now)
    if not fresh:
        return
    _call(session, message=message, case=case, understood=understood, country=country, actor=actor, now=now)
    if team_of(understood.reason) != NOBODY:
        days = ANSWER_DISPUTE_DAYS if understood.kind == DISPUTE else ANSWER_QUERY_DAYS
        title = f"Answer: {shipped_row(understood.reason).label}"
        _task(session, message, case, kind="answer", title=title, days=days, country=country, actor=actor, now=now)


def _call(
    session: Session, *, message: Message, case: Case, understood: Understanding, country: str | None, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """A call to somebody angry or in a hurry, or who asks for one: theirs is soon, and keeps their own wish."""
    name = message.from_name or message.from_email
    first, asked = call_first(understood.sentiment, urgent=understood.urgent), CALLBACK in understood.flags
    if not (first or asked):
        return
    due_at = due(now, days=0, country=country)
    payload: dict[str, str] = {}
    if asked:
        soon = add_business_time(now, hours(CALLBACK_HOURS), calendar_of(country))
        due_at = min(due_at, soon) if first else soon
        wish = wish_of(message.new_text, language=message.language, country=country)
        payload = {"wish": wish.words, "phone": wish.phone}
    open_task(
        session,
        kind="courtesy_call",
        title=f"Call {name} back: they asked for it" if asked else f"Call {name} before anything is written",
        dedupe_key=f"courtesy_call:{message.id}",
        actor=actor,
        now=now,
        due_at=max(due_at, now),
        case=case,
        message_id=message.id,
        payload=payload,
    )


def _task(
    session: Session, message: Message, case: Case, *, kind: str, title: str, days: int, country: str | None,
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    open_task(
        session,
        kind=kind,
        title=title,
        dedupe_key=f"{kind}:{message.id}",
        actor=actor,
        now=now,
        due_at=due(now, days=days, country=country),
        case=case,
        message_id=message.id,
    )


def _keep_promise(
    session: Session, *, message: Message, case: Case, understood: Understanding, actor: Actor, now: datetime
) -> None:
    found = understood.promise
    if found is None or session.scalar(select(Promise.id).where(Promise.message_id == message.id)) is not None:
        return
    promises.keep(
        session,
        case=case,
        message_id=message.id,
        day=found.date,
        amount=found.amount,
        currency=found.currency or None,
        partial=PARTIAL in understood.flags,
        actor=actor,
        now=now,
    )


def ask(
    session: Session,
    *,
    message: Message,
    case: Case | None,
    links: Sequence[Link],
    decision: ThreadDecision,
    country: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Review tasks for what is not sure: the invoices a message means, the case it belongs to."""
    proposed = [link for link in links if link.state == "proposed"]
    questions: list[tuple[str, str, dict[str, Any]]] = []
    if proposed:
        offered = [{"link_id": link.id, "invoice_id": link.invoice_id, "p": link.probability} for link in proposed]
        questions.append(("links", "Which invoices does this mail mean?", {"links": offered}))
    if decision.proposals:
        cases = [{"case_id": one.case_id, "p": one.probability} for one in decision.proposals]
        questions.append(("case", "Which case does this mail belong to?", {"cases": cases, "why": decision.rule}))
    for about, title, payload in questions:
        open_task(
            session,
            kind="review",
            title=title,
            dedupe_key=review_key(message.id, about),
            actor=actor,
            now=now,
            due_at=due(now, days=REVIEW_DAYS, country=country),
            case=case,
            message_id=message.id,
            payload={"about": about, **payload},
        )
    message.review = bool(questions)
