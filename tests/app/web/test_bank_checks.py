"""S15 at the desk: a warning above the mail, what two people said, and no way round the second one."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from disputes.models import BankCheck, Case, Message, Task
from tests.app.web.conftest import Site
from tests.factories import a_bank_check, a_task
from tests.fixtures_db import FixedClock

NUMBER = "+33 1 42 00 00 00"
WARNING = "Do not use bank details, links or telephone numbers from it."


@pytest.fixture
def check_id(site: Site) -> int:
    with site.database.transaction() as session:
        message = session.get_one(Message, site.message_id)
        message.flags = ["payment_diversion"]
        message.new_text = "Our new IBAN is FR76 3000 1007 9412. Questions: 06 12 34 56 78"
        case = session.get_one(Case, site.case_id)
        case.flags = ["payment_diversion"]
        return a_bank_check(session, case, message, now=site.now).id


def check_of(site: Site, check_id: int) -> BankCheck:
    with site.database.transaction(read_only=True) as session:
        return session.get_one(BankCheck, check_id)


def said(site: Site, check_id: int, **fields: str) -> int:
    values = {"outcome": "genuine", "number": NUMBER, "note": "Claire Martin confirms it", **fields}
    return site.post(f"/bank-checks/{check_id}/call-back", **values).status_code


def test_the_mail_stands_under_a_warning_with_numbers_on_file_and_none_of_the_mail(site: Site, check_id: int) -> None:
    site.sign_in()
    page = site.get(f"/cases/{site.case_id}").text
    assert 'role="alert"' in page
    assert WARNING in page
    assert page.index(WARNING) < page.index('class="message-body"'), "above the mail"
    assert f'value="{NUMBER}"' in page
    assert 'value="06' not in page
    assert "Changed bank details: held for two people" in site.get("/inbox").text
    assert f"/cases/{site.case_id}" in site.get("/inbox?standing=held").text
    assert check_of(site, check_id).state == "open"


def test_the_account_page_tells_that_nothing_goes_out(site: Site, check_id: int) -> None:
    site.sign_in()
    told = "nothing goes out until two people released them"
    assert told in site.get(f"/accounts/{site.account_id}").text
    with site.database.transaction() as session:
        session.get_one(BankCheck, check_id).state = "released"
    assert told not in site.get(f"/accounts/{site.account_id}").text


def test_the_review_queue_warns_too(site: Site, check_id: int) -> None:
    with site.database.transaction() as session:
        session.get_one(Message, site.message_id).review = True
        a_task(
            session, now=site.now, case=session.get_one(Case, site.case_id), kind="review", message_id=site.message_id
        )
    site.sign_in()
    assert WARNING in site.get("/review").text
    assert check_of(site, check_id).state == "open"


def test_two_people_at_the_desk_release_it_and_one_cannot(site: Site, check_id: int) -> None:
    site.sign_in("Ana Silva", role="admin")
    assert said(site, check_id) == 303
    page = site.get(f"/cases/{site.case_id}").text
    assert "it cannot be you" in page
    assert f"/bank-checks/{check_id}/confirmation" not in page
    answer = site.post(f"/bank-checks/{check_id}/confirmation", note="Me again")
    assert (answer.status_code, check_of(site, check_id).state) == (303, "asked")
    assert "somebody else must confirm it" in site.get(f"/cases/{site.case_id}").text
    site.sign_in("Ben Roth")
    assert "Confirm: it is genuine, release it" in site.get(f"/cases/{site.case_id}").text
    assert site.post(f"/bank-checks/{check_id}/confirmation", note="I know her voice").status_code == 303
    released = check_of(site, check_id)
    assert (released.state, released.second_note) == ("released", "I know her voice")
    page = site.get(f"/cases/{site.case_id}").text
    assert WARNING not in page
    assert "Bank details: released by two people" in page
    assert "Claire Martin confirms it" in page


def test_who_waits_for_a_second_person_is_listed_with_the_things_to_do(site: Site, check_id: int) -> None:
    site.sign_in("Ana Silva")
    said(site, check_id)
    site.sign_in("Ben Roth")
    page = site.get("/tasks?whose=all&kind=bank_confirm").text
    assert "Changed bank details: confirm as second person" in page
    assert "Second person needed" in site.get("/tasks").text
    with site.database.transaction(read_only=True) as session:
        task_id = session.scalars(select(Task.id).where(Task.kind == "bank_confirm")).one()
    place = site.get(f"/tasks/{task_id}").headers["location"]
    assert place == f"/cases/{site.case_id}#bank-check-{check_id}"
    assert site.post(f"/tasks/{task_id}/done", back="/tasks").headers["location"] == place
    assert check_of(site, check_id).state == "asked", "it cannot be ticked off"


def test_before_the_cooling_off_is_over_nobody_releases(site: Site, check_id: int, clock: FixedClock) -> None:
    with site.database.transaction() as session:
        session.get_one(BankCheck, check_id).cool_until = site.now + timedelta(hours=3)
    site.sign_in("Ana Silva")
    said(site, check_id)
    site.sign_in("Ben Roth")
    assert "Cooling off" in site.get(f"/cases/{site.case_id}").text
    site.post(f"/bank-checks/{check_id}/confirmation")
    assert check_of(site, check_id).state == "asked"
    assert "the cooling-off is not over" in site.get(f"/cases/{site.case_id}").text
    clock.advance(timedelta(hours=3))
    site.post(f"/bank-checks/{check_id}/confirmation")
    assert check_of(site, check_id).state == "released"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"number": "other", "other": "06 12 34 56 78", "source": "the mail"}, "Choose the number that was called."),
        ({"number": ""}, "Choose the number that was called."),
        ({"note": "  "}, "Say whom you spoke to"),
    ],
)
def test_what_cannot_be_believed_comes_back_with_the_form(
    site: Site, check_id: int, fields: dict[str, str], told: str
) -> None:
    site.sign_in()
    answer = site.post(
        f"/bank-checks/{check_id}/call-back",
        **{"outcome": "genuine", "number": NUMBER, "note": "She says yes", **fields},
    )
    assert answer.status_code == 422
    assert told in answer.text
    assert fields.get("other", "") in answer.text
    assert check_of(site, check_id).state == "open"


def test_a_fraud_is_shown_with_the_senders_other_mails(site: Site, check_id: int) -> None:
    site.sign_in("Ana Silva")
    said(site, check_id, outcome="fraud", number="", note="Nobody there wrote this")
    site.sign_in("Ben Roth")
    site.post(f"/bank-checks/{check_id}/confirmation")
    page = site.get(f"/cases/{site.case_id}").text
    assert "This mail is a fraud." in page
    assert "Do not answer this mail" in page
    assert "Fraud: warn the customer" in site.get("/tasks?whose=all").text


def test_who_disagrees_says_why(site: Site, check_id: int) -> None:
    site.sign_in("Ana Silva")
    said(site, check_id)
    site.sign_in("Ben Roth")
    answer = site.post(f"/bank-checks/{check_id}/return", note="")
    assert (answer.status_code, "Say why you do not agree." in answer.text) == (422, True)
    assert site.post(f"/bank-checks/{check_id}/return", note="Private number").status_code == 303
    assert check_of(site, check_id).state == "open"
    assert "Private number" in site.get(f"/cases/{site.case_id}").text


def test_a_colleague_holds_a_mail_the_program_saw_nothing_in(site: Site) -> None:
    site.sign_in()
    assert WARNING not in site.get(f"/cases/{site.case_id}").text
    assert site.post(f"/cases/{site.case_id}/bank-checks", message=str(site.message_id)).status_code == 303
    page = site.get(f"/cases/{site.case_id}").text
    assert WARNING in page
    assert "A colleague doubts it." in page


def test_a_second_press_and_a_stale_page_are_told(site: Site, check_id: int) -> None:
    site.sign_in("Ana Silva")
    said(site, check_id)
    assert said(site, check_id, note="Once more") == 303
    assert "The check stands otherwise by now." in site.get(f"/cases/{site.case_id}").text
    assert check_of(site, check_id).note == "Claire Martin confirms it"
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        a_task(session, now=site.now, case=case, kind="warn_customer")
    assert f"#bank-check-{check_id}" in site.get(f"/cases/{site.case_id}").text


def test_in_french(site: Site, check_id: int) -> None:
    site.sign_in(language="fr")
    page = site.get(f"/cases/{site.case_id}").text
    assert "N'utilisez ni les coordonnées bancaires, ni les liens, ni les numéros de téléphone" in page.replace(
        "&#39;", "'"
    ).replace("\u2019", "'")
    assert WARNING not in page
    assert check_of(site, check_id).state == "open"
