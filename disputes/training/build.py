"""Turns a labelled corpus of mails into training examples: `python -m disputes.training.build CORPUS OUT.jsonl`.

Repeat it whenever mail parsing or quote splitting changes, so that what is learned from looks like what is read.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.settings import Limits
from disputes.examples import account_key
from disputes.parsing import ParsedMessage, parse
from disputes.reasons import OTHER
from matching.text import email_domain, is_shared_domain

_QUOTE_LIMIT = 3000
_PLAN = "payment_plan"
"""A plan that is proposed promises nothing yet, whatever days it names: writers of corpora disagree on that."""
Row = dict[str, Any]


def build(corpus: Path) -> Iterator[Row]:
    """One row a mail the seller received (its own answers teach nothing), in order of date; labels.jsonl is needed."""
    ledger = json.loads((corpus / "ledger.json").read_text(encoding="utf-8"))
    known = _known([contact["email"].lower() for customer in ledger["customers"] for contact in customer["contacts"]])
    seller_of = _sellers(ledger)
    said: dict[str, list[str]] = {}
    for line in (corpus / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        mail = parse((corpus / "emails" / label["file"]).read_bytes(), limits=Limits())
        earlier = said.setdefault(label["case"] or label["file"], [])
        if label["direction"] != "out":
            sender = {mail.from_email, email_domain(mail.from_email)}
            row = _row(label, mail, earlier, known=label["direction"] == "internal" or bool(sender & known))
            yield {**row, "seller": seller_of(label["account"], mail)}
        if label["direction"] == "in" and label["kind"] != OTHER:
            earlier.append(label["reason"])


def _known(contacts: Sequence[str]) -> frozenset[str]:
    """The contacts' addresses, and the domains that are a company's own."""
    domains = {email_domain(contact) for contact in contacts}
    return frozenset([*contacts, *(domain for domain in domains if not is_shared_domain(domain))])


def _sellers(ledger: Mapping[str, Any]) -> Callable[[str | None, ParsedMessage], str]:
    """Whose mail it is: the entity of its account, else that of the mailbox it was sent to or from."""
    accounts = {customer.get("account"): customer.get("entity", "") for customer in ledger["customers"]}
    mailboxes = {email_domain(entity["mailbox"]): entity["id"] for entity in ledger.get("entities", ())}

    def seller_of(account: str | None, mail: ParsedMessage) -> str:
        domains = [email_domain(address.email) for address in (*mail.to, *mail.cc)] + [email_domain(mail.from_email)]
        found = (mailboxes[domain] for domain in domains if domain in mailboxes)
        return accounts.get(account) or next(found, "")

    return seller_of


def _row(label: Mapping[str, Any], mail: ParsedMessage, earlier: Sequence[str], *, known: bool) -> Row:
    return {
        "lang": label["language"],
        **{name: label[name] for name in ("kind", "reason", "sentiment", "urgent", "flags", "direction")},
        "subject": mail.subject,
        "text": mail.new_text,
        "quote": mail.quoted_text[:_QUOTE_LIMIT],
        "attachments": [attachment.filename for attachment in mail.attachments],
        "earlier": list(earlier),
        "account": account_key(label["account"], mail.from_email),
        "sender_known": known,
        "promises": label["promise"] is not None and label["reason"] != _PLAN,
        "sent_at": mail.sent_at.isoformat() if mail.sent_at else label["date"],
    }


def main(arguments: Sequence[str]) -> None:
    """Write the rows of the corpus named first to the file named second."""
    corpus, out = Path(arguments[0]), Path(arguments[1])
    rows = (json.dumps(row, ensure_ascii=False) for row in build(corpus))
    out.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
