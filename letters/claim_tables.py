"""How each figure of a claim came to be: the annex of a letter that asks for interest or compensation. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from letters.interest import Began, Claim, Segment
from letters.interest import Line as Interest
from letters.laws import Law, shipped
from letters.letter_tables import Cell, Column, Line, Table
from letters.letter_values import Voice


@dataclass(frozen=True, slots=True)
class Annex:
    """The explanation: tables of segments and fixed sums by currency, and the sources of the rates as notes."""

    title: str
    intro: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def annex(voice: Voice) -> Annex | None:
    """The annex of these facts; None where nothing is claimed."""
    claim = voice.facts.claim
    if claim is None or not (any(line.segments for line in claim.lines) or claim.fixed_sums):
        return None
    said = voice.words.annex
    tables = (*_interest(voice, claim), *_fixed(voice, claim))
    notes = tuple(dict.fromkeys([*_rates(voice, claim), *_stopped(voice, claim), *_sources(voice, claim)]))
    return Annex(said["title"], _intro(voice, claim), tables, notes)


def _intro(voice: Voice, claim: Claim) -> str:
    kinds = {began.kind for line in claim.lines for segment in line.segments[:1] for began in segment.began}
    name = "intro_fixed" if not kinds else "intro_notice" if "notice" in kinds else "intro"
    return voice.words.annex[name].format(until=voice.figures.day(claim.until))


def _interest(voice: Voice, claim: Claim) -> Iterator[Table]:
    lines = [line for line in claim.lines if line.segments]
    for currency in dict.fromkeys(line.debt.currency for line in lines):
        mine = [line for line in lines if line.debt.currency == currency]
        rows = [row for line in mine for row in _debt(voice, line)]
        total = sum((line.interest for line in mine), Decimal(0))
        last = (Cell(voice.label("total")), *[Cell("")] * 5, Cell(voice.figures.amount(total, currency), "r"))
        yield Table(_heads(voice, currency), (*rows, Line(last, style="sum")), "detail")


def _heads(voice: Voice, currency: str) -> tuple[Column, ...]:
    said = voice.words.annex
    return (
        Column(said["from"], 22),
        Column(said["to"], 14),
        Column(said["days"], 9, "r"),
        Column(f"{said['base']} {currency}", 18, "r"),
        Column(said["rate"], 13, "r"),
        Column(said["basis"], 9, "r"),
        Column(f"{said['amount']} {currency}", 15, "r"),
    )


def _debt(voice: Voice, line: Interest) -> Iterator[Line]:
    due = voice.figures.short(line.debt.due)
    yield Line(title=voice.words.annex["invoice"].format(number=line.debt.number, due=due), style="group")
    for segment in line.segments:
        yield Line(_segment(voice, segment, line.debt.currency))


def _segment(voice: Voice, one: Segment, currency: str) -> tuple[Cell, ...]:
    figures = voice.figures
    return (
        Cell(figures.short(one.first), small=", ".join(_began(voice, began, currency) for began in one.began)),
        Cell(figures.short(one.last)),
        Cell(figures.number(one.days), "r"),
        Cell(figures.amount(one.balance, currency), "r"),
        Cell(figures.rate(one.rate), "r"),
        Cell(str(one.basis), "r"),
        Cell(figures.amount(one.amount, currency), "r"),
    )


def _began(voice: Voice, began: Began, currency: str) -> str:
    amount = "" if began.amount is None else voice.figures.money(began.amount, currency)
    return voice.words.began[began.kind].format(amount=amount, source=began.source)


def _fixed(voice: Voice, claim: Claim) -> Iterator[Table]:
    said = voice.words.annex
    for currency in claim.compensation:
        mine = [one for one in claim.fixed_sums if one.currency == currency]
        rows = [
            Line(
                (
                    Cell(
                        voice.words.annex["per_claim"] if not one.number else f"{voice.label('number')} {one.number}",
                        small=said["fixed_base"].format(base=voice.figures.money(one.base, currency)),
                    ),
                    Cell(_citation(one.source)),
                    Cell(voice.figures.amount(one.amount, currency), "r"),
                )
            )
            for one in mine
        ]
        total = (
            Cell(voice.label("total")),
            Cell(""),
            Cell(voice.figures.amount(claim.compensation[currency], currency), "r"),
        )
        heads = (Column(said["fixed"], 40), Column(said["source"], 42), Column(currency, 18, "r"))
        yield Table(heads, (*rows, Line(total, style="sum")), "detail")


def _rates(voice: Voice, claim: Claim) -> Iterator[str]:
    for line in claim.lines:
        for segment in line.segments:
            yield _rate(voice, segment)


def _rate(voice: Voice, one: Segment) -> str:
    """One rate as the law builds it. The words for the table are ours where the law is the shipped one."""
    said, figures = voice.words.annex, voice.figures
    rate, law = figures.rate(one.rate), _citation(one.source)
    if one.source == "agreed":
        return said["agreed"].format(rate=rate)
    shown = _law(voice)
    reference = one.reference
    if reference is None or shown is None or shown.interest is None or shown.interest.source != one.source:
        return said["other"].format(rate=rate, law=one.source)
    rule = shown.interest
    form = "rounded" if rule.round_up_to else "built" if rule.margin else "plain"
    return said[form].format(
        rate=rate,
        table=voice.words.tables[rule.table],
        reference=figures.rate(reference.rate),
        day=figures.day(reference.begins),
        points=figures.number(rule.margin),
        law=law,
    )


def _law(voice: Voice) -> Law | None:
    return shipped().get((voice.facts.seller.country, voice.facts.customer))


def _stopped(voice: Voice, claim: Claim) -> Iterator[str]:
    if claim.until < voice.facts.day and any(line.segments for line in claim.lines):
        yield voice.words.annex["stopped"].format(until=voice.figures.day(claim.until))


def _sources(voice: Voice, claim: Claim) -> Iterator[str]:
    """Where each reference rate was published, so that anybody can look it up; and what a fee is owed by."""
    said = voice.words.annex
    for line in claim.lines:
        for one in line.segments:
            if one.reference is not None and one.reference.source:
                rate = voice.figures.rate(one.reference.rate)
                yield said["origin"].format(reference=rate, source=one.reference.source)
    for fee in voice.facts.fees:
        yield said["fee"].format(amount=voice.figures.money(fee.amount, fee.currency), source=fee.source)


def _citation(source: str) -> str:
    """The article alone: "Code de commerce L441-10 II: ECB rate ..." -> "Code de commerce L441-10 II"."""
    return source.split(": ", maxsplit=1)[0]
