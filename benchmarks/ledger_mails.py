"""Mails about invoices of a made-up ledger, in six languages and with the slips people make, and what is meant."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice

from benchmarks.numbered_ledgers import LANGUAGES, Customer, Ledger, Made
from matching.facts import MailFacts

_OPEN_SHARE, _LOOKS = 0.8, 40


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, the invoices it is about, and the number as its writer wrote it ('' where none is written)."""

    facts: MailFacts
    meant: frozenset[int]
    written: str
    how: str


@dataclass(frozen=True, slots=True)
class _Words:
    """What people of a language write."""

    subject: str
    bodies: tuple[str, ...]
    amount: str
    ending: str
    order: str
    delivery: str
    general: str
    bye: str


_WORDS = {
    "fr": _Words("Facture", ("Bonjour,\n\nla facture {0} ne correspond pas à notre commande.",
                             "Bonjour,\n\nmerci de nous renvoyer une copie de {0}, nous ne la trouvons pas."),
                 "Elle s'élève à {0} EUR.", "facture se terminant par {0}", "commande {0}", "bon de livraison {0}",
                 "Bonjour,\n\nmerci de nous envoyer un relevé de compte.", "Cordialement"),
    "de": _Words("Rechnung", ("Guten Tag,\n\nder Preis auf Rechnung {0} stimmt nicht mit dem Angebot überein.",
                              "Guten Tag,\n\nwir haben {0} nicht erhalten, bitte senden Sie eine Kopie."),
                 "Der Betrag ist {0} EUR.", "Rechnung mit der Endung {0}", "Bestellung {0}", "Lieferschein {0}",
                 "Guten Tag,\n\nbitte senden Sie uns einen Kontoauszug.", "Mit freundlichen Grüßen"),
    "en": _Words("Invoice", ("Hello,\n\nthe quantity on invoice {0} is not what we received.",
                             "Hello,\n\nplease send us a copy of {0}, we cannot find it."),
                 "The total is {0} EUR.", "the invoice ending in {0}", "purchase order {0}", "delivery note {0}",
                 "Hello,\n\nplease send us a statement of our account.", "Kind regards"),
    "es": _Words("Factura", ("Buenos días:\n\nel precio de la factura {0} no es correcto.",
                             "Buenos días:\n\nno encontramos {0}; por favor envíen una copia."),
                 "El importe es {0} EUR.", "la factura que termina en {0}", "pedido {0}", "albarán {0}",
                 "Buenos días:\n\npor favor envíen un extracto de cuenta.", "Saludos cordiales"),
    "it": _Words("Fattura", ("Buongiorno,\n\nla fattura {0} riporta un prezzo sbagliato.",
                             "Buongiorno,\n\nnon troviamo {0}: potete inviarci una copia?"),
                 "L'importo è di {0} EUR.", "la fattura che finisce con {0}", "ordine {0}", "bolla {0}",
                 "Buongiorno,\n\npotete inviarci un estratto conto?", "Cordiali saluti"),
    "nl": _Words("Factuur", ("Goedendag,\n\nhet aantal op factuur {0} klopt niet.",
                             "Goedendag,\n\nkunt u ons een kopie van {0} sturen?"),
                 "Het bedrag is {0} EUR.", "de factuur die eindigt op {0}", "bestelling {0}", "pakbon {0}",
                 "Goedendag,\n\nkunt u ons een rekeningoverzicht sturen?", "Met vriendelijke groet"),
}  # fmt: skip


def made_up_mails(ledger: Ledger, count: int, *, seed: int = 11) -> Iterator[Mail]:
    """So many mails: most name one invoice, rightly or with a slip; some a list, an amount, a PO or nothing."""
    chance = random.Random(seed)
    for _ in range(count):
        first = _picked(ledger, chance)
        how = chance.choices([name for name, _, _ in _WAYS], [weight for _, weight, _ in _WAYS])[0]
        yield _mail(ledger, first, how, chance)


def _picked(ledger: Ledger, chance: random.Random) -> Made:
    """Any invoice, most times one that is open: people write about what they are asked to pay."""
    found = ledger.invoice(chance.randrange(ledger.size))
    if chance.random() < _OPEN_SHARE:
        for _ in range(_LOOKS):
            if found.open:
                break
            found = ledger.invoice(chance.randrange(ledger.size))
    return found


def _mail(ledger: Ledger, first: Made, how: str, chance: random.Random) -> Mail:
    language = LANGUAGES[(first.id - 1) % len(LANGUAGES)]
    words, customer = _WORDS[language], ledger.customer(first.customer)
    others = _beside(ledger, first, chance) if how == "list" else ()
    write = next(found for name, _, found in _WAYS if name == how)
    named, more = write(first, words, chance)
    wanted = ", ".join([named, *(other.number for other in others)])
    body = words.general if how == "none" else f"{chance.choice(words.bodies).format(wanted)} {more}".strip()
    sender, name, signature = _writer(customer, chance)
    at = datetime.combine(first.issued + timedelta(days=chance.randint(8, 50)), time(9, 30), UTC)
    facts = MailFacts(
        subject=words.subject,
        new_text=f"{body}\n\n{words.bye}\n",
        quoted_text="",
        signature=signature,
        attachments=(),
        from_email=sender,
        from_name=name,
        entity_ids=(customer.entity + 1,),
        sent_at=at,
        direction="in",
    )
    meant = frozenset() if how == "none" else frozenset(made.id for made in (first, *others))
    return Mail(facts, meant, named if how in _BY_NUMBER else "", how)


def _beside(ledger: Ledger, first: Made, chance: random.Random) -> Sequence[Made]:
    """One or two more of the same account, issued near it."""
    step, place, wanted = len(LANGUAGES), first.id - 1, chance.randint(1, 2)
    near = range(place - step, max(-1, place - 4 * ledger.per_entity * step), -step)
    same = (other for other in map(ledger.invoice, near) if other.customer == first.customer)
    return list(islice(same, wanted))


def _writer(customer: Customer, chance: random.Random) -> tuple[str, str, str]:
    """The known contact, a colleague of the same company, or somebody with a free address who signs with its name."""
    kind = chance.choices(("contact", "colleague", "private"), (75, 17, 8))[0]
    person = chance.choice(("Anna Weber", "Paul Martin", "Sara Rossi", "Jan de Boer", "Luis Vega", "Emma Hall"))
    signature = f"{person}\n{customer.name}\n"
    local = person.lower().replace(" ", ".")
    address = {"contact": customer.email, "colleague": f"{local}@{customer.domain}", "private": f"{local}@gmail.com"}
    return address[kind], person, signature


def _as_written(made: Made, _words: _Words, chance: random.Random) -> tuple[str, str]:
    number = made.number
    forms = (number, number, number.lower(), number.replace("-", " ").replace("/", " "), number.replace("-", ""))
    return chance.choice(forms), ""


def _with_amount(made: Made, words: _Words, chance: random.Random) -> tuple[str, str]:
    return _as_written(made, words, chance)[0], words.amount.format(_amount(made.cents, words))


def _slip(made: Made, words: _Words, chance: random.Random) -> tuple[str, str]:
    """A digit wrong, dropped or swapped with the next, in the serial; the amount is written too."""
    digits = [place for place, letter in enumerate(made.number) if letter.isdigit()][-4:]
    place = chance.choice(digits[:-1])
    before, after = made.number[:place], made.number[place + 1 :]
    slips = (
        before + str((int(made.number[place]) + chance.randint(1, 9)) % 10) + after,
        before + after,
        before + after[0] + made.number[place] + after[1:],
    )
    return chance.choice(slips), words.amount.format(_amount(made.cents, words))


def _ending(made: Made, words: _Words, _chance: random.Random) -> tuple[str, str]:
    digits = "".join(letter for letter in made.number if letter.isdigit())
    return words.ending.format(digits[-4:]), ""


def _only_amount(made: Made, words: _Words, _chance: random.Random) -> tuple[str, str]:
    return f"{made.issued:%d.%m.%Y}", words.amount.format(_amount(made.cents, words))


def _order(made: Made, words: _Words, chance: random.Random) -> tuple[str, str]:
    return chance.choice((words.order.format(made.po), words.delivery.format(made.delivery))), ""


def _amount(cents: int, words: _Words) -> str:
    whole, rest = divmod(cents, 100)
    thousands = f"{whole:,}"
    return f"{thousands}.{rest:02}" if words is _WORDS["en"] else f"{thousands.replace(',', '.')},{rest:02}"


_Way = Callable[[Made, _Words, random.Random], tuple[str, str]]
_WAYS: tuple[tuple[str, int, _Way], ...] = (
    ("number", 42, _as_written),
    ("number and amount", 16, _with_amount),
    ("slip", 10, _slip),
    ("list", 8, _as_written),
    ("ending", 6, _ending),
    ("amount", 6, _only_amount),
    ("order", 8, _order),
    ("none", 4, _as_written),
)
_BY_NUMBER = frozenset({"number", "number and amount", "slip"})
