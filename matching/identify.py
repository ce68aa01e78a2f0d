"""Who a mail is from or about: candidate accounts, and the features that speak for each."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from matching.facts import AccountFacts, AccountQuery, InvoiceFacts, LedgerIndex, MailFacts, ThreadFacts
from matching.hits import RANKS, Hit, Mentions, amount_hits, known, number_hits, reference_hits
from matching.mentions import Section
from matching.text import email_domain, is_shared_domain, name_tokens, words

_MOST_TOKENS = 160
_SHORTEST_TOKEN = 3
_CROWD = 4  # a domain or address that so many accounts share is nobody's
_LONG = 5


@dataclass(slots=True)
class AccountCandidate:
    """An account on trial: features and where each was seen (source, start, end, text)."""

    account: AccountFacts
    features: dict[str, float] = field(default_factory=dict)
    seen: dict[str, tuple[str, int, int, str]] = field(default_factory=dict)

    def note(self, name: str, value: float = 1.0, seen: tuple[str, int, int, str] = ("sender", 0, 0, "")) -> None:
        """Keep the strongest value of a feature and where it was seen."""
        if value > self.features.get(name, 0.0):
            self.features[name] = value
            self.seen[name] = seen


@dataclass(frozen=True, slots=True)
class Identity:
    """What in a mail may say who it is from or about."""

    sender: tuple[str, ...]
    inner: tuple[str, ...]
    phones: tuple[str, ...]
    vats: tuple[str, ...]
    ibans: tuple[str, ...]
    numbers: tuple[str, ...]
    tokens: tuple[str, ...]


def identity(mail: MailFacts, sections: Sequence[Section]) -> Identity:
    """Addresses, numbers and names of a mail. Where we wrote it, the recipients stand for the customer."""
    outer = mail.to_emails if mail.direction == "out" else (mail.from_email,)
    sender = tuple(dict.fromkeys(address.lower() for address in outer if address))
    inner = [*mail.forwarded_from, *(mail.to_emails if mail.direction == "internal" else ())]
    inner += [email for section in sections for email in section.emails]
    return Identity(
        sender=sender,
        inner=tuple(address for address in dict.fromkeys(each.lower() for each in inner) if address not in sender)[:40],
        phones=_all("phones", sections),
        vats=_all("vats", sections),
        ibans=_all("ibans", sections),
        numbers=_account_numbers(sections),
        tokens=_name_words(mail, sections),
    )


def _all(name: str, sections: Sequence[Section]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for section in sections for value in getattr(section, name)))[:40]


def _account_numbers(sections: Sequence[Section]) -> tuple[str, ...]:
    """Tokens that may be account numbers: with their letters and without."""
    found: dict[str, None] = {}
    for section in sections:
        for window in section.windows[:100]:
            if window.joined == 1 and len(window.digits) >= _LONG - 1 and not window.grown:
                token = section.text[window.start : window.end]
                found[token] = None
                if window.letters and not token.startswith(window.letters):
                    found[window.letters + token] = None
    return tuple(found)[:80]


def _name_words(mail: MailFacts, sections: Sequence[Section]) -> tuple[str, ...]:
    """Words that may be of a company's name: of the sender's name and domain, the subject, the text, the signature."""
    found = dict.fromkeys(words(mail.from_name))
    for address in (mail.from_email, *mail.to_emails, *mail.forwarded_from):
        domain = email_domain(address)
        if domain and not is_shared_domain(domain):
            found.update(dict.fromkeys(words(domain.rpartition(".")[0])))
    for section in sections:
        if section.source in {"subject", "new", "signature"} or section.source.endswith(":name"):
            found.update(dict.fromkeys(word for word in words(section.text[:6000])))
    every = [word for word in found if len(word) >= _SHORTEST_TOKEN and not word.isdigit()]
    return tuple(every[:_MOST_TOKENS])


def find_accounts(
    mail: MailFacts, who: Identity, index: LedgerIndex, thread: ThreadFacts
) -> dict[int, AccountCandidate]:
    """The accounts anything in the mail names, before any invoice is looked up; names only count of a stranger."""
    query = AccountQuery(
        entity_ids=mail.entity_ids,
        ids=(thread.account_id,) if thread.account_id is not None else (),
        emails=(*who.sender, *who.inner),
        domains=tuple(_domains((*who.sender, *who.inner))),
        vats=who.vats,
        ibans=who.ibans,
        phones=who.phones,
        numbers=who.numbers,
    )
    found = list(index.accounts(query))
    if not any(address in account.emails for account in found for address in who.sender):
        found += index.accounts(AccountQuery(entity_ids=mail.entity_ids, name_tokens=who.tokens))
    return {account.id: AccountCandidate(account) for account in found}


def _domains(addresses: Iterable[str]) -> Iterator[str]:
    domains = dict.fromkeys(map(email_domain, addresses))
    return (domain for domain in domains if domain and not is_shared_domain(domain))


def describe_accounts(
    found: dict[int, AccountCandidate], mail: MailFacts, who: Identity, sections: Sequence[Section], thread: ThreadFacts
) -> None:
    """Give every candidate account its features (those from invoices are added by `add_invoice_features`)."""
    crowd = _crowds(found.values())
    text = {section.source: f" {' '.join(words(section.text[:6000]))} " for section in sections}
    for candidate in found.values():
        candidate.note("bias")
        _address_features(candidate, who, crowd)
        _number_features(candidate, who, sections)
        _name_features(candidate, mail, text)
        if thread.account_id == candidate.account.id:
            candidate.note("thread", seen=("thread", 0, 0, ""))


def _crowds(candidates: Iterable[AccountCandidate]) -> dict[str, int]:
    """How many candidate accounts share an address or domain."""
    crowd: dict[str, int] = defaultdict(int)
    for candidate in candidates:
        emails = candidate.account.emails
        for key in {*emails, *map(email_domain, emails)}:
            crowd[key] += 1
    return crowd


def _address_features(candidate: AccountCandidate, who: Identity, crowd: dict[str, int]) -> None:
    domains = {email_domain(email) for email in candidate.account.emails}
    for prefix, addresses in (("", who.sender), ("inner_", who.inner)):
        for address in addresses:
            domain = email_domain(address)
            if address in candidate.account.emails:
                candidate.note(f"{prefix}email", 1 / crowd[address], ("sender", 0, 0, address))
            elif domain in domains and not is_shared_domain(domain) and crowd[domain] < _CROWD:
                candidate.note(f"{prefix}domain", 1 / crowd[domain], ("sender", 0, 0, address))


def _number_features(candidate: AccountCandidate, who: Identity, sections: Sequence[Section]) -> None:
    account = candidate.account
    for name, values in (("phone", who.phones), ("vat", who.vats), ("iban", who.ibans)):
        if getattr(account, f"{name}s") & set(values):
            candidate.note(name, seen=("signature", 0, 0, ""))
    number = account.number.upper()
    if number in who.numbers:
        for section in sections:
            start = section.text.find(number)
            if start >= 0:
                name = "number@q" if section.is_quote else "number"
                candidate.note(name, seen=(section.source, start, start + len(number), number))


def _name_features(candidate: AccountCandidate, mail: MailFacts, text: dict[str, str]) -> None:
    """The account's name in the mail: whole, in part, or as a contact's name."""
    tokens = name_tokens(candidate.account.name)
    places = {
        "name": " ".join(text.get(each, "") for each in ("subject", "new", "signature")),
        "name@q": text.get("quote", ""),
    }
    places["name_from"] = f" {' '.join(words(mail.from_name))} "
    places["name_domain"] = f" {' '.join(words(email_domain(mail.from_email)))} "
    for place, haystack in places.items():
        share = sum(f" {token} " in haystack for token in tokens) / len(tokens) if tokens else 0.0
        if share == 1.0:
            candidate.note(f"{place}_whole", min(len(" ".join(tokens)), 20) / 10)
        elif share > 0:
            candidate.note(f"{place}_part", share)
    sender = tuple(words(mail.from_name))
    if sender and any(set(words(name)) == set(sender) for name in candidate.account.contact_names if name):
        candidate.note("contact_name", seen=("sender", 0, 0, mail.from_name))


def add_invoice_features(
    found: dict[int, AccountCandidate],
    invoices: Iterable[InvoiceFacts],
    mentions: Mentions,
    paid: Mapping[int, Sequence[Hit]],
) -> None:
    """What the invoices mentioned say about whose mail it is: the best mention of any invoice of each account."""
    for invoice in invoices:
        candidate = found.get(invoice.account_id)
        if candidate is None:
            continue
        of = known(invoice)
        references = (*reference_hits(of, mentions), *paid.get(invoice.id, ()))
        for hit in (*number_hits(of, mentions), *references, *amount_hits(of, mentions)):
            name = _invoice_feature(hit)
            if name:
                quoted = "@q" if hit.section.is_quote else ""
                shown = hit.section.text[hit.start : hit.end]
                candidate.note(f"{name}{quoted}", seen=(hit.section.source, hit.start, hit.end, shown))


def _invoice_feature(hit: Hit) -> str:
    if hit.what in RANKS:
        if hit.rank >= RANKS["serial"]:
            return f"inv_{hit.what}_letters" if hit.letters else f"inv_{hit.what}"
        return "inv_weak"
    if hit.what in {"po", "order", "delivery", "payment"}:
        return "inv_ref" if hit.length >= _LONG else "inv_ref_short"
    return "inv_total" if hit.what in {"total", "balance"} else ""
