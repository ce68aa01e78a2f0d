"""Events in words: who, why, before and after, in the reader's language; what is only for the program stays out."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.events import Event
from app.core.i18n import words
from app.web.history import Reader, happening
from app.web.reason_names import ReasonNames

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def reader(language: str = "en") -> Reader:
    return Reader(
        words=words(language),
        zone=ZoneInfo("Europe/Paris"),
        names={7: "Ana Silva", 8: "Bo Berg"},
        teams={3: "pricing"},
        invoices={41: ("F2026-00417", "EUR")},
        links={5: 41},
        reasons=ReasonNames(words(language)),
    )


def event(verb: str, actor: str = "user:7", *, cause: str = "", subject: str = "case", **sides: Any) -> Event:
    return Event(at=NOW, actor=actor, cause=cause, verb=verb, subject=subject, **{"subject_id": 5, **sides})


def told(one: Event, language: str = "en") -> list[tuple[str, str, str]]:
    return [(change.name, change.before, change.after) for change in happening(one, reader(language)).changes]


def test_a_change_of_owner_says_from_whom_to_whom() -> None:
    one = event("case assigned", before={"owner_id": 7, "team_id": None}, after={"owner_id": 8, "team_id": 3})
    assert told(one) == [("Owner", "Ana Silva", "Bo Berg"), ("Team", "", "Pricing")]
    nobody = event("case assigned", before={"owner_id": 7}, after={"owner_id": None})
    assert told(nobody) == [("Owner", "Ana Silva", "nobody")]


@pytest.mark.parametrize(
    ("language", "amounts", "until"),
    [
        ("en", ("€1,200.00", "€450.50"), "Fri 6 Mar 2026, 17:00"),
        ("fr", ("1\N{NARROW NO-BREAK SPACE}200,00\xa0€", "450,50\xa0€"), "ven. 6 mars 2026, 17:00"),
    ],
)
def test_amounts_and_times_are_as_the_reader_writes_them(language: str, amounts: tuple[str, str], until: str) -> None:
    moved = event("disputed money moved", before={"41": "1200.00"}, after={"41": "450.50", "movements": ["x by y"]})
    assert told(moved, language) == [("F2026-00417", *amounts)]
    waits = event("case waits", before={"waiting_until": None}, after={"waiting_until": "2026-03-06T16:00:00+00:00"})
    assert [change[1:] for change in told(waits, language)] == [("", until)]


@pytest.mark.parametrize(
    ("actor", "cause", "by", "who", "why", "place"),
    [
        ("user:7", "", "person", "Ana Silva", "", ""),
        ("user:99", "", "person", "A colleague who left", "", ""),
        ("system:intake", "message:12", "program", "Automatically", "because of a mail", "#message-12"),
        ("system:ledger", "push:4", "erp", "ERP", "because of what the ERP told", ""),
        ("token:3", "", "erp", "ERP", "", ""),
        ("customer", "rating", "person", "The customer", "", ""),
    ],
)
def test_people_the_program_and_the_erp_are_told_apart(
    actor: str, cause: str, by: str, who: str, why: str, place: str
) -> None:
    found = happening(event("case opened", actor, cause=cause), reader())
    assert (found.by, found.who, found.cause, found.place) == (by, who, why, place)


def test_what_an_event_is_about_is_named() -> None:
    assert happening(event("link confirmed", subject="link", after={"state": "confirmed"}), reader()).about == (
        "F2026-00417"
    )
    task = event("task opened", subject="task", after={"kind": "courtesy_call", "title": "Call"})
    assert (happening(task, reader()).about, told(task)) == ("Courtesy call", [])
    assert happening(event("case joined by another", after={"case_id": 9}), reader()).about == "#9"


def test_whole_cases_and_unknown_values_are_not_shown() -> None:
    kept = event("case merged", before={"case": {"state": "new"}}, after={"target_id": 9, "state": "merged"})
    assert (told(kept), happening(kept, reader()).about) == ([], "#9")
    odd = event("case waits", before={}, after={"waiting_until": "soon", "version": 3, "41": "much"})
    assert told(odd) == [("Until", "", "soon"), ("F2026-00417", "", "much")]
