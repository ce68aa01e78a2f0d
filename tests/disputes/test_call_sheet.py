"""The courtesy call: what to say in the customer's language, when to ring, what follows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from disputes.call_outcomes import OUTCOMES, UnknownOutcome, after_call
from disputes.call_sheet import OFFERS, CallFacts, InvoiceSaid, reasons_spoken, script, tel_link
from disputes.call_times import PastCall, best_time, chance, zones_of_phone
from disputes.reading import LANGUAGES
from disputes.reasons import NO_MATTER, REASONS
from disputes.tone import check
from disputes.workhours import add_business_time, calendar_of, hours, is_open

PARIS = calendar_of("FR")
FRIDAY = datetime(2026, 11, 27, 8, tzinfo=UTC)
CALL = CallFacts(
    case_id=7,
    kind="dispute",
    reason="price",
    language="fr",
    name="Mme Roux",
    agent="Ann",
    seller="Nordwind",
    invoices=[
        InvoiceSaid(
            number="F-42",
            issued=date(2026, 10, 1),
            due=date(2026, 10, 31),
            amount=Decimal("1200.00"),
            currency="EUR",
            disputed=Decimal("250.00"),
        )
    ],
    said="Le prix\nn'est pas celui convenu.",
    answer_by=date(2026, 12, 1),
)


def spoken(facts: CallFacts) -> str:
    return "\n".join(line for part in script(facts) for line in part.lines).replace("\u202f", " ").replace("\xa0", " ")


def test_the_script_says_who_what_was_said_what_we_can_do_and_by_when() -> None:
    assert [part.heading for part in script(CALL)] == ["greeting", "purpose", "facts", "listen", "offer", "close"]
    said = spoken(CALL)
    assert "Bonjour Mme Roux, Ann, de Nordwind." in said
    assert "Facture F-42 du 1 octobre 2026, 1 200,00 €, dont 250,00 € en question." in said
    assert "« Le prix n'est pas celui convenu. »" in said
    assert "Nous pouvons vous envoyer une facture corrigée." in said
    assert "aucune relance pour le montant en question" in said
    assert "d’ici au 1 décembre 2026" in said


def test_somebody_upset_hears_first_that_we_are_sorry() -> None:
    upset = script(replace(CALL, language="en", upset=True, promised=date(2026, 11, 20)))
    assert upset[1].lines[0].startswith("I read your message, and I am sorry")


def test_a_broken_promise_is_asked_about_without_reproach_and_silence_too() -> None:
    promise = replace(CALL, language="en", reason="promise_to_pay", kind="query", promised=date(2026, 11, 20))
    assert "You had told us about a payment for 20 November 2026." in spoken(promise)
    assert "we can agree on instalments" in spoken(promise)
    assert "since 2 November 2026" in spoken(replace(CALL, language="en", silent_since=date(2026, 11, 2)))


def test_a_credit_is_offered_only_where_it_was_approved() -> None:
    assert "avoir" not in spoken(CALL)
    assert "un avoir de 250,00 €" in spoken(replace(CALL, credit=(Decimal("250.00"), "EUR")))


def test_an_address_is_no_name_and_an_unknown_language_gets_english() -> None:
    assert spoken(replace(CALL, name="ap@roux.example", language="pt")).startswith("Hello, this is Ann from Nordwind.")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", sorted({*OFFERS, "other_query"}))
def test_no_script_blames_or_denies_whatever_it_is_about(language: str, reason: str) -> None:
    facts = replace(
        CALL, language=language, reason=reason, said="", owner_works=True, credit=(Decimal(5), "EUR")
    )  # fmt: skip
    for about in (facts, replace(facts, upset=True), replace(facts, promised=date(2026, 11, 20))):
        said = spoken(about)
        assert check(said, language) == ()
        assert "{" not in said
    missing = set(REASONS) - reasons_spoken(language) - NO_MATTER
    assert missing == {"other_dispute", "other_query", "auto_reply", "bounce", "spam", "not_ar"}


@pytest.mark.parametrize(
    ("phone", "country", "link"),
    [
        ("01 42 68 53 00", "FR", "tel:+33-1-42-68-53-00"),
        ("+44 20 7946 0000", None, "tel:+44-20-7946-0000"),
        ("call me", "FR", ""),
        ("12", "FR", ""),
    ],
)
def test_the_number_can_be_clicked(phone: str, country: str | None, link: str) -> None:
    assert tel_link(phone, country) == link


def test_a_customer_across_the_ocean_is_called_in_their_morning_not_at_night() -> None:
    zones = zones_of_phone("+1 212 555 1234", "US")
    best = best_time(zones=zones, country="US", ours=PARIS, past=[], now=datetime(2026, 11, 30, 8, tzinfo=UTC))
    assert zones == ("America/New_York",)
    assert (best.local.hour, is_open(best.at, PARIS)) == (10, True)


def test_where_the_zone_is_not_known_it_must_be_day_in_all_of_them() -> None:
    zones = zones_of_phone("", "PT")
    assert set(zones) == {"Europe/Lisbon", "Atlantic/Azores", "Atlantic/Madeira"}
    best = best_time(zones=zones, country="PT", ours=PARIS, past=[], now=FRIDAY)
    assert best.at.hour >= 10


def test_nobody_is_called_at_lunch_and_past_calls_teach_the_hour() -> None:
    usual = best_time(zones=["Europe/Paris"], country="FR", ours=PARIS, past=[], now=FRIDAY)
    assert (usual.local.hour, usual.local.minute) == (10, 0)
    afternoons = [PastCall(FRIDAY - timedelta(days=7 * week) + timedelta(hours=7), reached=True) for week in (1, 2, 3)]
    mornings = [PastCall(FRIDAY - timedelta(days=7 * week) + timedelta(hours=1), reached=False) for week in (1, 2, 3)]
    taught = best_time(zones=["Europe/Paris"], country="FR", ours=PARIS, past=[*afternoons, *mornings], now=FRIDAY)
    assert (taught.local.hour, taught.why) == (16, "they were reached at this hour before")
    assert chance(10, mornings, "Europe/Paris") < chance(10, [], "Europe/Paris")


def test_somebody_angry_does_not_wait_for_a_better_hour() -> None:
    noon = FRIDAY + timedelta(hours=3, minutes=20)
    urgent = best_time(zones=["Europe/Paris"], country="FR", ours=PARIS, past=[], now=noon, at_once=True)
    assert urgent.at == noon
    evening = best_time(
        zones=["Europe/Paris"], country="FR", ours=PARIS, past=[], now=FRIDAY + timedelta(hours=12), at_once=True
    )
    assert evening.at == datetime(2026, 11, 30, 8, tzinfo=UTC)


def test_offices_that_never_meet_are_called_when_ours_opens() -> None:
    best = best_time(zones=["Pacific/Auckland"], country="NZ", ours=PARIS, past=[], now=FRIDAY)
    assert (best.at, best.why) == (FRIDAY, "their office hours and ours do not meet")


def test_each_outcome_has_one_key() -> None:
    assert [one.key for one in OUTCOMES.values()] == list("12345678")


@pytest.mark.parametrize(
    ("outcome", "follow", "after", "counts"),
    [
        ("reached", "playbook", timedelta(), True),
        ("voicemail", "call_again", timedelta(days=3), False),
        ("invoice_not_received", "send_copy", timedelta(), True),
        ("waiting_approval", "call_again", timedelta(days=5), True),
        ("disputes", "ask_owner", timedelta(), True),
        ("in_payment", "watch_payment", timedelta(days=5), True),
        ("promised", "keep_promise", timedelta(), True),
    ],
)
def test_each_outcome_books_the_next_step(outcome: str, follow: str, after: timedelta, counts: bool) -> None:
    next_step = after_call(outcome, tries=1, now=FRIDAY, calendar=PARIS)
    assert (next_step.follow, next_step.at, next_step.counts) == (follow, FRIDAY + after, counts)
    assert bool(next_step.needs) == (outcome == "promised")


def test_after_three_tries_we_write_instead_of_ringing_on() -> None:
    second = after_call("unreachable", tries=2, now=FRIDAY, calendar=PARIS)
    assert (second.follow, second.at) == ("call_again", add_business_time(FRIDAY, hours(3), PARIS))
    third = after_call("unreachable", tries=3, now=FRIDAY, calendar=PARIS)
    assert (third.follow, third.counts) == ("playbook", True)


def test_a_call_cannot_end_as_it_pleases() -> None:
    with pytest.raises(UnknownOutcome, match="hung_up"):
        after_call("hung_up", tries=1, now=FRIDAY, calendar=PARIS)
