"""The look-up over a ledger in memory: what tests, evaluations and benchmarks match against."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import TypeVar

from matching.facts import AccountFacts, AccountQuery, Discussed, InvoiceFacts, InvoiceQuery, PaymentFacts
from matching.references import digits_key, number_keys
from matching.text import email_domain, name_tokens

Key = TypeVar("Key")


class MemoryIndex:
    """`LedgerIndex` over lists: the same answers as the SQL look-up, from dictionaries."""

    def __init__(
        self,
        accounts: Iterable[AccountFacts],
        invoices: Iterable[InvoiceFacts],
        payments: Iterable[PaymentFacts] = (),
    ) -> None:
        self._account_by_id: dict[int, AccountFacts] = {}
        self._account_keys: dict[object, list[int]] = defaultdict(list)
        self._invoice_by_id: dict[int, InvoiceFacts] = {}
        self._invoice_keys: dict[object, list[int]] = defaultdict(list)
        self._of_account: dict[int, list[InvoiceFacts]] = defaultdict(list)
        self._payments: dict[int, list[PaymentFacts]] = defaultdict(list)
        self._discussed: dict[int, list[Discussed]] = defaultdict(list)
        for account in accounts:
            self._add_account(account)
        for invoice in sorted(invoices, key=lambda each: (each.issued, each.id), reverse=True):
            self._add_invoice(invoice)
        for payment in payments:
            self._payments[digits_key(payment.reference) or 0].append(payment)

    def _add_account(self, account: AccountFacts) -> None:
        self._account_by_id[account.id] = account
        domains = {email_domain(email) for email in account.emails}
        keys: list[object] = [("number", account.number.upper())]
        keys += [("email", email) for email in account.emails] + [("domain", domain) for domain in domains]
        keys += [("vat", vat) for vat in account.vats] + [("iban", iban) for iban in account.ibans]
        keys += [("phone", phone) for phone in account.phones]
        keys += [("name", token) for token in name_tokens(account.name)]
        for key in keys:
            self._account_keys[key].append(account.id)

    def _add_invoice(self, invoice: InvoiceFacts) -> None:
        self._invoice_by_id[invoice.id] = invoice
        self._of_account[invoice.account_id].append(invoice)
        keys, within = number_keys(invoice.number, invoice.issued.year), invoice.account_id
        for key in (("kd", keys.kd), ("kc", keys.kc), ("ks", within, keys.ks), ("k4", within, keys.k4)):
            self._invoice_keys[key].append(invoice.id)
        for name in ("po", "order", "delivery"):
            text = getattr(invoice, name)
            if text:
                self._invoice_keys[name, digits_key(text)].append(invoice.id)
        self._invoice_keys["gross", within, abs(invoice.gross)].append(invoice.id)
        self._invoice_keys["open", within, abs(invoice.open)].append(invoice.id)

    def discuss(self, account_id: int, talk: Discussed) -> None:
        """Remember that a message of an account was linked to an invoice."""
        self._discussed[account_id].append(talk)

    def accounts(self, query: AccountQuery) -> Sequence[AccountFacts]:
        """Accounts any key of the query names, each once."""
        keys: list[object] = [("email", email) for email in query.emails]
        for name in ("domain", "vat", "iban", "phone", "number"):
            keys += [(name, value) for value in getattr(query, f"{name}s")]
        keys += [("name", token) for token in query.name_tokens]
        by_id, entities = self._account_by_id, query.entity_ids
        ids = set(query.ids)
        for key in keys:
            inside = (
                each for each in self._account_keys.get(key, ()) if not entities or by_id[each].entity_id in entities
            )
            ids.update(islice(inside, query.cap))
        found = (by_id[each] for each in sorted(ids) if each in by_id)
        return [each for each in found if not entities or each.entity_id in entities]

    def invoices(self, query: InvoiceQuery) -> Sequence[InvoiceFacts]:
        """Invoices any key of the query names, each once."""
        by_id, entities = self._invoice_by_id, query.entity_ids
        ids = set(query.ids)
        for key in _invoice_keys(query):
            inside = (
                each for each in self._invoice_keys.get(key, ()) if not entities or by_id[each].entity_id in entities
            )
            ids.update(islice(inside, query.cap))
        found = (by_id[each] for each in sorted(ids) if each in by_id)
        return [each for each in found if not entities or each.entity_id in entities]

    def pool(self, account_id: int, *, until: date, limit: int) -> Sequence[InvoiceFacts]:
        """An account's invoices issued by `until`: the `limit` latest due of those open, and of all."""
        mine = [each for each in self._of_account.get(account_id, ()) if each.issued <= until]
        mine.sort(key=lambda each: (each.due or each.issued, each.id), reverse=True)
        chosen = [each for each in mine if each.open != 0][:limit] + mine[:limit]
        return sorted({each.id: each for each in chosen}.values(), key=lambda each: each.id)

    def payments(self, references: Sequence[int], *, entity_ids: tuple[int, ...]) -> Sequence[PaymentFacts]:
        """Payments whose reference has one of these digits."""
        found = [payment for reference in references for payment in self._payments.get(reference, ())]
        entity_of = {each.account_id: self._account_by_id.get(each.account_id) for each in found}
        return [
            each
            for each in found
            if not entity_ids or ((account := entity_of[each.account_id]) and account.entity_id in entity_ids)
        ]

    def discussed(self, account_id: int, *, before: datetime, limit: int) -> Sequence[Discussed]:
        """The account's newest linked messages before a time, newest first."""
        talks = [talk for talk in self._discussed.get(account_id, ()) if talk.sent_at < before]
        return sorted(talks, key=lambda talk: talk.sent_at, reverse=True)[:limit]


def _invoice_keys(query: InvoiceQuery) -> Iterable[object]:
    for name in ("kd", "kc", "po", "order", "delivery"):
        for value in getattr(query, name):
            yield (name, value)
    for account in query.account_ids:
        for name in ("ks", "k4"):
            for value in getattr(query, name):
                yield (name, account, value)
        for amount in query.amounts:
            yield ("gross", account, amount)
            yield ("open", account, amount)
