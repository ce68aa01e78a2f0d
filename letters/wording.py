"""The words of letters: six languages as data, and the texts of each kind, shipped or a deployment's own. Pure."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from app.core.errors import BadInput
from disputes.rulebook import Rules, read
from letters.balance import Reason
from letters.interest import BeganKind
from letters.kinds import KINDS, Kind, Language
from letters.sandbox import LONGEST_SOURCE, BadTemplate, Vocabulary, check

N_ = str  # marks a msgid for extraction
_FOLDER = Path(__file__).with_name("words")
_NO_SHARP_S = frozenset({"CH", "LI"})

VALUES: Mapping[str, str] = {
    "person": N_("the contact's name, empty where unknown"),
    "name": N_("the customer's name"),
    "account": N_("the account's number"),
    "case": N_("the case's number"),
    "reference": N_("the number of this letter"),
    "yours": N_("the customer's own reference"),
    "matter": N_("what the case is about, in a few words"),
    "day": N_("the date of the letter"),
    "pay_by": N_("the last day to pay, empty for at once"),
    "answer_by": N_("the day we answer by"),
    "until": N_("the last day interest is counted to"),
    "total": N_("all the letter asks for"),
    "asked": N_("what the invoices alone come to"),
    "interest": N_("late-payment interest, empty for none"),
    "compensation": N_("fixed compensation, empty for none"),
    "fees": N_("fees of the reminder, empty for none"),
    "disputed": N_("what was in dispute"),
    "credited": N_("what is credited of it"),
    "remains": N_("what is to be paid of it"),
    "in_dispute": N_("what of the account is in dispute and not asked for"),
    "credit_notes": N_("the numbers of the credit notes"),
    "count": N_("how many invoices there are"),
    "many": N_("whether there is more than one invoice"),
    "numbers": N_("the invoices' numbers, the first three"),
    "oldest": N_("the first due date"),
    "days_late": N_("days since the first due date"),
    "credit": N_("whether the balance is in the customer's favour"),
    "settled": N_("whether nothing is open"),
    "consumer": N_("whether the customer is a consumer"),
    "seller": N_("the entity's name"),
    "signer": N_("who signs"),
    "phone": N_("the signer's telephone number"),
    "email": N_("the signer's e-mail address"),
    "hours": N_("when the signer can be reached"),
}
"""What a text may name between {{ and }}, and what each is; the editor shows it."""
LISTS: Mapping[str, Mapping[str, str]] = {
    "earlier": {"day": N_("its date"), "letter": N_("its kind, in words")},
    "instalments": {"day": N_("when"), "amount": N_("how much")},
}
BLOCKS: Mapping[str, str] = {
    "items": N_("the table of invoices"),
    "sums": N_("how the total comes about, where there is interest, compensation or a fee"),
    "left_out": N_("what is not asked for and why"),
    "earlier": N_("the earlier letters with their dates"),
    "plan": N_("the instalments"),
    "reasons": N_("the reasons written for this customer"),
    "note": N_("the personal note, where there is one"),
    "payment": N_("bank details with the code that pays"),
}
"""What a text may place on a line of its own, between [[ and ]]."""
VOCABULARY = Vocabulary(frozenset(VALUES), {name: frozenset(fields) for name, fields in LISTS.items()})


class Text(Rules):
    """What a person writes of a letter. `body` is paragraphs with blank lines between them, **bold** in them, and
    blocks; an empty greeting or closing is the language's own.
    """

    subject: str = Field(min_length=1, max_length=500)
    body: str = Field(min_length=1, max_length=LONGEST_SOURCE)
    greeting: str = Field(default="", max_length=500)
    closing: str = Field(default="", max_length=500)


class Template(Text):
    """The text of one kind of letter in one language."""

    kind: Kind
    language: Language


class Call(Rules):
    """How the letter asks to be called, by what is known of the signer."""

    ask: str
    phone: str
    phone_hours: str
    email: str
    nothing: str


class Words(Rules):
    """Everything else a letter says in one language."""

    labels: dict[str, str]
    payment: dict[str, str]
    call: Call
    annex: dict[str, str]
    began: dict[BeganKind, str]
    left_out: dict[Reason, str]
    letters: dict[Kind, str]
    tables: dict[str, str]
    bill: dict[str, str] = Field(default_factory=dict)
    kinds: dict[Kind, Text]


@cache
def words(language: Language, country: str = "") -> Words:
    """The words of a language, spelt as in the country that writes."""
    text = spelt((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"), language, country)
    return read(Words, tomllib.loads(text), what=f"Words of letters, {language}")


def spelt(text: str, language: Language, country: str) -> str:
    """Our own words as the country spells them: Switzerland and Liechtenstein write ss for ß."""
    return text.replace("ß", "ss") if language == "de" and country in _NO_SHARP_S else text


@cache
def shipped(kind: Kind, language: Language) -> Template:
    """The text that comes with the program."""
    return read_template(kind, language, words(language).kinds[kind].model_dump())


def read_template(kind: Kind, language: Language, content: Mapping[str, Any]) -> Template:
    """A text somebody wrote, checked. Raises BadPolicy or BadTemplate, with words that say where."""
    if kind not in KINDS:
        raise BadInput(f"There is no letter {kind!r}; there are {', '.join(KINDS)}")
    found = read(Template, {**content, "kind": kind, "language": language}, what="The text")
    for place in ("subject", "body", "greeting", "closing"):
        check(getattr(found, place), VOCABULARY, what=f"The {place}")
    for at, line in enumerate(found.body.splitlines(), start=1):
        block = block_of(line)
        if block is not None and block not in BLOCKS:
            raise BadTemplate(f"The body, line {at}: there is no block {block!r}; there are {', '.join(BLOCKS)}")
    return found


def block_of(line: str) -> str | None:
    """The block a line stands for: "[[ items ]]" -> "items"."""
    plain = line.strip()
    return plain[2:-2].strip() if plain.startswith("[[") and plain.endswith("]]") else None
