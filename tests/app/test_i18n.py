from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from app.core.i18n import LANGUAGES, chosen_language, words, zone
from disputes.reasons import REASONS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "TND", "PLN", "SEK")


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=3, allow_nan=False, allow_infinity=False),
    st.sampled_from(CURRENCIES),
    st.sampled_from(LANGUAGES),
)
def test_money_is_written_as_babel_writes_it(amount: Decimal, currency: str, language: str) -> None:
    spoken = words(language)
    digits = {"JPY": 0, "TND": 3}.get(currency, 2)
    rounded = amount.quantize(Decimal(1).scaleb(-digits), rounding="ROUND_HALF_UP")
    by_babel = format_currency(rounded or Decimal(0), currency, locale=spoken.locale)
    # CLDR sets letters apart from figures (CHF 12), which Babel leaves out in English.
    assert spoken.money(amount, currency).replace("\xa0", "") == by_babel.replace("\xa0", "")


@pytest.mark.parametrize(
    ("preferred", "accepted", "language"),
    [
        ("fr", "en", "fr"),
        (None, "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        (None, "de,en;q=0.3,fr;q=0.7", "fr"),
        (None, "fr;q=0,en", "en"),
        (None, "de", "en"),
        (None, "", "en"),
        ("xx", "*;q=nonsense,,;;", "en"),
    ],
)
def test_the_language_is_the_users_then_the_browsers_then_the_default(
    preferred: str | None, accepted: str, language: str
) -> None:
    assert chosen_language(preferred, accepted, "en") == language


def test_the_french_catalog_is_compiled_and_speaks_french() -> None:
    french = words("fr")
    assert french.gettext("Dispute") == "Litige"
    assert french.ngettext("%(num)s case", "%(num)s cases", 0) == "0 dossier"
    assert french.ngettext("%(num)s case", "%(num)s cases", 1200).replace("\u202f", " ") == "1 200 dossiers"
    same = {reason.label for reason in REASONS.values() if french.gettext(reason.label) == reason.label}
    assert not same


def test_times_are_told_as_people_tell_them() -> None:
    english, french = words("en"), words("fr")
    assert english.ago(NOW - timedelta(hours=3), now=NOW) == "3 hours ago"
    assert french.ago(NOW + timedelta(days=2), now=NOW) == "dans 2 jours"
    assert english.age(NOW - timedelta(days=70), now=NOW) == "70d"
    assert english.age(NOW, now=NOW) == "1m"
    assert english.day(date(2026, 3, 2)) == "2 Mar 2026"
    assert english.short_day(date(2026, 3, 2), today=date(2026, 12, 1)) == "2 Mar"
    assert french.moment(NOW, ZoneInfo("Europe/Paris")) == "lun. 2 mars 2026, 10:00"


def test_an_unknown_time_zone_is_utc() -> None:
    assert zone("Mars/Olympus") is UTC
    assert zone("../../etc/passwd") is UTC
    assert zone(None) is UTC
    assert zone("Europe/Paris") == ZoneInfo("Europe/Paris")


def test_only_certainty_is_shown_as_a_hundred_per_cent() -> None:
    assert words("en").percent(0.9999) == "99%"
    assert words("en").percent(1.0) == "100%"
    assert words("en").percent(0.555) == "56%"


def test_sizes_are_rounded_for_reading() -> None:
    assert words("en").size(999) == "999 B"
    assert words("en").size(1536) == "1.5 kB"
    assert words("fr").size(12_345_678) == "12 MB"
