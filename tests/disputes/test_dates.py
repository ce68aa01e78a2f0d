from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.dates import find_days
from disputes.tokens import tokenize

SENT = date(2026, 10, 7)  # a Wednesday


def days(text: str, sent: date = SENT) -> list[str]:
    return [str(mention.day) for mention in find_days(tokenize(text), sent)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("will be paid on 31 October", "2026-10-31"),
        ("will be paid on October 31", "2026-10-31"),
        ("you'll have it on the 28th", "2026-10-28"),
        ("in the post on Thursday 22nd October", "2026-10-22"),
        ("we'll pay on Friday", "2026-10-09"),
        ("it's in for Friday week", "2026-10-16"),
        ("you will have it tomorrow", "2026-10-08"),
        ("by the end of the month", "2026-10-31"),
        ("within 10 days", "2026-10-17"),
        ("je vous vire tout le 24", "2026-10-24"),
        ("virement programmé au 1er novembre", "2026-11-01"),
        ("chez vous samedi au plus tard", "2026-10-10"),
        ("les deux partent mercredi 14", "2026-10-14"),
        ("règlement fin novembre", "2026-11-30"),
        ("sous 8 jours", "2026-10-15"),
        ("demain sans faute, aujourd'hui non", "2026-10-08"),
        ("überweise ich am 30.", "2026-10-30"),
        ("mit der Zahlung am 15.10. mit", "2026-10-15"),
        ("bis spätestens 15.11.2026", "2026-11-15"),
        ("Ende Oktober", "2026-10-31"),
        ("der Rest folgt am 30. Oktober", "2026-10-30"),
        ("una sale el 2 de noviembre", "2026-11-02"),
        ("pagamos el martes 13", "2026-10-13"),
        ("la paghiamo il 23 di questo mese", "2026-10-23"),
        ("l'avrete giovedì 15 ottobre", "2026-10-15"),
        ("uiterlijk 8 november", "2026-11-08"),
        ("ten laatste vrijdag 16 oktober", "2026-10-16"),
        ("einde van de maand", "2026-10-31"),
        ("on 3 February", "2027-02-03"),
        ("on run of 23/10", "2026-10-23"),
        ("dated 2026-09-01", "2026-09-01"),
        ("your mail of 3 September", "2026-09-03"),
        ("Zahlung Ende KW 45", "2026-11-06"),
        ("Zahlung in KW 42", "2026-10-16"),
        ("betaling in week 44", "2026-10-30"),
        ("règlement semaine 43", "2026-10-23"),
        ("in KW 2", "2027-01-15"),
        ("am 16.10. beglichen", "2026-10-16"),
        ("der Rest folgt am 30. Oktober bei Ihnen", "2026-10-30"),
        ("le paghiamo venerdì prossimo", "2026-10-16"),
        ("nächsten Mittwoch", "2026-10-14"),
        ("am kommenden Freitag", "2026-10-09"),
        ("el viernes que viene", "2026-10-16"),
        ("volgende week woensdag", "2026-10-14"),
        ("nächste Woche Mittwoch", "2026-10-14"),
        ("mercredi de la semaine prochaine", "2026-10-14"),
        ("el miércoles de la semana que viene", "2026-10-14"),
        ("mercoledì della prossima settimana", "2026-10-14"),
        ("Wednesday of next week", "2026-10-14"),
        ("la semana que viene", "2026-10-16"),
        ("end of next week", "2026-10-16"),
        ("diese Woche noch", "2026-10-09"),
        ("on the 10/22 check", "2026-10-22"),
        ("pasado mañana", "2026-10-09"),
        ("après-demain", "2026-10-09"),
        ("mañana por la mañana", "2026-10-08"),
        ("heute Morgen", "2026-10-07"),
        ("in a fortnight", "2026-10-21"),
        ("ci date altri dieci giorni", "2026-10-17"),
        ("noch zehn Tage", "2026-10-17"),
        ("a metà mese", "2026-10-15"),
        ("Mitte des Monats", "2026-10-15"),
        ("eerste week van november", "2026-11-06"),
        ("avec la campagne du 15", "2026-10-15"),
        ("mit dem Zahllauf vom 15.", "2026-10-15"),
        ("in our run of the 15th", "2026-10-15"),
        ("payment mid November", "2026-11-15"),
        ("Zahlung Mitte November", "2026-11-15"),
        ("virement mi-novembre", "2026-11-15"),
        ("a mediados de noviembre", "2026-11-15"),
        ("half november", "2026-11-15"),
        ("in two weeks", "2026-10-21"),
        ("dans 2 semaines", "2026-10-21"),
        ("in zwei Wochen", "2026-10-21"),
        ("over twee weken", "2026-10-21"),
        ("in 10 days", "2026-10-17"),
        ("fra 10 giorni", "2026-10-17"),
        ("next week", "2026-10-16"),
        ("la semaine prochaine", "2026-10-16"),
        ("nächste Woche", "2026-10-16"),
        ("la próxima semana", "2026-10-16"),
        ("volgende week", "2026-10-16"),
        ("end of next month", "2026-11-30"),
        ("fin du mois prochain", "2026-11-30"),
        ("Ende nächsten Monats", "2026-11-30"),
        ("a finales del mes que viene", "2026-10-31"),
    ],
)
def test_a_day_is_resolved_as_six_languages_write_it(text: str, day: str) -> None:
    assert days(text)[0] == day


def test_a_day_of_the_year_just_past_is_not_next_year() -> None:
    assert days("the delivery of 20 December", date(2027, 1, 5)) == ["2026-12-20"]
    assert days("will be paid on 5 January", date(2026, 12, 20)) == ["2027-01-05"]


@pytest.mark.parametrize(
    "text", ["30 February", "the 3rd reminder", "45 days", "12 pallets", "31.02.2026", "page 4 of 9", "week 60"]
)
def test_what_is_no_day_is_not_taken_for_one(text: str) -> None:
    assert days(text) == []


@given(st.text(max_size=200), st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_no_text_breaks_the_reading_of_days(text: str, sent: date) -> None:
    tokens = tokenize(text)
    assert all(0 <= m.first < m.last <= len(tokens) for m in find_days(tokens, sent))


@given(
    st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 12, 31)),
    st.sampled_from(["%d/%m/%Y", "%d.%m.%Y", "%Y-%m-%d"]),
)
def test_every_written_out_day_is_read_back(day: date, form: str) -> None:
    assert days(f"on {day.strftime(form)}") == [str(day)]
