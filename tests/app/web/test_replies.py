"""Answers from the case page: kept, begun with a template, sent, stopped, taken back; who else is there (U12-U18)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core.events import Event, user_actor
from disputes import tone
from disputes.actions import notes, outbox
from disputes.models import Case, Draft, Message, Outgoing
from tests.app.web.conftest import SAME_ORIGIN, Site
from tests.factories import a_case, a_message, a_user
from tests.fixtures_db import FixedClock

BODY = "Hello Claire,\r\n\r\nWe look into it."


def fields(site: Site, **changes: str) -> dict[str, str]:
    """The composer as the page gives it, with what a person types."""
    page = site.get(f"/cases/{site.case_id}/reply").text
    given = {name: hidden(page, name) for name in ("version", "event", "saved")}
    typed = {"to": "claire@customer.example", "subject": "Re: Wrong price", "body": BODY, "quote": "true"}
    return {**given, **typed, **changes}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


def path(site: Site, rest: str = "reply") -> str:
    return f"/cases/{site.case_id}/{rest}"


def mails(site: Site) -> list[Outgoing]:
    with site.database.transaction(read_only=True) as session:
        return list(session.scalars(select(Outgoing).order_by(Outgoing.id)))


def draft_of(site: Site) -> Draft | None:
    with site.database.transaction(read_only=True) as session:
        return session.scalar(select(Draft))


def test_an_empty_composer_knows_whom_to_answer_and_how_the_mail_will_end(site: Site) -> None:
    site.sign_in()
    page = site.get(path(site)).text
    assert 'name="to" value="claire@customer.example"' in page
    assert 'name="subject" value="Re: Wrong price"' in page
    assert "Kind regards,\nAna Silva\nLumora FR01" in page
    assert "&gt; The price of F2026-00417 is &lt;wrong&gt;." in page
    assert "Suggested: Status report" in page
    assert draft_of(site) is None


def test_u14_what_is_typed_is_kept_and_comes_back_on_any_page(site: Site) -> None:
    site.sign_in()
    saved = site.post(path(site, "draft"), **fields(site, cc="bob@customer.example; eva@customer.example"))
    assert saved.status_code == 303
    state = site.get(saved.headers["location"]).text
    assert "Saved at" in state
    assert "bob@customer.example has not written in this case" in state
    page = site.get(path(site)).text
    assert "Hello Claire,\n\nWe look into it.</textarea>" in page
    assert 'value="bob@customer.example, eva@customer.example"' in page
    assert "You have a draft here" in site.get(path(site, "presence")).text
    drafts = site.get("/drafts").text
    assert f'href="{path(site)}"' in drafts
    assert "We look into it." in drafts
    site.sign_in("Bea Rossi")
    assert "No answer is begun" in site.get("/drafts").text


def test_u14_another_tab_is_not_overwritten_and_what_was_sent_does_not_come_back_as_a_draft(
    site: Site, clock: FixedClock
) -> None:
    site.sign_in()
    old = fields(site)
    site.post(path(site, "draft"), **old)
    late = site.post(path(site, "draft"), **{**old, "body": "From the older tab"})
    assert "was changed, sent or thrown away in another tab" in site.get(late.headers["location"]).text
    assert (draft_of(site) or Draft()).body.startswith("Hello")
    clock.advance(timedelta(seconds=5))
    newest = fields(site)
    site.post(path(site), **newest)
    assert draft_of(site) is None
    late = site.post(path(site, "draft"), **newest)
    assert "in another tab" in site.get(late.headers["location"]).text
    assert draft_of(site) is None


def test_u12_an_answer_leaves_in_ten_seconds_in_its_thread_and_comes_back_as_the_draft_it_was(site: Site) -> None:
    site.sign_in()
    sent = site.post(path(site), **fields(site))
    assert (sent.status_code, sent.headers["location"]) == (303, f"/cases/{site.case_id}")
    (mail,) = mails(site)
    assert mail.not_before == site.now + timedelta(seconds=10)
    assert site.enqueued == [("send", mail.id)]
    assert mail.body.startswith("Hello Claire,\n\nWe look into it.\n\nKind regards,\nAna Silva")
    page = site.get(f"/cases/{site.case_id}").text
    assert "Answer leaves in ten seconds." in page
    assert f'action="/mails/{mail.id}/return"' in page
    back = site.post(f"/mails/{mail.id}/return")
    assert back.headers["location"] == path(site)
    assert mails(site)[0].state == "cancelled"
    assert "We look into it.</textarea>" in site.get(path(site)).text


@pytest.mark.parametrize("saved_before", [True, False])
def test_pressing_twice_sends_once(site: Site, *, saved_before: bool) -> None:
    site.sign_in()
    form = fields(site)
    if saved_before:
        site.post(path(site, "draft"), **form)
        form = fields(site)
    assert site.post(path(site), **form).status_code == 303
    assert site.post(path(site), **form).status_code == (303 if saved_before else 422)
    assert len(mails(site)) == 1


def test_an_older_tab_sends_nothing_over_a_newer_one(site: Site, clock: FixedClock) -> None:
    site.sign_in()
    old = fields(site)
    site.post(path(site, "draft"), **old)
    stopped = site.post(path(site), **{**old, "body": "From the older tab"})
    assert stopped.status_code == 422
    assert "in another tab" in stopped.text
    assert mails(site) == []
    clock.advance(timedelta(seconds=1))
    seen = {name: hidden(stopped.text, name) for name in ("version", "event", "saved")}
    assert site.post(path(site), **{**old, **seen, "body": "From the older tab"}).status_code == 303
    assert mails(site)[0].body.startswith("From the older tab")


def test_u12_what_has_left_stays_sent(site: Site) -> None:
    site.sign_in()
    site.post(path(site), **fields(site))
    (mail,) = mails(site)
    with site.database.transaction() as session:
        outbox.claim(session, worker="w", now=mail.not_before, outbox_id=mail.id)
    assert site.post(f"/mails/{mail.id}/return").headers["location"] == f"/cases/{site.case_id}"
    assert "Too late: the answer has left already." in site.get(f"/cases/{site.case_id}").text
    assert draft_of(site) is None


def test_u13_one_command_sends_and_closes_and_undo_opens_again(site: Site) -> None:
    site.sign_in()
    sent = site.post(path(site), **fields(site, then="close", resolution="answered"))
    assert sent.headers["location"] == "/inbox"
    assert (site.case().state, site.case().resolution) == ("closed", "answered")
    assert mails(site)[0].kind == "reply_keep"
    site.post(f"/mails/{mails(site)[0].id}/return", reopen="true")
    assert site.case().state == "in_progress"
    assert draft_of(site) is not None


def news(site: Site) -> None:
    """A colleague notes something while the answer is written."""
    with site.database.transaction() as session:
        bea = a_user(session, "Bea Rossi", now=site.now)
        notes.add_note(session, case_id=site.case_id, text="Wait!", actor=user_actor(bea.id), now=site.now)


def test_u18_nothing_is_sent_over_a_changed_case_until_the_change_was_seen(site: Site) -> None:
    site.sign_in()
    form = fields(site)
    news(site)
    state = site.post(path(site, "draft"), **form).headers["location"]
    assert "The case changed while you wrote:" in site.get(state).text
    form["saved"] = hidden(site.get(path(site)).text, "saved")
    stopped = site.post(path(site), **form)
    assert stopped.status_code == 422
    assert "The case changed while you wrote:</strong> Note written." in stopped.text
    assert "We look into it.</textarea>" in stopped.text
    assert mails(site) == []
    seen = {name: hidden(stopped.text, name) for name in ("version", "event", "saved")}
    assert site.post(path(site), **{**form, **seen}).status_code == 303
    assert len(mails(site)) == 1


def test_u18_ones_own_note_does_not_stop_ones_own_answer(site: Site) -> None:
    site.sign_in()
    form = fields(site)
    site.post(f"/cases/{site.case_id}/notes", text="I answer them now")
    assert site.post(path(site), **form).status_code == 303


HARSH = "You failed to send the form."


def test_harsh_words_are_shown_with_a_gentler_way_and_sent_only_knowingly(site: Site) -> None:
    site.sign_in()
    form = fields(site, body=HARSH)
    state = site.get(site.post(path(site, "draft"), **form).headers["location"]).text
    assert "This blames the customer." in state
    form = fields(site, body=HARSH)
    stopped = site.post(path(site), **form)
    assert stopped.status_code == 422
    assert 'data-flag="You failed to"' in stopped.text
    assert mails(site) == []
    mark = tone.mark_of(tone.check(HARSH, "en"))
    other = fields(site, body=f"{HARSH} That is our policy.", knowingly=mark)
    assert site.post(path(site), **other).status_code == 422
    assert site.post(path(site), **fields(site, body=HARSH, knowingly=mark)).status_code == 303
    with site.database.transaction(read_only=True) as session:
        written = session.scalars(select(Event).where(Event.verb == "answer written")).one()
    assert (written.after or {})["tone"] == [{"kind": "blame", "text": "You failed to"}]


@pytest.mark.parametrize("kind", ["acknowledgement", "status", "question", "resolution", "apology"])
def test_a_template_begins_the_answer_and_keeps_what_was_typed(site: Site, kind: str) -> None:
    site.sign_in()
    answer = site.post(path(site, "draft/words"), **fields(site, body="A line of my own.", kind=kind))
    assert answer.status_code == 303
    draft = draft_of(site)
    assert draft is not None
    assert draft.body.startswith("Hello Claire Martin,")
    assert draft.body.endswith("A line of my own.\n")
    site.post(path(site, "draft/words"), **fields(site, body=draft.body, kind=kind))
    assert (draft_of(site) or Draft()).body.count("Hello Claire") == 1


def test_the_outcome_is_the_one_chosen_and_another_takes_its_place(site: Site) -> None:
    site.sign_in()
    body = ""
    for way, words in (("accepted", "We credit you €1,200.00"), ("rejected", "stays as it was invoiced")):
        site.post(path(site, "draft/words"), **fields(site, body=body, kind="resolution", resolution=way))
        body = (draft_of(site) or Draft()).body
        assert words in body
    assert "We credit you" not in body
    assert body.count("Hello Claire") == 1


def test_templates_speak_the_customers_language(site: Site) -> None:
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).language = "fr"
    site.sign_in()
    site.post(path(site, "draft/words"), **fields(site, body="", kind="status"))
    assert "Bonjour Claire Martin," in (draft_of(site) or Draft()).body
    assert site.post(path(site, "draft/words"), **fields(site, kind="verdict")).status_code == 422


def upload(site: Site, *files: tuple[str, bytes]) -> Any:
    parts = [("files", (name, content, "text/plain")) for name, content in files]
    return site.client.post(path(site, "draft/files"), files=parts, headers=SAME_ORIGIN)


def test_files_go_with_the_answer_and_come_out_again(site: Site) -> None:
    site.sign_in()
    assert upload(site, ("proof.txt", b"signed by Claire"), ("other.txt", b"x")).status_code == 303
    page = site.get(path(site)).text
    assert "proof.txt" in page
    assert site.get(path(site, "draft/files/0")).content == b"signed by Claire"
    assert site.get(path(site, "draft/files/7")).status_code == 404
    site.post(path(site, "draft/removal"), position="1")
    refused = upload(site, ("empty.txt", b""))
    assert refused.status_code == 422
    assert "A file is empty, too large or not there any more." in refused.text
    site.post(path(site), **fields(site))
    (mail,) = mails(site)
    assert [file["filename"] for file in mail.attachments] == ["proof.txt"]
    assert "proof.txt" in site.get(f"/cases/{site.case_id}").text
    download = site.get(f"/mails/{mail.id}/files/0")
    assert download.content == b"signed by Claire"
    assert download.headers["content-disposition"].startswith('attachment; filename="proof.txt"')


def test_a_draft_thrown_away_can_be_had_back(site: Site) -> None:
    site.sign_in()
    site.post(path(site, "draft"), **fields(site))
    thrown = site.post(path(site, "draft/discarding"))
    assert draft_of(site) is None
    assert "Draft thrown away." in site.get(thrown.headers["location"]).text
    assert site.post(path(site, "draft/restoring")).headers["location"] == path(site)
    assert (draft_of(site) or Draft()).body == BODY.replace("\r\n", "\n")
    assert site.post(path(site, "draft/discarding")).status_code == 303
    assert site.post(path(site, "draft/discarding")).status_code == 303


@pytest.mark.parametrize(("changes", "words"), [
    ({"to": "nobody"}, "This is no e-mail address."),
    ({"cc": "x y"}, "One of the copies goes to no e-mail address"),
    ({"body": "  "}, "Write something first."),
    ({"subject": "long " * 300}, "The subject is too long."),
])  # fmt: skip
def test_what_cannot_be_sent_comes_back_with_its_words(site: Site, changes: dict[str, str], words: str) -> None:
    site.sign_in()
    refused = site.post(path(site), **fields(site, **changes))
    assert refused.status_code == 422
    assert words in refused.text
    assert mails(site) == []


def test_u17_who_looks_and_who_writes_is_seen_and_changes_nothing(site: Site) -> None:
    site.sign_in()
    assert site.post(path(site, "presence"), doing="viewing").status_code == 303
    site.sign_in("Bea Rossi")
    site.post(path(site, "presence"), doing="replying")
    assert "Ana Silva is here" in site.get(path(site, "presence")).text
    site.post(path(site, "presence"), doing="gone")
    site.sign_in("Carl Muster")
    here = site.get(path(site, "presence")).text
    assert "Ana Silva is here" in here
    assert "Bea" not in here
    assert site.case().version == 1


def test_mail_to_decide_is_shown_counted_and_decided_once(site: Site) -> None:
    site.sign_in()
    site.post(path(site), **fields(site))
    (mail,) = mails(site)
    assert "Every mail arrived" in site.get("/mails").text
    with site.database.transaction() as session:
        outbox.claim(session, worker="w", now=mail.not_before, outbox_id=mail.id)
        outbox.record_uncertain(session, outbox_id=mail.id, error="the line broke", now=site.now)
    page = site.get("/mails").text
    assert "Nobody knows whether this mail went out" in page
    assert "the line broke" in page
    assert 'href="/mails" aria-current="page"' in page
    assert "Nobody knows whether this mail went out" in site.get(f"/cases/{site.case_id}").text
    site.post(f"/mails/{mail.id}/decision", decision="again")
    assert mails(site)[0].state == "queued"
    assert site.enqueued[-1] == ("send", mail.id)
    site.post(f"/mails/{mail.id}/decision", decision="drop")
    assert mails(site)[0].state == "queued"
    assert "Somebody decided about this mail already." in site.get("/mails").text


def test_a_failed_answer_is_corrected_and_sent_anew(site: Site) -> None:
    site.sign_in()
    site.post(path(site), **fields(site, to="clare@customer.example"))
    (mail,) = mails(site)
    with site.database.transaction() as session:
        outbox.claim(session, worker="w", now=mail.not_before, outbox_id=mail.id)
        outbox.record_failure(session, outbox_id=mail.id, error="550 no such user", now=site.now)
    assert "Correct it and send anew" in site.get(f"/cases/{site.case_id}").text
    assert site.post(f"/mails/{mail.id}/return").headers["location"] == path(site)
    assert site.post(path(site), **fields(site)).status_code == 303
    assert [one.state for one in mails(site)] == ["cancelled", "queued"]
    assert "Every mail arrived" in site.get("/mails").text


def test_the_composer_offers_nothing_of_other_peoples_cases_and_nothing_internal(site: Site) -> None:
    """Canaries in notes, colleagues' mails, tasks and closing notes: none is in what a customer could get."""
    secret = "ZEBRA-4711"
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        case.resolution_note = f"{secret} closing"
        a_message(session, case, now=site.now, direction="internal", new_text=f"{secret} let them wait", subject=secret)
        settled = a_case(session, None, now=site.now, account_id=case.account_id, entity_id=case.entity_id)
        settled.state, settled.resolution, settled.resolution_note = "closed", "credited", secret
        a_message(session, settled, now=site.now, direction="internal", new_text=f"{secret} {secret}")
        ana = a_user(session, "Noah Note", now=site.now)
        notes.add_note(session, case_id=case.id, text=f"{secret} @anasilva", actor=user_actor(ana.id), now=site.now)
    site.sign_in()
    page = site.get(path(site)).text
    composer = page[page.index('<section class="composer"') : page.index("</section>", page.index('class="composer"'))]
    assert "Price of the pallets" in composer
    assert secret not in composer
    for kind in ("acknowledgement", "status", "question", "resolution", "apology"):
        site.post(path(site, "draft/words"), **fields(site, body="", kind=kind))
        assert secret not in (draft_of(site) or Draft()).body
    site.post(path(site), **fields(site))
    (mail,) = mails(site)
    assert secret not in f"{mail.subject}{mail.body}{mail.headers}"
    with site.database.transaction(read_only=True) as session:
        assert session.scalars(select(Message).where(Message.new_text.contains(secret))).first() is not None
