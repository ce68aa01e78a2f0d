"""The worklist, call sheets, credits, proofs of delivery and calendars, as pages and forms."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select

from app.core.events import Event
from app.core.i18n import LANGUAGES
from disputes.models import Approval, Attachment, Case, Note, Promise, Task
from tests.app.web.conftest import SAME_ORIGIN, Site
from tests.factories import a_case, a_task, a_team


def task(site: Site, kind: str = "courtesy_call", **values: Any) -> int:
    """An open task of the site's case, its own by id."""
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        given = {"due_at": site.now + timedelta(hours=2), **values}
        return a_task(session, now=site.now, case=case, kind=kind, **given).id


def credit(site: Site, asked_by: int, *, needed: int = 1) -> int:
    money = {"amount": "250.00", "currency": "EUR", "why": "Agreed price", "asked_by": asked_by, "needed": needed}
    return task(site, "approve_credit", payload=money)


def kept(site: Site, number: int) -> Task:
    with site.database.transaction(read_only=True) as session:
        return session.get_one(Task, number)


def test_what_is_mine_is_listed_the_late_ones_first_and_counted(site: Site) -> None:
    ana = site.sign_in()
    late = task(site, assignee_id=ana.id, due_at=site.now - timedelta(hours=3), payload={"wish": "Ring me at ten"})
    today = task(site, "answer", assignee_id=ana.id)
    others = task(site, "mention")
    page = site.get("/tasks").text
    assert page.index(f'id="task-{late}"') < page.index(f'id="task-{today}"')
    assert f'id="task-{others}"' not in page
    for words in ("Late", "Today", "Call back, as they asked", "Ring me at ten", "Boulangerie Keller", "3h late"):
        assert words in page
    assert '<span class="count is-hot">2</span>' in page
    everybody = site.get("/tasks?whose=all").text
    assert f'id="task-{others}"' in everybody
    assert f'id="task-{late}"' not in site.get("/tasks?whose=all&kind=mention").text
    assert f'id="task-{today}"' not in site.get("/tasks?due=overdue").text


def test_an_empty_list_says_why_and_what_to_do(site: Site) -> None:
    with site.database.transaction() as session:
        team_id = a_team(session, "collections").id
    site.sign_in(team_id=team_id)
    assert "Nothing is waiting for you" in site.get("/tasks").text
    task(site, team_id=team_id)
    assert "Your team has 1 task" in site.get("/tasks").text
    assert "No task fits these filters" in site.get("/tasks?kind=letter").text


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("courtesy_call", "/calls/{task}"),
        ("approve_credit", "/approvals/{task}"),
        ("check_delivery", "/deliveries/{task}"),
        ("review", "/review"),
        ("answer", "/cases/{case}"),
    ],
)
def test_each_kind_is_done_at_its_place(site: Site, kind: str, place: str) -> None:
    site.sign_in()
    number = task(site, kind)
    answer = site.get(f"/tasks/{number}")
    assert (answer.status_code, answer.headers["location"]) == (303, place.format(task=number, case=site.case_id))


def test_a_task_is_taken_ticked_off_and_opened_again(site: Site) -> None:
    ana = site.sign_in()
    number = task(site, "answer")
    site.post(f"/tasks/{number}/taking", who="me", back="/tasks?whose=all")
    assert kept(site, number).assignee_id == ana.id
    answer = site.post(f"/tasks/{number}/done", back="/tasks")
    assert answer.headers["location"] == "/tasks"
    assert (kept(site, number).state, kept(site, number).outcome) == ("done", "done by hand")
    page = site.get("/tasks").text
    assert "Done." in page
    assert f'action="/tasks/{number}/reopening"' in page
    assert site.post(f"/tasks/{number}/done", back="/tasks").status_code == 303, "twice is harmless"
    site.post(f"/tasks/{number}/reopening", back="/tasks")
    assert kept(site, number).state == "open"
    site.post(f"/tasks/{number}/taking", who="nobody")
    assert kept(site, number).assignee_id is None


def test_what_has_its_own_page_is_not_simply_ticked_off(site: Site) -> None:
    ana = site.sign_in()
    number = credit(site, ana.id)
    assert site.post(f"/tasks/{number}/done").headers["location"] == f"/approvals/{number}"
    assert kept(site, number).state == "open"
    assert site.post(f"/tasks/{number}/reopening").status_code == 409
    decision = task(site, "owner_answer")
    assert site.post(f"/tasks/{decision}/done").headers["location"] == f"/cases/{site.case_id}"
    assert kept(site, decision).state == "open", "what needs a decision ends with it"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_the_readers_language(site: Site, language: str) -> None:
    ana = site.sign_in(language=language, role="lead")
    pages = (
        f"/calls/{task(site, payload={'wish': 'Now', 'phone': '01 42 68 53 00'})}",
        f"/approvals/{credit(site, ana.id, needed=2)}",
        f"/deliveries/{task(site, 'check_delivery', payload={'note': 'Which day?'})}",
        f"/cases/{site.case_id}/credit",
        "/tasks?whose=all",
        "/calendar",
    )
    for page in pages:
        answer = site.get(page)
        assert answer.status_code == 200, page
        assert f'<html lang="{language}"' in answer.text


def test_the_sheet_says_the_number_the_script_and_what_follows_each_outcome(site: Site) -> None:
    site.sign_in()
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).language = "fr"
    page = site.get(f"/calls/{task(site, payload={'wish': 'Appelez-moi à 10h', 'phone': '01 42 68 53 00'})}").text
    assert 'href="tel:+33-1-42-68-53-00"' in page
    assert "Appelez-moi à 10h" in page
    assert "Bonjour Claire Martin, Ana Silva, de Lumora FR01." in page
    assert '<dd lang="fr">' in page
    assert [f'data-key="{key}"' in page for key in "12345678"] == [True] * 8
    assert "call again <time" in page
    assert 'name="disputes" value="quantity"' in page


def test_an_outcome_books_what_follows_and_goes_on_to_the_next_call(site: Site) -> None:
    ana = site.sign_in()
    first = task(site, assignee_id=ana.id, due_at=site.now - timedelta(hours=2))
    with site.database.transaction() as session:
        account_case = session.get_one(Case, site.case_id)
        other = a_case(session, None, now=site.now, entity_id=account_case.entity_id, account_id=site.account_id)
        second = a_task(session, now=site.now, case=other, kind="courtesy_call", assignee_id=ana.id).id
    answer = site.post(f"/calls/{first}/outcome", outcome="voicemail", note="Front desk")
    assert answer.headers["location"] == f"/tasks/{second}"
    page = site.get(f"/calls/{second}").text
    assert "Call noted; the next one is booked." in page
    assert f'action="/calls/{first}/undoing"' in page
    assert "Front desk" in page, "what was said before is on the next sheet"
    assert site.post(f"/calls/{first}/outcome", outcome="reached").status_code == 303, "a key pressed twice"
    assert kept(site, first).outcome == "voicemail"
    assert site.post(f"/calls/{first}/undoing").headers["location"] == f"/calls/{first}"
    assert kept(site, first).state == "open"
    with site.database.transaction(read_only=True) as session:
        assert session.scalars(select(Note)).all() == []


def test_a_promise_is_noted_as_it_is_typed_and_a_bad_one_comes_back_with_the_form(site: Site) -> None:
    site.sign_in(language="fr")
    number = task(site)
    path = f"/calls/{number}/outcome"
    for day, amount in (("", "100"), ("yesterday", "100"), ("2026-01-01", "100"), ("2026-03-06", "a lot"),
                        ("2026-03-06", ""), ("2026-03-06", "-5")):  # fmt: skip
        refused = site.post(path, outcome="promised", day=day, amount=amount, note="Dit-elle")
        assert refused.status_code == 422, (day, amount)
        assert "Dit-elle" in refused.text
        assert 'id="promise-menu" open' in refused.text
    assert site.post(path, outcome="hung_up").status_code == 422
    assert site.post(path, outcome="promised", day="2026-03-06", amount="1 200,50").status_code == 303
    with site.database.transaction(read_only=True) as session:
        promise = session.scalars(select(Promise)).one()
        assert (promise.amount, promise.currency, promise.date.isoformat()) == (Decimal("1200.50"), "EUR", "2026-03-06")
    assert site.case().state == "waiting"
    page = site.get(f"/accounts/{site.account_id}").text
    assert "Promesse" in page


def test_what_they_dispute_is_told_in_two_keys(site: Site) -> None:
    site.sign_in()
    site.post(f"/calls/{task(site)}/outcome", disputes="quantity")
    assert (site.case().kind, site.case().reason) == ("dispute", "quantity")


def test_a_call_is_not_undone_after_something_else_happened(site: Site) -> None:
    site.sign_in()
    number = task(site)
    site.post(f"/calls/{number}/outcome", outcome="reached")
    site.post(f"/cases/{site.case_id}/owner", owner="me")
    answer = site.post(f"/calls/{number}/undoing")
    assert answer.headers["location"] == f"/cases/{site.case_id}"
    assert "Something else happened" in site.get(answer.headers["location"]).text
    assert kept(site, number).outcome == "reached"


def test_c_on_a_case_opens_its_call(site: Site) -> None:
    site.sign_in()
    page = site.get(f"/cases/{site.case_id}").text
    assert f'action="/cases/{site.case_id}/calls"' in page
    answer = site.post(f"/cases/{site.case_id}/calls")
    assert answer.headers["location"].startswith("/calls/")
    assert site.post(f"/cases/{site.case_id}/calls").headers["location"] == answer.headers["location"]


def test_a_credit_is_asked_for_and_approved_by_somebody_else(site: Site) -> None:
    site.sign_in()
    page = site.get(f"/cases/{site.case_id}/credit").text
    assert "Up to €1,000.00 in all for a case one person approves it" in page
    path = f"/cases/{site.case_id}/credit"
    for fields in ({"amount": "no", "why": "x"}, {"amount": "5000", "why": "x"}, {"amount": "5", "why": " "}):
        refused = site.post(path, currency="EUR", **fields)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert site.post(path, amount="250.00", currency="EUR", why="Agreed price").status_code == 303
    with site.database.transaction(read_only=True) as session:
        number = session.scalars(select(Task.id).where(Task.kind == "approve_credit")).one()
    own = site.get(f"/approvals/{number}").text
    assert "You asked for this credit" in own
    assert 'value="approve"' not in own
    assert site.post(f"/approvals/{number}/vote", decision="approve").status_code == 403

    site.sign_in("Lea Roth", role="lead")
    assert "Agreed price" in site.get(f"/approvals/{number}").text
    site.post(f"/approvals/{number}/vote", decision="approve", note="Fine")
    assert kept(site, number).outcome == "granted"
    assert "Credit granted" in site.get(f"/cases/{site.case_id}").text
    assert "A credit of €250.00 may be offered" in site.get(f"/calls/{task(site)}").text


def test_a_large_credit_shows_who_said_yes_and_waits_for_another(site: Site) -> None:
    number = credit(site, site.sign_in("Ben Hart").id, needed=2)
    for name in ("Lea Roth", "Otto Klein"):
        site.sign_in(name, role="lead")
        assert site.post(f"/approvals/{number}/vote", decision="approve").status_code == 303
        assert site.post(f"/approvals/{number}/vote", decision="approve").status_code == 303, "twice is harmless"
        page = site.get(f"/approvals/{number}").text
        assert "Lea Roth" in page
        assert ("one more person" in page) is (name == "Lea Roth")
    with site.database.transaction(read_only=True) as session:
        assert len(session.scalars(select(Approval)).all()) == 2
    assert kept(site, number).outcome == "granted"


def test_a_proof_of_delivery_is_asked_for_and_handed_in(site: Site) -> None:
    site.sign_in()
    assert site.post(f"/cases/{site.case_id}/proof", note="They say nothing came").status_code == 303
    with site.database.transaction(read_only=True) as session:
        number = session.scalars(select(Task.id).where(Task.kind == "check_delivery")).one()
    page = site.get(f"/deliveries/{number}").text
    assert "They say nothing came" in page
    assert "F2026-00417" in page

    def upload(name: str, content: bytes) -> int:
        files = {"document": (name, content, "application/pdf")}
        answer = site.client.post(
            f"/deliveries/{number}/document", files=files, data={"note": "Signed"}, headers=SAME_ORIGIN
        )
        return answer.status_code

    assert upload("a.exe", b"MZ") == 422
    assert upload("empty.pdf", b"") == 422
    assert site.post(f"/deliveries/{number}/absence", note=" ").status_code == 422
    site.sign_in("Greta Weber", entities=("DE01",))
    assert upload("bl.pdf", b"%PDF") == 404
    site.sign_in("Nora Haskell")
    assert upload("bl.pdf", b"%PDF signed") == 303
    assert upload("bl.pdf", b"%PDF signed") == 303, "twice is harmless"
    with site.database.transaction(read_only=True) as session:
        assert session.scalars(select(Attachment.filename)).all() == ["bl.pdf"]
    page = site.get(f"/cases/{site.case_id}").text
    assert "bl.pdf" in page
    assert "Document handed in" in page


def test_that_there_is_no_proof_is_told_too(site: Site) -> None:
    site.sign_in()
    number = task(site, "check_delivery")
    assert site.post(f"/deliveries/{number}/absence", note="Asked the carrier").status_code == 303
    assert kept(site, number).outcome == "not found"
    assert "None was found." in site.get(f"/deliveries/{number}").text


def test_a_calendar_holds_my_tasks_in_my_language_and_dies_with_its_address(site: Site) -> None:
    ana = site.sign_in(language="fr")
    assert ".ics" not in site.get("/calendar").text
    mine = task(site, assignee_id=ana.id)
    task(site, "answer", assignee_id=None)
    site.post("/calendar/renewal", back="")
    page = site.get("/calendar").text
    address = page.split('readonly value="', 1)[1].split('"', 1)[0]
    path = address.removeprefix("http://127.0.0.1:8000")
    site.client.cookies.clear()

    answer = site.get(path)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.content)
    (event,) = calendar.walk("VEVENT")
    assert event["uid"] == f"task-{mine}@127.0.0.1"
    assert str(event["summary"]).startswith("Appel")
    assert event.decoded("dtstart") == site.now + timedelta(hours=2)
    assert str(event["url"]) == f"http://127.0.0.1:8000/tasks/{mine}"
    assert "claire" not in answer.text.lower(), "no customer's person in it"
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n")), "folded as RFC 5545 asks"

    for wrong in ("/calendar/1.ics", "/calendar/x-y.ics", f"/calendar/{ana.id}-.ics", path.replace(".ics", "x.ics"),
                  f"/calendar/{'9' * 30}-a.ics", f"/calendar/{ana.id}-é.ics"):  # fmt: skip
        assert site.get(wrong).status_code == 404, wrong
    site.sign_in("Ben Hart")
    with site.database.transaction(read_only=True) as session:
        told = session.scalars(select(Event).where(Event.verb == "calendar address renewed")).one()
        assert told.subject_id == ana.id
        assert path[-20:-4] not in str(told.after)


def test_a_renewed_address_kills_the_old_one_and_ending_kills_both(site: Site) -> None:
    site.sign_in()

    def address() -> str:
        return site.get("/calendar").text.split('readonly value="', 1)[1].split('"', 1)[0].partition("8000")[2]

    site.post("/calendar/renewal", back="")
    old = address()
    assert site.get(old).status_code == 200
    site.post("/calendar/renewal", back="")
    new = address()
    assert [site.get(path).status_code for path in (old, new)] == [404, 200]
    site.post("/calendar/ending", back="")
    assert site.get(new).status_code == 404
    assert "Give me an address" in site.get("/calendar").text
