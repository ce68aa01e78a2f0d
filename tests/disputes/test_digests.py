"""When a digest is due and what it holds: rhythms, zones, holidays, sections, the gist of a mail."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.digests import InvoiceFact, Item, Rhythm, gist, period_due, rhythm_of, sections
from disputes.workhours import calendar_of, is_working_day

FRANCE = calendar_of("FR")
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("rhythm", "moment", "period"),
    [
        (Rhythm(), "2026-03-02T07:00+00:00", "2026-03-02"),
        (Rhythm(), "2026-03-02T06:59+00:00", None),
        (Rhythm(), "2026-03-01T10:00+00:00", None),  # Sunday
        (Rhythm(), "2026-05-01T10:00+00:00", None),  # Labour Day in France
        (Rhythm(), "2026-07-01T06:00+00:00", "2026-07-01"),  # summer time: eight in Paris
        (Rhythm(zone="America/New_York"), "2026-03-02T12:59+00:00", None),
        (Rhythm(zone="America/New_York"), "2026-03-02T13:00+00:00", "2026-03-02"),
        (Rhythm(zone="Asia/Tokyo"), "2026-03-01T23:30+00:00", "2026-03-02"),
        (Rhythm(rhythm="off"), "2026-03-02T10:00+00:00", None),
        (Rhythm(rhythm="weekly", weekday=0), "2026-03-02T07:00+00:00", "2026-w10"),
        (Rhythm(rhythm="weekly", weekday=0), "2026-03-03T07:00+00:00", None),
        (Rhythm(rhythm="weekly", weekday=0), "2026-04-07T07:00+00:00", "2026-w15"),  # Easter Monday: on Tuesday
        (Rhythm(rhythm="weekly", weekday=4), "2026-04-30T07:00+00:00", "2026-w18"),  # 1 May is a Friday: the day before
    ],
)
def test_when_a_digest_is_due(rhythm: Rhythm, moment: str, period: str | None) -> None:
    assert period_due(rhythm, FRANCE, now=at(moment)) == period


@given(
    day=st.dates(min_value=at("2026-01-01").date(), max_value=at("2027-12-31").date()),
    weekday=st.integers(0, 6),
    zone=st.sampled_from(["", "Asia/Kolkata", "America/Los_Angeles", "Pacific/Auckland"]),
)
def test_a_week_has_one_weekly_digest_and_a_working_day_one_daily(day: date, weekday: int, zone: str) -> None:
    monday = day - timedelta(days=day.weekday())
    here = ZoneInfo(zone or "Europe/Paris")
    weekly = Rhythm(rhythm="weekly", weekday=weekday, zone=zone)
    noons = [
        datetime(one.year, one.month, one.day, 12, tzinfo=here)
        for one in (monday + timedelta(days=n) for n in range(7))
    ]
    found = [period for noon in noons if (period := period_due(weekly, FRANCE, now=noon))]
    working = [noon for noon in noons if is_working_day(noon.date(), FRANCE)]
    assert len(found) == (1 if working else 0)
    daily = [period_due(Rhythm(zone=zone), FRANCE, now=noon) for noon in noons]
    assert [one for one in daily if one] == [noon.date().isoformat() for noon in working]


def test_what_a_person_chose_what_their_role_gets_and_what_nobody_can_read() -> None:
    assert rhythm_of({}, role="owner").rhythm == "daily"
    assert rhythm_of({}, role="lead").at_once
    assert (rhythm_of({}, role="agent").rhythm, rhythm_of({}, role="agent").at_once) == ("off", False)
    assert rhythm_of({"digest": {"rhythm": "weekly"}}, role="agent").rhythm == "weekly"
    for wrong in ({"rhythm": "hourly"}, {"hour": 99}, "weekly", None, 7):
        assert rhythm_of({"digest": wrong}, role="owner") == Rhythm()
    assert rhythm_of({"digest": {"zone": "Nowhere/At_All"}}, role="owner").zone == ""


def item(number: int, due_in: float | None, *, new: bool = False, urgent: bool = False) -> Item:
    due_at = NOW + timedelta(hours=due_in) if due_in is not None else None
    return Item(
        case_id=number, title="t", customer="c", kind="dispute", reason="price", due_at=due_at, new=new, urgent=urgent
    )


def test_each_case_stands_once_where_it_presses_most() -> None:
    items = [
        item(1, None, new=True),
        item(2, -5),
        item(3, 200),
        item(4, 3, new=True),
        item(5, -50),
        item(6, 100, new=True),
    ]
    found = sections(items, now=NOW, zone=PARIS)
    assert [one.case_id for one in found.overdue] == [5, 2]
    assert [one.case_id for one in found.due] == [4]
    assert [one.case_id for one in found.new] == [6, 1]
    assert [one.case_id for one in found.waiting] == [3]
    assert sections([item(3, 200)], now=NOW, zone=PARIS).worth_a_mail is False


@given(st.lists(st.tuples(st.none() | st.floats(-500, 500), st.booleans()), max_size=20))
def test_no_case_is_lost_and_none_told_twice(told: list[tuple[float | None, bool]]) -> None:
    items = [item(number, due_in, new=new) for number, (due_in, new) in enumerate(told)]
    found = sections(items, now=NOW, zone=PARIS)
    assert sorted(one.case_id for one in found.every) == list(range(len(items)))


def test_amounts_are_told_in_one_currency_or_not_at_all() -> None:
    def fact(disputed: str, claimed: str | None, currency: str = "EUR") -> InvoiceFact:
        return InvoiceFact("F", Decimal(disputed), Decimal(claimed) if claimed else None, Decimal(500), currency)

    both = Item(case_id=1, title="", customer="", kind="dispute", reason="price",
                invoices=(fact("100", "20"), fact("50", None)))  # fmt: skip
    assert both.amount == (Decimal(150), "EUR")
    assert both.asked_amount == (Decimal(20), "EUR")
    mixed = Item(case_id=1, title="", customer="", kind="dispute", reason="price",
                 invoices=(fact("100", "20"), fact("50", None, "USD")))  # fmt: skip
    assert mixed.amount is None
    assert mixed.asked_amount is None
    query = Item(case_id=1, title="", customer="", kind="query", reason="statement", invoices=(fact("0", None),))
    assert query.amount == (Decimal(500), "EUR")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello,\n\nThe price is wrong.\n\n> quoted", "The price is wrong."),
        ("Bonjour Paul,\nil manque deux palettes.\n", "il manque deux palettes."),
        ("One line.", "One line."),
        ("Please credit it.\nKind regards,\nMoira Farrow\nTel. 123", "Please credit it."),
        ("Il prezzo è errato.\nCordiali saluti\nElena", "Il prezzo è errato."),
        ("Regards to the invoice, it is wrong.", "Regards to the invoice, it is wrong."),
        ("", ""),
        ("> only quoted", ""),
    ],
)
def test_the_gist_of_a_mail(text: str, told: str) -> None:
    assert gist(text) == told


@given(st.text(max_size=2_000))
def test_a_gist_is_short_and_one_line(text: str) -> None:
    told = gist(text)
    assert len(told) <= 242
    assert "\n" not in told


def test_a_long_mail_is_cut_at_a_sentence_or_between_words() -> None:
    first = f"We ordered forty chairs at seventy-two pounds {'each ' * 20}and you bill eighty."
    second = f"Please send us a credit note {'soon ' * 40}or we do not pay."
    assert gist(f"{first} {second}") == first
    assert gist("word " * 100).endswith("word …")
