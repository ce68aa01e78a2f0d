"""A customer's commitment to pay, with its day and amount: found by grammar where the model sees a promise.

A promise needs a sentence about paying and a day not past. A false promise would hold a reminder back, so the
doubtful is left unfound.
"""

from datetime import date, timedelta
from decimal import Decimal

from disputes.commitments import COMMITS, DONE, HEDGED, REST, Said, said_in
from disputes.dates import Mention, find_days
from disputes.passages import Passage
from disputes.reading import PromiseFound, Span
from disputes.reasons import PROMISE
from disputes.tokens import MONEY, Tokens, word_set

_PAYING = frozenset(
    {"WILL_PAY", "PAYMENT_RUN", "MONEY_COMING", "PAY", "CHEQUE_POST", "CARD_DD", "INSTALMENT", "TRANSFER_MADE"}
)
_PLAN = "payment_plan"
_PAID = frozenset({"already_paid", "remittance"})
_OTHER_DAYS = _PAID | {"payment_terms", "charges", "statement", "account_update"}
"""Reasons whose mails name other days beside words of payment: due dates, terms, closing dates."""
_OTHER_WORDS = frozenset({"statement", "account_update", "delivery", "spam", "not_ar"})
"""Reasons whose mails commit to other things than to paying."""
_FROM_US = frozenset(
    {"CREDIT_NOTE", "CREDIT_AWAITED", "CORRECT_INVOICE", "DELIVERY_WORD", "COPY", "RESEND", "NOT_DELIVERED", "POD"}
)
_FAR_AGAINST = -1.2
_NOT_AGAINST = -0.45  # the model's margin; chosen by cross-validation over accounts
_SURELY = 0.3
_FURTHEST = timedelta(days=120)
_DUE = word_set("due dated echue echues echu echus datee fallig vom scaduta scadute vencida vencidas fechada vervallen")
_FIRST_OF_SEVERAL = word_set("first premier premiere erste ersten primer primera prima primo eerste same meme gleiche")


def find_promise(new: Passage, sent: date, *, leaning: float, reason: str) -> PromiseFound | None:
    """The commitment in the new text, or None; days count from `sent`, the day at the sender's place.

    `leaning` is the model's margin for a promise, `reason` what the mail as a whole was understood to be.
    """
    ahead = [mention for mention in find_days(new.tokens, sent) if _is_ahead(mention, new.tokens, sent)]
    if not ahead or leaning <= _FAR_AGAINST:
        return None
    said = said_in(new)
    days = [mention for mention in ahead if _may_commit(mention, new, said)]
    if not days:
        return None
    mention = _committed(days, new, said)
    if not _is_meant(mention, new, said, leaning, reason):
        return None
    amount, currency = _amount(new.tokens, mention)
    return PromiseFound(mention.day, amount, currency, _span(new, mention))


def only_tells_of_money_gone(new: Passage) -> bool:
    """Whether the text says that something was paid, and nowhere that something will be."""
    does = frozenset[str]().union(*said_in(new).by_sentence.values())
    return DONE in does and does.isdisjoint({COMMITS, REST})


def _may_commit(mention: Mention, new: Passage, said: Said) -> bool:
    """Whether the sentence of a day can commit to it: not where it tells of money gone, or only asks or proposes."""
    does = said.of(new.tokens.sentences[mention.first])
    return REST in does or DONE not in does


def _is_meant(mention: Mention, new: Passage, said: Said, leaning: float, reason: str) -> bool:
    """Whether the customer commits to the day: the model says so, or grammar does where the model is not against it.

    A bare weekday beside a payment made is the past one ("paid on Friday").
    """
    sentence = new.tokens.sentences[mention.first]
    does = said.of(sentence)
    commits = not does.isdisjoint({COMMITS, REST})
    if leaning > 0 or reason == PROMISE:
        return _is_leant_to(mention, new, said, leaning, reason)
    if commits and HEDGED not in does and reason not in _OTHER_WORDS:
        return mention.named or leaning > _NOT_AGAINST
    if not mention.named or sentence in new.asking or HEDGED in does:
        return False
    says_so = not _PAYING.isdisjoint(new.concepts_of(sentence))
    return says_so and leaning > _NOT_AGAINST and reason not in _OTHER_DAYS


def _is_leant_to(mention: Mention, new: Passage, said: Said, leaning: float, reason: str) -> bool:
    """Whether the day is committed to where the model takes the mail for a promise: not where it only asks for it, or
    waits for something of ours ("once the credit note is here"; "once my insurance has paid" is the sender's affair).

    A bare weekday needs words of payment somewhere, or a model that is sure.
    """
    does = said.of(new.tokens.sentences[mention.first])
    on_us = not _FROM_US.isdisjoint(new.concepts_of(new.tokens.sentences[mention.first]))
    if HEDGED in does and (COMMITS not in does or on_us):
        return False
    if reason == _PLAN and new.asking and does.isdisjoint({COMMITS, REST}):
        return False
    pays = any(hit.concept in _PAYING for hit in new.hits) or any(
        d & {COMMITS, REST} for d in said.by_sentence.values()
    )
    return mention.named or (reason not in _PAID and (pays or leaning > _SURELY))


def _is_ahead(mention: Mention, tokens: Tokens, sent: date) -> bool:
    """Whether a day can be one of payment: ahead, not far, and not the day something fell due or was issued."""
    before = tokens.norms[max(0, mention.first - 2) : mention.first]
    fell_due = not _DUE.isdisjoint(before) and before != ("e", "due")  # "tutte e due venerdì": both, on Friday
    return sent <= mention.day <= sent + _FURTHEST and not fell_due


def _committed(days: list[Mention], new: Passage, said: Said) -> Mention:
    """The day that is meant: of the sentence most about paying, its latest (the first where several parts follow)."""
    sentences = new.tokens.sentences
    paying = [sentences[hit.first] for hit in new.hits if hit.concept in _PAYING]
    paying += [sentence for sentence, does in said.by_sentence.items() if does & {COMMITS, REST}] * 2
    days = [mention for mention in days if mention.named] or days
    best = max(paying.count(sentences[mention.first]) for mention in days)
    chosen = [mention for mention in days if paying.count(sentences[mention.first]) == best]
    here = sentences[chosen[0].first]
    words = {norm for norm, sentence in zip(new.tokens.norms, sentences, strict=True) if sentence == here}
    return chosen[0] if words & _FIRST_OF_SEVERAL else max(chosen, key=lambda mention: mention.day)


def _amount(tokens: Tokens, mention: Mention) -> tuple[Decimal | None, str]:
    """The amount nearest to the day and its currency, from the same sentence first."""
    here = tokens.sentences[mention.first]
    places = [i for i, shape in enumerate(tokens.shapes) if shape == MONEY]
    if not places:
        return None, ""
    nearest = min(places, key=lambda i: (tokens.sentences[i] != here, abs(i - mention.first)))
    beside = tokens.norms[max(0, nearest - 1) : nearest + 2]
    return amount_of(tokens.norms[nearest]), next((_CURRENCIES[sign] for sign in beside if sign in _CURRENCIES), "")


_CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "pounds": "GBP", "quid": "GBP",
    "$": "USD", "usd": "USD", "chf": "CHF",
}  # fmt: skip


def amount_of(number: str) -> Decimal:
    """The value of a number as six languages write it: the last . or , before two digits is the decimal mark."""
    digits = "".join(char for char in number if char.isdigit())
    tail = number[-3:]
    cents = len(number) > 2 and tail[0] in ".," and tail[1:].isdigit()  # noqa: PLR2004 - a mark and two digits
    return Decimal(digits).scaleb(-2) if cents else Decimal(digits)


def _span(new: Passage, mention: Mention) -> Span:
    start, end = new.tokens.starts[mention.first], new.tokens.ends[mention.last - 1]
    return Span("new", start, end, new.text[start:end], 1.0)
