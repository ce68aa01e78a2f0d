"""S17: who may see what is decided in the query; other people's things do not exist."""

import pytest
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from app.main import create_app
from app.web.site import FAMILIES
from disputes.models import Case
from invoices.models import Account
from tests.app.web.conftest import Site
from tests.factories import a_bank_check, a_task, a_user, an_entity
from tests.letters.stories import letter_rows

READS = (
    "/cases/{case}",
    "/cases/{case}/merger",
    "/accounts/{account}",
    "/messages/{message}/raw",
    "/messages/{message}/html",
    "/attachments/{attachment}",
    "/attachments/{attachment}/preview",
    "/cases/{case}/reply",
    "/cases/{case}/draft",
    "/cases/{case}/draft/files/{position}",
    "/mails/{mail}/files/{position}",
    "/cases/{case}/presence",
    "/cases/{case}/credit",
    "/tasks/{task}",
    "/calls/{call}",
    "/approvals/{credit}",
    "/deliveries/{delivery}",
    "/letters/{letter}",
    "/letters/{letter}/pdf",
    "/letters/{letter}/words",
    "/accounts/{account}/letters",
    "/accounts/{account}/letters/statement",
    "/accounts/{account}/letters/payment_plan",
    "/cases/{case}/letters/acknowledgement",
    "/letter-runs/{run}",
    "/letter-prints/{print}/file",
    "/letter-prints/{print}/list",
)
WRITES: tuple[tuple[str, dict[str, str]], ...] = (
    ("/cases/{case}/reason", {"reason": "quality"}),
    ("/cases/{case}/owner", {"owner": "me"}),
    ("/cases/{case}/account", {"account": "{account}"}),
    ("/cases/{case}/closure", {"resolution": "paid"}),
    ("/cases/{case}/reopening", {}),
    ("/cases/{case}/hold", {"days": "1", "why": "because"}),
    ("/cases/{case}/release", {}),
    ("/cases/{case}/skipping", {"step": "letter", "why": "because"}),
    ("/cases/{case}/bringing-forward", {"step": "letter"}),
    ("/cases/{case}/waiting", {"on": "customer", "when": "2026-03-06"}),
    ("/cases/{case}/resumption", {}),
    ("/cases/{case}/resolution", {"resolution": "accepted"}),
    ("/cases/{case}/merger", {"target": "{case}"}),
    ("/cases/{case}/separation", {}),
    ("/cases/{case}/invoices/{invoice}/disputed", {"amount": "1"}),
    ("/cases/{case}/notes", {"text": "Mine now"}),
    ("/cases/{case}/owner-answer", {"action": "accept"}),
    ("/cases/{case}/invoices", {"number": "F2026-00417", "message": "{message}"}),
    ("/cases/{case}/reply", {"to": "claire@customer.example", "subject": "Re", "body": "Hello"}),
    ("/cases/{case}/draft", {"to": "claire@customer.example", "subject": "Re", "body": "Hello"}),
    ("/cases/{case}/draft/words", {"kind": "status"}),
    ("/cases/{case}/draft/files", {}),
    ("/cases/{case}/draft/received", {"attachment": "{attachment}"}),
    ("/cases/{case}/draft/removal", {"position": "0"}),
    ("/cases/{case}/draft/discarding", {}),
    ("/cases/{case}/draft/restoring", {}),
    ("/cases/{case}/presence", {"doing": "viewing"}),
    ("/mails/{mail}/return", {}),
    ("/mails/{mail}/decision", {"decision": "again"}),
    ("/cases/{case}/calls", {}),
    ("/cases/{case}/credit", {"amount": "5", "currency": "EUR", "why": "Agreed"}),
    ("/cases/{case}/bank-checks", {"message": "{message}"}),
    ("/bank-checks/{check}/call-back", {"outcome": "fraud", "note": "Nobody there wrote it"}),
    ("/bank-checks/{check}/confirmation", {"note": "Yes"}),
    ("/bank-checks/{check}/return", {"note": "No"}),
    ("/cases/{case}/proof", {"note": "Please"}),
    ("/tasks/{task}/done", {"back": "/tasks"}),
    ("/tasks/{task}/reopening", {"back": "/tasks"}),
    ("/tasks/{task}/taking", {"who": "me"}),
    ("/calls/{call}/outcome", {"outcome": "reached"}),
    ("/calls/{call}/undoing", {}),
    ("/approvals/{credit}/vote", {"decision": "approve"}),
    ("/deliveries/{delivery}/absence", {"note": "Nowhere"}),
    ("/letter-runs", {"entity": "{entity}"}),
    ("/letter-prints", {"entity": "{entity}"}),
    ("/letters/{letter}/approval", {}),
    ("/letters/{letter}/approval-return", {}),
    ("/letters/{letter}/rejection", {"why": "Mine"}),
    ("/letters/{letter}/outcome", {"became": "delivered"}),
    ("/letters/{letter}/words", {"subject": "Mine", "body": "Mine"}),
    ("/accounts/{account}/letter-block", {"reason": "Mine"}),
    ("/accounts/{account}/letter-block/end", {}),
    ("/accounts/{account}/letters/statement", {"channel": "email"}),
    ("/accounts/{account}/letters/payment_plan", {"number": "3"}),
    ("/cases/{case}/letters/acknowledgement", {"channel": "post"}),
    ("/letter-runs/{run}/exclusion", {"account": "{account}"}),
    ("/letter-runs/{run}/start", {}),
    ("/letter-runs/{run}/cancellation", {}),
    ("/letter-prints/{print}/handover", {}),
    ("/links/{link}/decision", {"decision": "confirm"}),
    ("/messages/{message}/rejection", {}),
    ("/messages/{message}/case", {"case": "new"}),
    ("/messages/{message}/reading", {}),
)
OPEN = {"/calendar/.ics", "/do/", "/sign-in", "/sign-out", "/", "/rating/"}
UPLOADS = {"/deliveries//document"}
"""Files: tests/app/web/test_tasks.py."""
ADMINISTRATORS = {
    "/webhooks",
    "/webhooks//stop",
    "/rules/reasons",
    "/rules/reasons/",
    "/rules/reasons//retirement",
    "/rules/reasons/codes",
    "/rules/reasons/table",
    "/rules/reasons/table.csv",
}
"""Refused to other roles: tests/app/web/test_webhooks.py, tests/app/web/test_reasons.py."""
OF_ALL = {
    "/drafts",
    "/mails",
    "/tasks",
    "/calendar",
    "/calendar/renewal",
    "/calendar/ending",
    "/digest",
    "/digest/preview",
    "/letters",
    "/letter-runs",
    "/inbox",
    "/accounts",
    "/review",
    "/quarantine",
    "/search",
    "/live",
    "/live/changes",
    "/preferences",
}

RULE_PAGES = ("/rules/routing", "/rules/wordings", "/rules/wordings/{kind}/{language}", "/rules/absences")
LETTER_RULES = ("/letter-rules", "/letter-rules/letterheads/{team}", "/letter-rules/texts/{kind}/{language}")
OWN_PAGES = ("/rules", "/rules/playbooks", "/rules/playbooks/{key}", "/rules/service-levels", "/team")
REMINDERS = ("/rules/reminders", "/rules/reminders/{key}", "/rules/reminders-for", "/rules/learning")
LOGO = "/letter-rules/letterheads/{team}/logo"
MANAGED_READS = (*OWN_PAGES, *RULE_PAGES, *LETTER_RULES, LOGO, *REMINDERS)
MANAGED_WRITES = (
    *LETTER_RULES[1:],
    "/letter-rules/letterheads/{team}/preview",
    "/letter-rules/texts/{kind}/{language}/preview",
    "/rules/playbooks/{key}/preview",
    "/rules/playbooks/{key}/versions",
    "/rules/service-levels/versions",
    "/rules/versions/{version}/activation",
    "/rules/reminders/{key}/preview",
    "/rules/reminders/{key}/versions",
    "/rules/reminders-for/versions",
    "/rules/routing/preview",
    "/rules/routing/versions",
    "/rules/wordings/{kind}/{language}/preview",
    "/rules/wordings/{kind}/{language}/versions",
    "/rules/absences",
    "/rules/absences/{absence}",
    "/rules/absences/{absence}/end",
    "/rules/learning/training",
    "/rules/learning/activation",
    "/rules/absences/{user}/handover",
    "/team/handover",
    "/team/{team}/settings",
)
RULES = {"key": "dispute", "version": "1", "team": "1", "kind": "status", "language": "fr", "absence": "1", "user": "1"}
"""How cases are handled: for those who may "manage rules"."""


def letters_of(session: Session, site: Site) -> dict[str, int]:
    """A letter, a run and a print run of the site's account."""
    story = letter_rows(session, session.get_one(Account, site.account_id), now=site.now)
    return {"letter": story.id, "run": story.run_id or 0, "print": story.print_id or 0, "entity": story.entity_id}


@pytest.fixture
def ids(site: Site) -> dict[str, int]:
    with site.database.transaction() as session:
        an_entity(session, "DE01")
        case = session.get_one(Case, site.case_id)
        money = {"amount": "5.00", "currency": "EUR", "why": "Agreed", "asked_by": 0, "needed": 1}
        kinds = {"task": "answer", "call": "courtesy_call", "credit": "approve_credit", "delivery": "check_delivery"}
        made = {
            name: a_task(session, now=site.now, case=case, kind=kind, payload=money if name == "credit" else {}).id
            for name, kind in kinds.items()
        }
        letters = letters_of(session, site)
        check = a_bank_check(session, case, now=site.now).id
    return {
        "check": check,
        **made,
        **letters,
        "case": site.case_id,
        "account": site.account_id,
        "message": site.message_id,
        "link": site.link_id,
        "invoice": 1,
        "attachment": 1,
        "mail": 1,
        "position": 0,
    }


@pytest.mark.parametrize("role", ["agent", "lead", "owner"])
def test_things_of_another_entity_are_not_found(site: Site, ids: dict[str, int], role: str) -> None:
    site.sign_in("Greta Weber", role=role, entities=("DE01",))
    for path in READS:
        assert site.get(path.format(**ids)).status_code == 404, path
    for path, fields in WRITES:
        filled = {name: value.format(**ids) for name, value in fields.items()}
        refused = 403 if role == "owner" and path.endswith("/reading") else 404
        assert site.post(path.format(**ids), **filled).status_code == refused, path
    assert "Boulangerie Keller" not in site.get("/inbox?state=all").text
    assert "Boulangerie Keller" not in site.get("/accounts").text
    assert "Boulangerie Keller" not in site.get("/search?q=Keller").text
    assert "F2026-00417" not in site.get("/search?q=2026%2000417").text
    assert "F2026-00417" not in site.get("/review").text
    case = site.case()
    assert (case.state, case.reason, case.owner_id, case.version) == ("new", "price", None, 1)


def test_nothing_is_shown_to_who_is_not_signed_in(site: Site, ids: dict[str, int]) -> None:
    for path in (*READS, *OF_ALL - {"/preferences", "/calendar/renewal", "/calendar/ending"}):
        answer = site.get(path.format(**ids))
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in")
    for path, fields in WRITES:
        assert site.post(path.format(**ids), **fields).status_code == 303, path
    assert site.case().version == 1


@pytest.mark.parametrize("role", ["agent", "owner"])
def test_rules_are_for_those_who_manage_them(site: Site, role: str) -> None:
    for path in MANAGED_READS:
        assert site.get(path.format(**RULES)).headers["location"].startswith("/sign-in"), path
    for path in MANAGED_WRITES:
        assert site.post(path.format(**RULES)).status_code == 303, path
    site.sign_in(role=role)
    for path in MANAGED_READS:
        assert site.get(path.format(**RULES)).status_code == 403, path
    for path in MANAGED_WRITES:
        assert site.post(path.format(**RULES), name="x").status_code == 403, path
    assert 'href="/rules/playbooks"' not in site.get("/inbox").text


def shortened(path: str) -> str:
    """The path without what is named in it."""
    return path.split("{", maxsplit=1)[0] + path.rpartition("}")[2] if "{" in path else path


def test_every_route_of_the_desk_is_covered_here(site: Site) -> None:
    tested = (*READS, *(path for path, _ in WRITES), *MANAGED_READS, *MANAGED_WRITES)
    known = {shortened(path) for path in tested}
    paths = {route.path for family in FAMILIES for route in family.router.routes if isinstance(route, APIRoute)}
    assert {shortened(path) for path in paths} <= known | OPEN | OF_ALL | ADMINISTRATORS | UPLOADS
    assert create_app(site.services)


def test_unknown_fields_are_refused(site: Site, ids: dict[str, int]) -> None:
    site.sign_in()
    for path, fields in WRITES:
        if not fields:
            continue
        filled = {name: value.format(**ids) for name, value in fields.items()}
        answer = site.post(path.format(**ids), **filled, state="closed", version="9")
        assert answer.status_code == 422, path
    assert site.case().version == 1


def test_a_case_is_given_to_nobody_who_may_not_open_it(site: Site) -> None:
    with site.database.transaction() as session:
        an_entity(session, "DE01")
        foreign = a_user(session, "Greta Weber", now=site.now, entities=("DE01",)).id
        colleague = a_user(session, "Paul Roy", now=site.now, entities=("FR01",)).id
    site.sign_in()
    page = site.get(f"/cases/{site.case_id}").text
    assert ("Paul Roy" in page, "Greta Weber" in page) == (True, False)
    assert site.post(f"/cases/{site.case_id}/owner", owner=str(foreign)).status_code == 404
    assert site.case().owner_id is None
    assert site.post(f"/cases/{site.case_id}/owner", owner=str(colleague)).status_code == 303
    assert site.case().owner_id == colleague
