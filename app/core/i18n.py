"""The words, dates and figures of one language: gettext catalogs and Babel's patterns, read once and kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import (
    format_decimal,
    format_percent,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
)
from babel.support import NullTranslations, Translations

from app.core.money import minor_digits, rounded

LANGUAGES = ("en", "fr")
"""Languages the interface speaks; English is the source. The first is used when nothing else fits."""

CATALOGS = Path(__file__).parent.parent / "locale"
_LOCALES = {"en": "en_GB", "fr": "fr_FR"}
"""Day before month in both: an agent must not wonder whether 03/04 is March."""

_MINUTE, _HOUR, _DAY, _WEEK, _MONTH, _YEAR = 60, 3600, 86_400, 604_800, 2_629_800, 31_557_600
_UNITS = ((_YEAR, "year"), (_MONTH, "month"), (_WEEK, "week"), (_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"))


def chosen_language(preferred: str | None, accept_language: str, default: str) -> str:
    """The user's own language, else the best of the browser's Accept-Language, else the deployment's default."""
    if preferred in LANGUAGES:
        return str(preferred)
    asked = sorted(map(_weighted, accept_language[:500].split(",")), key=lambda item: -item[0])
    names = [name for weight, name in asked if weight > 0]
    return negotiate_locale(names, LANGUAGES, sep="-") or default


def _weighted(item: str) -> tuple[float, str]:
    name, _, parameters = item.partition(";")
    weight = parameters.strip().removeprefix("q=")
    try:
        return (float(weight) if weight else 1.0), name.strip()
    except ValueError:
        return 0.0, name.strip()


def zone(name: str | None) -> tzinfo:
    """The time zone a browser says it is in; UTC when it says nothing or something unknown."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@dataclass(frozen=True)
class Words:
    """One language: translation by gettext, figures and dates as its readers write them.

    Formatting goes through caches: Babel takes 30 to 150 us a call and an inbox shows a thousand values.
    """

    language: str
    locale: Locale
    catalog: NullTranslations
    _money: dict[str, Callable[[Decimal], str]] = field(default_factory=dict, repr=False)

    def gettext(self, message: str) -> str:
        """The message in this language; itself where no translation is known."""
        return str(self.catalog.ugettext(message)) if message else ""

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The message in the plural form that fits the count; `%(num)s` is the count."""
        return str(self.catalog.ungettext(one, many, count)) % {"num": self.number(count)}

    def money(self, amount: Decimal, currency: str) -> str:
        """12345.5, EUR -> €12,345.50 or 12 345,50 €."""
        formatter = self._money.get(currency)
        if formatter is None:
            formatter = self._money[currency] = money_formatter(self.locale, currency)
        return formatter(amount)

    def number(self, value: Decimal | float) -> str:
        """1234.5 -> 1,234.5 or 1 234,5."""
        return _number(value, str(self.locale))

    def percent(self, share: float) -> str:
        """0.873 -> 87 %. Certainty is not claimed: only 1.0 itself is shown as 100."""
        whole = int(share * 100) if share > 0.99 else round(share * 100)  # noqa: PLR2004 - where rounding would say 100
        return _percent(whole, str(self.locale))

    def day(self, value: date) -> str:
        """3 Mar 2026."""
        return _date(value, "d MMM y", str(self.locale))

    def short_day(self, value: date, *, today: date) -> str:
        """3 Mar, with the year when it is not this one."""
        return _date(value, "d MMM" if value.year == today.year else "d MMM y", str(self.locale))

    def weekday(self, value: date) -> str:
        """Tue 3 Mar: a day near enough to need no year."""
        return _date(value, "EEE d MMM", str(self.locale))

    def plain_money(self, amount: Decimal, currency: str) -> str:
        """1234.5, EUR -> 1234.50 or 1234,50: as a field takes it, without currency or thousands."""
        return str(rounded(amount, currency)).replace(".", get_decimal_symbol(self.locale))

    def moment(self, value: datetime, zone: tzinfo) -> str:
        """Tue 3 Mar 2026, 14:05 in the reader's time zone."""
        local = value.astimezone(zone).replace(second=0, microsecond=0)
        return _moment(local.replace(tzinfo=None), str(self.locale))

    def time(self, value: datetime, zone: tzinfo) -> str:
        """14:05 in the reader's time zone."""
        return format_time(value.astimezone(zone).replace(tzinfo=None), "short", locale=self.locale)

    def ago(self, value: datetime, *, now: datetime) -> str:
        """3 hours ago, in 2 days."""
        return _relative(*_span(value - now), "long", str(self.locale), direction=True)

    def age(self, value: datetime, *, now: datetime) -> str:
        """How long since, short: 3h, 2d, 70d. Receivables are counted in days, however many."""
        return _relative(*_span(now - value, largest=_DAY), "narrow", str(self.locale), direction=False)

    def country(self, code: str) -> str:
        """FR -> France; a code nobody knows stays as it is."""
        return str(self.locale.territories.get(code.upper(), code))

    def size(self, count: int) -> str:
        """1536 -> 1.5 kB."""
        value, unit = float(count), "B"
        for larger in ("kB", "MB", "GB"):
            if value < 1000:  # noqa: PLR2004 - SI prefixes
                break
            value, unit = value / 1000, larger
        return f"{_number(round(value, 1) if value < 10 else round(value), str(self.locale))} {unit}"  # noqa: PLR2004 - one decimal says enough below ten


@cache
def words(language: str) -> Words:
    """The words of a language of LANGUAGES. English needs no catalog: it is the source."""
    catalog: NullTranslations = NullTranslations()
    if language != LANGUAGES[0]:
        catalog = Translations.load(CATALOGS, [language])
    return Words(language, Locale.parse(_LOCALES[language]), catalog)


def money_formatter(locale: Locale, currency: str) -> Callable[[Decimal], str]:
    """Babel's pattern taken apart once, so that a row costs a microsecond instead of a hundred."""
    symbol = get_currency_symbol(currency, locale)
    pattern = locale.currency_formats["standard"]
    before, after = (part.replace("¤", symbol).replace("'", "") for part in (pattern.prefix[0], pattern.suffix[0]))
    if before and before[-1].isalpha():
        before += "\N{NO-BREAK SPACE}"  # CLDR's rule: letters do not touch the figure (CHF 12)
    digits = minor_digits(currency)
    marks = str.maketrans({",": get_group_symbol(locale), ".": get_decimal_symbol(locale)})

    def formatted(amount: Decimal) -> str:
        exact = rounded(amount, currency)
        figure = f"{abs(exact):,.{digits}f}".translate(marks)
        return f"{'-' if exact < 0 else ''}{before}{figure}{after}"

    return formatted


def _span(difference: timedelta, *, largest: int = _YEAR) -> tuple[int, int]:
    """A time span as a count of its largest unit, with sign, and that unit's seconds."""
    seconds = difference.total_seconds()
    for unit, _name in _UNITS:
        if unit <= largest and abs(seconds) >= unit:
            return int(seconds / unit), unit
    return (1 if seconds >= 0 else -1), _MINUTE


@lru_cache(maxsize=4096)
def _relative(count: int, unit: int, form: str, locale: str, *, direction: bool) -> str:
    granularity = dict(_UNITS)[unit]
    span = timedelta(seconds=count * unit)
    return str(
        format_timedelta(
            span,
            granularity=granularity,  # type: ignore[arg-type] # its names are literals there
            threshold=10_000,
            add_direction=direction,
            format="narrow" if form == "narrow" else "long",
            locale=locale,
        )
    )


@lru_cache(maxsize=4096)
def _number(value: Decimal | float, locale: str) -> str:
    return str(format_decimal(value, locale=locale))


@lru_cache(maxsize=256)
def _percent(whole: int, locale: str) -> str:
    return str(format_percent(Decimal(whole) / 100, locale=locale))


@lru_cache(maxsize=8192)
def _date(value: date, pattern: str, locale: str) -> str:
    return str(format_date(value, pattern, locale=locale))


@lru_cache(maxsize=8192)
def _moment(value: datetime, locale: str) -> str:
    return str(format_datetime(value, "EEE d MMM y, HH:mm", locale=locale))
