"""What the law lets a seller ask for when payment is late, by country and kind of customer, as data. Pure.

Nothing here is legal advice. Every value may be overridden by a deployment (`with_own`) or by a contract (Terms), and
what was overridden is said in the claim's notes.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, model_validator

from app.core.errors import BadInput
from app.core.money import known_currency, rounded
from disputes.rulebook import Rules, read

Customer = Literal["business", "consumer", "public"]
Basis = Literal[360, 365, 366, "actual"]
"""Days of a year: a number, or each day by the length of its own year. No statute here fixes one (standards.md)."""
_FOLDER = Path(__file__).with_name("statutes")
_HUNDRED = Decimal(100)


class Interest(Rules):
    """Late-payment interest of a law: a reference rate and the points on top of it.

    `floats`: the rate follows its table; otherwise that of the first day of default (or of the
    due day itself) holds to the end. `begins`: the
    day after the due date, or the day after a notice to pay. `round_up_to`: the sum is raised to a multiple of it.
    `compounds`: what a year of default brought bears interest after it. `beside_a_contract` says what an agreed rate
    does: "replaces" the law's, "ousts" it with all else the law gives, or counts "when_higher".
    """

    table: str
    margin: Decimal = Decimal(0)
    floats: bool
    fixed_on_due_day: bool = False
    begins: Literal["due", "notice"] = "due"
    round_up_to: Decimal | None = Field(default=None, gt=0)
    compounds: Literal["yearly"] | None = None
    basis: Basis = 365
    beside_a_contract: Literal["replaces", "ousts", "when_higher"] = "replaces"
    floor_table: str | None = None
    floor_times: Decimal = Decimal(1)
    source: str

    def of(self, reference: Decimal) -> Decimal:
        """The rate to apply, in per cent a year, for a rate of the table. Never below zero."""
        rate = max(reference + self.margin, Decimal(0))
        if self.round_up_to is None:
            return rate
        return (rate / self.round_up_to).to_integral_value(ROUND_CEILING) * self.round_up_to


class Tier(Rules):
    """A part of a scale: for debts below `below` (None: any), the sum or the per cent of the part in this tier."""

    below: Decimal | None = Field(default=None, gt=0)
    fixed: Decimal | None = Field(default=None, ge=0)
    percent: Decimal | None = Field(default=None, ge=0)


class Compensation(Rules):
    """The fixed compensation of a law for the costs of collecting, in its own currency.

    "fixed" tiers give one sum by the size of the debt; "percent" tiers add up, part by part, between `least` and
    `most`. Counted for each invoice, or once for the sum of a claim. `after_notice`: only when `notice_days` have gone
    by since a notice to pay.
    """

    currency: str
    tiers: tuple[Tier, ...] = Field(min_length=1)
    each: Literal["invoice", "claim"] = "invoice"
    least: Decimal = Field(default=Decimal(0), ge=0)
    most: Decimal | None = Field(default=None, gt=0)
    after_notice: bool = False
    notice_days: int = Field(default=0, ge=0, le=90)
    source: str
    note: str = ""

    @model_validator(mode="after")
    def _makes_a_scale(self) -> "Compensation":
        if not known_currency(self.currency):
            raise ValueError(f"{self.currency} is no currency")
        ends = [tier.below for tier in self.tiers]
        limits = [end for end in ends if end is not None]
        if ends[-1] is not None or len(limits) != len(ends) - 1 or limits != sorted(set(limits)):
            raise ValueError("tiers must rise, and the last has no limit")
        if len({tier.fixed is None for tier in self.tiers}) > 1 or any(
            (tier.fixed is None) == (tier.percent is None) for tier in self.tiers
        ):
            raise ValueError("each tier has a fixed sum, or each has a percent")
        return self

    @property
    def by_size(self) -> bool:
        """Whether the sum depends on how large the debt is, which must then be in the same currency."""
        return len(self.tiers) > 1 or self.tiers[0].fixed is None

    def of(self, debt: Decimal) -> Decimal:
        """The sum for a debt in the scale's currency; nothing for no debt."""
        if debt <= 0:
            return Decimal(0)
        found = self._fixed(debt) if self.tiers[0].fixed is not None else self._percent(debt)
        found = max(found, self.least)
        return rounded(found if self.most is None else min(found, self.most), self.currency)

    def _fixed(self, debt: Decimal) -> Decimal:
        found = next(tier.fixed for tier in self.tiers if tier.below is None or debt < tier.below)
        return found or Decimal(0)

    def _percent(self, debt: Decimal) -> Decimal:
        total, reached = Decimal(0), Decimal(0)
        for tier in self.tiers:
            end = debt if tier.below is None else min(debt, tier.below)
            total += max(end - reached, Decimal(0)) * (tier.percent or Decimal(0)) / _HUNDRED
            reached = end
        return total


class Law(Rules):
    """What a country's law gives against one kind of customer; either part may be nothing."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    customer: Customer
    name: str
    interest: Interest | None = None
    compensation: Compensation | None = None


class _Statute(Rules):
    """A country's file: its law against each kind of customer."""

    business: dict[str, Any]
    consumer: dict[str, Any]
    public: dict[str, Any]


class Terms(Rules):
    """What a contract says instead: a rate in per cent a year or points over the law's reference rate, a fixed sum,
    or that nothing is asked for. `source` says where it was agreed, and stands in the claim.
    """

    source: str = Field(min_length=1)
    rate: Decimal | None = Field(default=None, ge=0, le=100)
    margin: Decimal | None = Field(default=None, ge=0, le=100)
    fixed_sum: Decimal | None = Field(default=None, ge=0)
    basis: Basis | None = None
    no_interest: bool = False
    no_compensation: bool = False

    @model_validator(mode="after")
    def _one_rate(self) -> "Terms":
        if self.rate is not None and self.margin is not None:
            raise ValueError("a contract has a rate or a margin, not both")
        return self


EURO_AREA = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "DE",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PT",
        "SI",
        "SK",
    ]
)
"""Where the Directive's reference rate is the ECB's (article 2 (7)); elsewhere it is the national central bank's."""
Laws = Mapping[tuple[str, Customer], Law]


@dataclass(frozen=True, slots=True)
class Regime:
    """The law as it applies beside a contract: what is claimed and by which source. `rate` is an agreed fixed one."""

    law: Law
    interest: Interest | None
    compensation: Compensation | None
    rate: Decimal | None = None
    notes: tuple[str, ...] = ()
    terms: Terms | None = None


@cache
def shipped() -> Laws:
    """The laws that come with the program, by country and kind of customer."""
    return _laws(_FOLDER)


def with_own(folder: Path) -> Laws:
    """The shipped laws, those of a deployment's own files (fr.toml ...) in their place."""
    return MappingProxyType({**shipped(), **_laws(folder)})


def law_of(laws: Laws, country: str, customer: Customer) -> Law:
    """The law of the seller's country against that kind of customer; where none is known of a country of the euro area,
    the least that Directive 2011/7/EU makes its law give. Raises BadInput for any other country.
    """
    found = laws.get((country, customer)) or (laws.get(("EU", customer)) if country in EURO_AREA else None)
    if found is None:
        known = ", ".join(sorted({key[0] for key in laws}))
        raise BadInput(f"No law on late payment is known for {country or 'no country'}; there are {known}: add a file")
    return found


def regime(law: Law, terms: Terms | None = None) -> Regime:
    """The law beside a contract's terms. A contract that is not named changes nothing."""
    if terms is None:
        return Regime(law, law.interest, law.compensation)
    interest, rate, notes = _agreed_interest(law, terms)
    agreed = terms.rate is not None or terms.margin is not None
    ousted = agreed and law.interest is not None and law.interest.beside_a_contract == "ousts"
    compensation = None if ousted or terms.no_compensation else law.compensation
    if ousted and law.compensation is not None and terms.fixed_sum is None:
        notes += (f"the agreed rate takes the place of the whole law, its fixed sum included ({law.name})",)
    if terms.no_compensation and law.compensation is not None:
        notes += (f"no fixed sum is asked for ({terms.source})",)
    if terms.fixed_sum is not None:
        compensation = _agreed_sum(law, terms, terms.fixed_sum)
    return Regime(law, interest, compensation, rate, notes, terms)


def _agreed_interest(law: Law, terms: Terms) -> tuple[Interest | None, Decimal | None, tuple[str, ...]]:
    """The interest part, the agreed fixed rate if there is one, and what to say about it."""
    if terms.no_interest:
        return None, None, (f"no interest is asked for ({terms.source})",)
    base = law.interest
    if base is None:
        if terms.rate is None:
            return None, None, ()
        made = Interest(table="", floats=False, basis=terms.basis or 365, source=terms.source)
        return made, terms.rate, (f"{terms.rate} % a year by contract ({terms.source})",)
    if terms.basis is not None:
        base = base.model_copy(update={"basis": terms.basis})
    if terms.margin is not None:
        return _agreed_points(base, terms, terms.margin)
    if terms.rate is None:
        return base, None, ()
    return base, terms.rate, (f"{terms.rate} % a year by contract ({terms.source})",)


def _agreed_points(base: Interest, terms: Terms, margin: Decimal) -> tuple[Interest, None, tuple[str, ...]]:
    if base.beside_a_contract == "when_higher" and _no_more(margin, base):
        return base, None, (f"{margin} points by contract ({terms.source}) are no more than the law gives",)
    changed = base.model_copy(update={"margin": margin, "round_up_to": None, "source": terms.source})
    return changed, None, (f"{margin} points over the reference rate by contract ({terms.source})",)


def _no_more(margin: Decimal, base: Interest) -> bool:
    """Whether agreed points may come to less than the law's own, which are rounded up."""
    return margin < base.margin + (base.round_up_to or 0)


def _agreed_sum(law: Law, terms: Terms, amount: Decimal) -> Compensation:
    currency = law.compensation.currency if law.compensation else _currency(law.country)
    after, days = (law.compensation.after_notice, law.compensation.notice_days) if law.compensation else (False, 0)
    return Compensation(
        currency=currency, tiers=(Tier(fixed=amount),), source=terms.source, after_notice=after, notice_days=days
    )


def _currency(country: str) -> str:
    return {"GB": "GBP", "CH": "CHF"}.get(country, "EUR")


def _laws(folder: Path) -> Laws:
    found: dict[tuple[str, Customer], Law] = {}
    for path in sorted(folder.glob("*.toml")):
        for law in parse(path.stem, _content(path)):
            found[law.country, law.customer] = law
    return MappingProxyType(found)


def parse(country: str, content: Mapping[str, Any]) -> tuple[Law, ...]:
    """A country's laws from its file's content. Raises BadPolicy naming each place at fault."""
    what = f"Law {country}"
    statute = read(_Statute, content, what=what)
    parts: tuple[tuple[Customer, dict[str, Any]], ...] = (
        ("business", statute.business),
        ("consumer", statute.consumer),
        ("public", statute.public),
    )
    return tuple(
        read(Law, {**part, "country": country.upper(), "customer": customer}, what=f"{what}, {customer}")
        for customer, part in parts
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no TOML file: {error}") from error
