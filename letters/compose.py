"""A letter's facts and a text become the page to print and the data that goes with it. Pure.

The same facts and text give the same page. All foreign words are escaped by the layout; the only pictures are the
letterhead's logo, handed over by name, and the payment codes drawn here.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2 import Template as Compiled

from letters.claim_tables import annex
from letters.instalments import NOT_THE_SUM
from letters.kinds import DECISIONS, REMINDERS
from letters.letter_facts import LetterFacts, Window, sums
from letters.letter_tables import Table, items, plan, total_lines
from letters.letter_values import Voice, values, voice
from letters.page import Page
from letters.payment_help import Payment, bill, payment
from letters.refusing import NoSuchLetter, Sums
from letters.sandbox import Value, fill
from letters.wording import VOCABULARY, Template, block_of, shipped, spelt

N_ = str  # marks a msgid for extraction
LAYOUT = Path(__file__).with_name("layout")
_WIDTH, _LINES = 36, 6
"""Letters on a line and lines of the window; what needs more is set smaller."""
_SPACES = "\n\t\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"
_LEFT: frozenset[str] = frozenset({"DE", "AT", "GB", "IE", "NL"})
"""Countries whose envelopes show the address on the left; the others' show it right."""


class CannotCompose(NoSuchLetter):
    """Facts that make no letter; the message says what is missing and where to put it right."""


@dataclass(frozen=True, slots=True)
class _Text:
    runs: tuple[tuple[str, bool], ...]
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class _List:
    lines: tuple[str, ...]
    kind: str = "list"


_Part = _Text | _List | Table | Payment


def compose(facts: LetterFacts, template: Template | None = None) -> Page:
    """The letter, in the shipped text or another. Raises CannotCompose, BadTemplate."""
    chosen = template or shipped(facts.kind, facts.language)
    check(facts, chosen)
    chosen = _spelt(chosen, facts.seller.country)
    spoken = voice(facts)
    named = values(spoken)
    foot = bill(spoken)
    subject = " ".join(_filled("subject", chosen.subject, named).split())
    title = f"{subject} ({facts.reference})" if facts.reference else subject
    parts = tuple(_parts(spoken, _filled("body", chosen.body, named)))
    page = {
        **_frame(spoken, chosen, named, on_top=foot is not None),
        "subject": subject,
        "title": title,
        "parts": parts,
        "annex": annex(spoken),
        "bill": foot,
    }
    window = facts.seller.window or _window(facts.seller.country)
    return Page(
        _printable(_layout().render(page=page)),
        ("letter", window, "bill") if foot else ("letter", window),
        facts.seller.accent,
        title,
        facts.language,
        facts.day,
        _data(facts, chosen),
        dict(_pictures(facts, parts)),
    )


def _printable(html: str) -> str:
    """The page without characters that print nothing and that no XML may hold."""
    return "".join(char for char in html if char.isprintable() or char in _SPACES)


def check(facts: LetterFacts, template: Template) -> None:
    """Whether these facts make such a letter. Raises CannotCompose with what is missing and what to do."""
    if (template.kind, template.language) != (facts.kind, facts.language):
        raise CannotCompose(f"The text is for {template.kind} in {template.language}, the facts for {facts.kind}")
    if facts.by_post and not any(line.strip() for line in facts.recipient.address):
        raise CannotCompose(
            N_("Account %(number)s has no postal address: complete it in the ERP, or send this by e-mail"),
            number=facts.account_number,
        )
    if facts.kind in REMINDERS:
        _check_reminder(facts)
    if facts.kind in DECISIONS and not any(row.disputed is not None for row in facts.rows):
        raise CannotCompose(N_("The answer to a dispute says what was disputed of which invoice: no row does"))
    if facts.kind == "payment_plan":
        _check_plan(facts)


def _check_reminder(facts: LetterFacts) -> None:
    if not any(row.asked for row in facts.rows):
        raise CannotCompose(N_("A reminder asks for at least one invoice, and none of these rows asks for anything"))
    below = {currency: amount for currency, amount in facts.totals.items() if amount <= 0}
    if below:
        raise CannotCompose(
            N_("A reminder cannot ask for %(below)s: a statement shows what is owed to whom"), below=Sums(below)
        )
    if facts.kind == "formal_notice" and facts.pay_by is None:
        raise CannotCompose(N_("A formal notice names the last day to pay: none is given"))


def _check_plan(facts: LetterFacts) -> None:
    if not facts.instalments:
        raise CannotCompose(N_("A payment plan has at least one instalment: none is given"))
    planned = sums((one.currency, one.amount) for one in facts.instalments)
    if facts.rows and planned != dict(facts.totals):
        raise CannotCompose(NOT_THE_SUM, planned=Sums(planned), owed=Sums(facts.totals))


def _window(country: str) -> Window:
    if country == "CH":
        return "swiss"
    return "din_b" if country in _LEFT else "right"


def _spelt(template: Template, country: str) -> Template:
    places = {
        place: spelt(getattr(template, place), template.language, country)
        for place in ("subject", "body", "greeting", "closing")
    }
    return template.model_copy(update=places)


def _filled(place: str, source: str, named: Mapping[str, Value]) -> str:
    return fill(source, named, VOCABULARY, what=f"The {place}")


def _frame(spoken: Voice, template: Template, named: Mapping[str, Value], *, on_top: bool) -> dict[str, Any]:
    """Everything around the text. `on_top`: a QR-bill takes the foot, so the legal lines stand under the letterhead."""
    facts, seller = spoken.facts, spoken.facts.seller
    greeting = _filled("greeting", template.greeting, named) or _greeting(spoken)
    closing = _filled("closing", template.closing, named) or spoken.label("closing")
    contact = [*seller.address, *(part for part in (seller.phone, seller.email, seller.web) if part)]
    running = " · ".join(part for part in (seller.name, facts.reference, spoken.figures.day(facts.day)) if part)
    return {
        "language": facts.language,
        "labels": spoken.words.labels,
        "seller": seller,
        "logo": f"letter:{_logo(seller.logo)}" if seller.logo else "",
        "created": facts.day.isoformat(),
        "contact": [*contact, *seller.legal] if on_top else contact,
        "foot": () if on_top else seller.legal,
        "back": (seller.name, *seller.address),
        "to": tuple(_to(spoken)),
        "small": sum(len(line) // _WIDTH + 1 for line in _to(spoken)) > _LINES,
        "info": tuple(_info(spoken)),
        "punch": (seller.window or _window(seller.country)) in {"din_a", "din_b"},
        "running": running,
        "greeting": greeting,
        "closing": closing,
        "signature": facts.signature,
        "call": _call(spoken),
        "enclosures": facts.enclosures,
    }


def _pictures(facts: LetterFacts, parts: Iterable[_Part]) -> Iterator[tuple[str, bytes]]:
    """What the page may show, by name."""
    if facts.seller.logo:
        yield _logo(facts.seller.logo), facts.seller.logo
    for part in parts:
        if isinstance(part, Payment) and part.picture:
            yield "code", part.picture


def _logo(picture: bytes) -> str:
    """A name for the picture by its content: a printer that keeps pictures never takes one entity's for another's."""
    return f"logo-{sha256(picture).hexdigest()[:32]}"


def _greeting(spoken: Voice) -> str:
    person = spoken.facts.recipient.person
    return spoken.label("greeting_person").format(person=person) if person else spoken.label("greeting")


def _to(spoken: Voice) -> Iterator[str]:
    """The lines of the window. The country in capitals, for post that crosses a border."""
    to, home = spoken.facts.recipient, spoken.facts.seller.country
    yield to.name
    if to.person and to.person != to.name:
        yield to.person
    yield from (line for line in to.address if line.strip())
    if to.country and to.country != home:
        yield str(spoken.figures.locale.territories.get(to.country, to.country)).upper()


def _info(spoken: Voice) -> Iterator[tuple[str, str]]:
    facts, signature = spoken.facts, spoken.facts.signature
    place = f"{facts.seller.place}, " if facts.seller.place else ""
    told = {
        "date": f"{place}{spoken.figures.day(facts.day)}",
        "account": facts.account_number,
        "reference": facts.reference,
        "case": facts.case_number,
        "yours": facts.yours,
        "contact": signature.name,
        "telephone": signature.phone,
        "email": signature.email,
    }
    yield from ((spoken.label(name), text) for name, text in told.items() if text)


def _call(spoken: Voice) -> Mapping[str, str]:
    """The way to a person, by what is known of them: said on every letter."""
    said, signature = spoken.words.call, spoken.facts.signature
    if signature.phone:
        form = said.phone_hours if signature.hours else said.phone
    else:
        form = said.email if signature.email else said.nothing
    known = {"name": signature.name, "phone": signature.phone, "hours": signature.hours, "email": signature.email}
    return {"ask": said.ask, "answer": form.format(**known)}


def _parts(spoken: Voice, body: str) -> Iterator[_Part]:
    """Paragraphs and blocks, in the order of the text."""
    for paragraph in _paragraphs(body):
        block = block_of(paragraph)
        if block is None:
            yield _Text(tuple(_runs(paragraph)))
        else:
            yield from _BLOCKS[block](spoken)


def _paragraphs(body: str) -> Iterator[str]:
    """Parts between blank lines; a block's line is a part of its own."""
    lines: list[str] = []
    for line in [*body.splitlines(), ""]:
        if line.strip() and block_of(line) is None:
            lines.append(line.strip())
            continue
        if lines:
            yield " ".join(lines)
            lines = []
        if line.strip():
            yield line


def _runs(paragraph: str) -> Iterator[tuple[str, bool]]:
    """Text and **strong** text in turns. An odd pair of asterisks stands for itself."""
    pieces = paragraph.split("**")
    if len(pieces) % 2 == 0:
        pieces[-2:] = ["**".join(pieces[-2:])]
    yield from ((piece, at % 2 == 1) for at, piece in enumerate(pieces) if piece)


def _left_out(spoken: Voice) -> Iterator[_Part]:
    words = spoken.words.left_out
    found = [
        spoken.label("left_out").format(
            number=one.number, amount=spoken.figures.money(one.amount, one.currency), why=words[one.reason]
        )
        for one in spoken.facts.left_out
    ]
    if found:
        yield _List(tuple(found))


def _earlier(spoken: Voice) -> Iterator[_Part]:
    found = [
        spoken.label("earlier").format(letter=spoken.words.letters[one.kind], day=spoken.figures.day(one.day))
        for one in spoken.facts.earlier
    ]
    if found:
        yield _List(tuple(found))


def _written(text: str) -> Iterator[_Part]:
    """What a person wrote, paragraph by paragraph; no markup but the paragraphs."""
    for paragraph in text.split("\n\n"):
        plain = " ".join(paragraph.split())
        if plain:
            yield _Text(((plain, False),))


def _reasons(spoken: Voice) -> Iterator[_Part]:
    for reason in spoken.facts.reasons:
        yield from _written(reason)


def _paid(spoken: Voice) -> Iterator[_Part]:
    found = payment(spoken)
    if found is not None:
        yield found


def _plan(spoken: Voice) -> Iterator[_Part]:
    if spoken.facts.instalments:
        yield plan(spoken)


_BLOCKS: Mapping[str, Callable[[Voice], Iterator[_Part]]] = {
    "items": items,
    "sums": total_lines,
    "left_out": _left_out,
    "earlier": _earlier,
    "plan": _plan,
    "reasons": _reasons,
    "note": lambda spoken: _written(spoken.facts.note),
    "payment": _paid,
}


def _data(facts: LetterFacts, template: Template) -> str:
    """The facts, sums and text as JSON, for whoever reads the PDF with a program; without the logo."""
    kept = facts.model_dump(mode="json", by_alias=True, exclude={"seller": {"logo"}})
    totals = {currency: str(amount) for currency, amount in facts.totals.items()}
    content = {"format": "amiable-letter-1", "facts": kept, "totals": totals, "text": template.model_dump()}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1)


@cache
def _layout() -> Compiled:
    """The one layout; everything in it is escaped."""
    loader = FileSystemLoader(LAYOUT)
    return Environment(autoescape=True, undefined=StrictUndefined, loader=loader).get_template("letter.html")
