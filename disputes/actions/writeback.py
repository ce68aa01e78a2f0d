"""What the ERP is told back: a Change an invoice whenever its dispute status, amount, block or reason changed."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.core.among import among
from app.core.money import rounded
from disputes.codes import SYSTEMS, CodeMap
from disputes.models import Case, CaseInvoice, Change, Webhook, WebhookDelivery
from disputes.reasons import DISPUTE
from disputes.rules_in_force import code_map
from invoices.models import Account, Entity, Invoice

_ENDED = frozenset({"resolved", "closed"})
_NOTHING = "none"
_Codes = Callable[[str], CodeMap]
"""Entity code -> its codes."""


class _Matter(NamedTuple):
    """A case that is about an invoice, and what it disputes of it."""

    case: Case
    disputed: Decimal


def tell(session: Session, *, case: Case, now: datetime, gone: Collection[int] = ()) -> list[Change]:
    """Append a change for each invoice of the case (and those `gone` from it) of which something else is true now."""
    ids = sorted({*gone, *session.scalars(_ABOUT, {"case_id": case.id})})
    changes = list(_news(session, ids, case, now)) if ids else []
    if changes:
        session.add_all(changes)
        session.flush()
        _for_webhooks(session, changes, now=now)
    return changes


_ABOUT = select(CaseInvoice.invoice_id).where(CaseInvoice.case_id == bindparam("case_id"))


def _news(session: Session, ids: Sequence[int], case: Case, now: datetime) -> Iterator[Change]:
    given = {"ids": ids}
    matters = _matters(session.execute(_CASES, given))
    told = {row.invoice_id: row.payload for row in session.execute(_LAST, given)}
    codes = cache(lambda entity: code_map(session, entity=entity))
    for invoice in session.scalars(_INVOICES, given).all():
        about = matters[invoice.id]
        payload, before = _payload(session, invoice, about, codes), told.get(invoice.id)
        if before != payload and (before is not None or payload["status"] != _NOTHING):
            case_id = about[0].case.id if about else case.id
            yield Change(entity_id=invoice.entity_id, invoice_id=invoice.id, case_id=case_id, payload=payload, at=now)


_INVOICES = select(Invoice).where(among(Invoice.id, "ids")).order_by(Invoice.id)
_CASES = (
    select(CaseInvoice.invoice_id, Case, CaseInvoice.disputed)
    .join(Case, Case.id == CaseInvoice.case_id)
    .where(among(CaseInvoice.invoice_id, "ids"), Case.merged_into_id.is_(None))
)
_NEWEST = select(func.max(Change.id)).where(among(Change.invoice_id, "ids")).group_by(Change.invoice_id)
_LAST = select(Change.invoice_id, Change.payload).where(Change.id.in_(_NEWEST))


def _matters(rows: Iterable[Any]) -> Mapping[int, list[_Matter]]:
    """The cases about each invoice, the one that says most first: money in dispute, then open ones, then the newest."""
    found: dict[int, list[_Matter]] = defaultdict(list)
    for invoice_id, case, disputed in rows:
        found[invoice_id].append(_Matter(case, disputed))
    for matters in found.values():
        matters.sort(key=lambda one: (one.disputed > 0, one.case.state not in _ENDED, one.case.id), reverse=True)
    return found


def _payload(session: Session, invoice: Invoice, matters: list[_Matter], codes: _Codes) -> dict[str, Any]:
    entity = session.get_one(Entity, invoice.entity_id)
    account = session.get_one(Account, invoice.account_id)
    disputed = sum((one.disputed for one in matters), Decimal(0))
    return {
        "entity": entity.code,
        "account": account.number,
        "invoice": invoice.number,
        "currency": invoice.currency,
        "disputed_amount": str(rounded(disputed, invoice.currency)),
        "dunning_block": disputed > 0 or any(_not_their_turn(one.case) for one in matters),
        **_status(matters, partial(codes, entity.code)),
    }


def _not_their_turn(case: Case) -> bool:
    """No reminder while the customer waits for us or for a third party (product.md, the own-delay guard)."""
    return case.state not in _ENDED and case.waiting_on in {"us", "third_party"}


def _status(matters: list[_Matter], codes: Callable[[], CodeMap]) -> Mapping[str, Any]:
    if not matters:
        nothing: dict[str, Any] = {system: [] for system in SYSTEMS} | {"peppol": None}
        return {"status": _NOTHING, "kind": None, "reason": None, **nothing, "case": None}
    case = matters[0].case
    known = {system: list(codes().codes(case.reason, system)) for system in SYSTEMS}
    going = "disputed" if case.kind == DISPUTE else "query"
    return {
        "status": (case.resolution or case.state) if case.state in _ENDED else going,
        "kind": case.kind,
        "reason": case.reason,
        **known,
        "peppol": next(iter(known["peppol"]), None),  # Peppol takes one
        "case": case.id,
    }


def _for_webhooks(session: Session, changes: Collection[Change], *, now: datetime) -> None:
    hooks = session.scalars(_WEBHOOKS).all()
    if not hooks:
        return
    codes = {entity.id: entity.code for entity in session.scalars(select(Entity))}
    session.add_all(
        WebhookDelivery(webhook_id=hook.id, change_id=change.id, not_before=now)
        for hook in hooks
        for change in changes
        if hook.entity_code in {None, codes[change.entity_id]}
    )


_WEBHOOKS = select(Webhook).where(Webhook.active)
