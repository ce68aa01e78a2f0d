"""A customer's commitment to pay, with its day and amount: found by grammar where the model sees a promise.

A promise needs a sentence about paying and a day not past. A false promise would hold a reminder back, so the
doubtful is left unfound.
"""

from datetime import date, timedelta
from decimal import Decimal

from disputes.concepts import Concepts, Hit
from disputes.dates import Mention, find_days
from disputes.reading import MailText, PromiseFound, Span
from disputes.tokens import MONEY, Tokens, tokenize, word_set

_PAYING = frozenset(
    {"WILL_PAY", "PAYMENT_RUN", "MONEY_COMING", "PAY", "CHEQUE_POST", "CARD_DD", "INSTALMENT", "TRANSFER_MADE"}
)
_FURTHEST = timedelta(days=120)
_DUE = word_set("due dated echue echues echu echus datee fallig vom scaduta scadute vencida vencidas fechada vervallen")
_FIRST_OF_SEVERAL = word_set("first premier premiere erste ersten primer primera prima primo eerste same meme gleiche")


def find_promise(mail: MailText, concepts: Concepts) -> PromiseFound | None:
    """The commitment in the new text, or None; days are counted from when the mail was sent, at the sender's place."""
    tokens = tokenize(mail.new_text)
    sent = mail.sent_at.date()
    days = [mention for mention in find_days(tokens, sent) if _is_ahead(mention, tokens, sent)]
    if not days:
        return None
    mention = _committed(days, tokens, concepts.find(tokens))
    amount, currency = _amount(tokens, mention)
    return PromiseFound(mention.day, amount, currency, _span(mail.new_text, tokens, mention))


def _is_ahead(mention: Mention, tokens: Tokens, sent: date) -> bool:
    """Whether a day can be one of payment: ahead, not far, and not the day something fell due or was issued."""
    before = tokens.norms[max(0, mention.first - 2) : mention.first]
    return sent <= mention.day <= sent + _FURTHEST and not _DUE.intersection(before)


def _committed(days: list[Mention], tokens: Tokens, hits: list[Hit]) -> Mention:
    """The day that is meant: of the sentence most about paying, its last day (the first where several parts follow)."""
    days = [mention for mention in days if mention.named] or days
    paying = [tokens.sentences[hit.first] for hit in hits if hit.concept in _PAYING]
    weight = {mention: paying.count(tokens.sentences[mention.first]) for mention in days}
    best = max(weight.values())
    chosen = [mention for mention in days if weight[mention] == best]
    sentence = {
        n for n, s in zip(tokens.norms, tokens.sentences, strict=True) if s == tokens.sentences[chosen[0].first]
    }
    return chosen[0] if sentence & _FIRST_OF_SEVERAL else chosen[-1]


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


def _span(text: str, tokens: Tokens, mention: Mention) -> Span:
    start, end = tokens.starts[mention.first], tokens.ends[mention.last - 1]
    return Span("new", start, end, text[start:end], 1.0)
