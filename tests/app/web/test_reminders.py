"""Leads change reminders: level by level, replayed over last quarter before they are saved, in versions, for whom."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.web.rules import names
from app.web.rules.forms import content_of, named, shown
from disputes.models import Policy
from invoices.models import Account
from letters.procedure import read_procedure, shipped
from letters.rules import letter_rules
from tests.app.web.conftest import SAME_ORIGIN, Site
from tests.app.web.test_rules import fields_of
from tests.factories import a_case, an_invoice, in_case

FR = "/rules/reminders/fr"
WHOM = "/rules/reminders-for/versions"


def form(**changed: str | list[str]) -> dict[str, str | list[str]]:
    """The French procedure as its page sends it."""
    fields = fields_of(shown(shipped()["fr"].model_dump(mode="json")))
    return fields | {"based_on": "0"} | changed


def posted(site: Site, path: str, fields: Mapping[str, str | list[str]]) -> Any:
    return site.client.post(path, data=dict(fields), headers=SAME_ORIGIN)


def policies(site: Site) -> list[tuple[str, str, int, bool]]:
    with site.database.transaction(read_only=True) as session:
        found = session.scalars(select(Policy).order_by(Policy.id))
        return [(one.family, one.key, one.version, one.active) for one in found]


@pytest.fixture
def lead(site: Site) -> Site:
    """A lead, on 2 March 2026; the customer owes since October, and disputed something from December on."""
    with site.database.transaction() as session:
        account = session.get_one(Account, site.account_id)
        account.address = "12 rue des Lilas\n75011 Paris"
        owed = {"issued": date(2025, 8, 1), "gross": Decimal(500), "open_amount": Decimal(500)}
        an_invoice(session, account, number="A-1", due=date(2025, 10, 20), **owed)
        wrong = an_invoice(session, account, number="A-2", due=date(2025, 10, 20), **owed)
        then = site.now - timedelta(days=87)  # 5 December
        case = a_case(session, account, now=then, waiting_on="customer", opened_at=then)
        in_case(session, case, wrong, now=then)
    site.sign_in("Lea Blanc", role="lead")
    return site


def test_a_form_says_what_a_procedure_says() -> None:
    for procedure in shipped().values():
        fields = fields_of(shown(procedure.model_dump(mode="json")))
        items = [
            (name, one) for name, value in fields.items() for one in ([value] if isinstance(value, str) else value)
        ]
        assert read_procedure(content_of(items)) == procedure
    typed = content_of([("levels.b.kind", "reminder_1"), ("levels.a.channels[,]", "registered, post")])
    assert typed["levels"] == [{"kind": "reminder_1"}, {"channels": ["registered", "post"]}], "in the page's order"
    new = named(
        {"levels": [{"id": "reminder_1"}, {"kind": "reminder_1"}, {"kind": "formal_notice"}]}, rows="levels", by="kind"
    )
    assert [one["id"] for one in new["levels"]] == ["reminder_1", "reminder_1_2", "formal_notice"]


def test_procedures_are_told_in_words(lead: Site) -> None:
    page = lead.get("/rules/reminders").text
    assert "22 days late, 12 days after the level before" in page
    assert "By registered post, else by post" in page
    assert "As shipped with Amiable" in page
    assert "Kind of letter" in lead.get(FR).text
    assert lead.get("/rules/reminders/nonsense").status_code == 404
    assert posted(lead, "/rules/reminders/nonsense/versions", form()).status_code == 404
    assert set(names.SHIPPED_PROCEDURES) == {one.name for one in shipped().values()}


def test_last_quarter_is_replayed_before_anything_is_saved(lead: Site) -> None:
    page = posted(lead, f"{FR}/preview", form())
    assert page.status_code == 200
    assert "4 letters to 1 customer" in page.text
    assert "1 letter would have gone to somebody in dispute about something else." in page.text
    assert "Boulangerie Keller" in page.text
    assert "No reminder was really sent then." in page.text
    later = {"levels.r0.days_late": "50", "levels.r1.days_late": "60", "levels.r2.days_late": "80"}
    few = posted(lead, f"{FR}/preview", form(**later, **{"levels.r3.days_late": "100"})).text
    assert "What you change" in few
    assert "2 letters to 1 customer" in few
    assert "No letter" in posted(lead, "/rules/reminders/de/preview", form()).text
    assert "4 letters" in posted(lead, "/rules/reminders/new/preview", form(over="FR01")).text
    assert policies(lead) == []


def test_saving_makes_versions_and_one_is_brought_back(lead: Site) -> None:
    saved = posted(lead, f"{FR}/versions", form(**{"levels.r0.days_late": "10", "note": "kinder"}))
    assert saved.headers["location"] == FR
    assert policies(lead) == [("dunning", "fr", 1, True)]
    page = lead.get(FR).text
    assert "kinder" in page
    assert "10 days late" in page
    assert "8 days late" in page, "what changed"
    assert posted(lead, f"{FR}/versions", form()).status_code == 409, "somebody saved meanwhile"
    assert "You are looking at an older version." in lead.get(f"{FR}?version=shipped").text
    back = lead.post("/rules/versions/shipped/activation", family="dunning", key="fr")
    assert back.headers["location"] == FR
    assert policies(lead) == [("dunning", "fr", 1, False)]
    with lead.database.transaction(read_only=True) as session:
        policy = session.scalars(select(Policy)).one()
    assert lead.post(f"/rules/versions/{policy.id}/activation", family="dunning", key="fr").status_code == 303
    assert policies(lead) == [("dunning", "fr", 1, True)]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"levels.r0.days_late": "soon"}, "Please give a whole number."),
        ({"levels.r1.days_late": "8"}, "Each level comes later than the one before it"),
        ({"levels.r1.days_after_previous": ""}, "needs days after the level before"),
        ({"levels.r0.fee": "5"}, "Say what the fee is owed by"),
        ({"levels.r0.minimum": "much"}, "Please give a number."),
        ({"currency": "EURO"}, "There is no such currency."),
        ({"name": ""}, "Please fill this in."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(lead: Site, changed: dict[str, str], words: str) -> None:
    for path in ("preview", "versions"):
        page = posted(lead, f"{FR}/{path}", form(note="because", **changed))
        assert page.status_code == 422
        assert words in page.text
        assert 'value="because"' in page.text
    assert policies(lead) == []


def test_a_procedure_of_its_own_for_one_customer(lead: Site) -> None:
    assert "New procedure" in lead.get("/rules/reminders/new?like=fr").text
    taken = posted(lead, "/rules/reminders/new/versions", form(name="FR"))
    assert "There is a procedure of that name already." in taken.text
    made = posted(lead, "/rules/reminders/new/versions", form(name="Key accounts"))
    assert made.headers["location"] == "/rules/reminders/key_accounts"
    with lead.database.transaction(read_only=True) as session:
        number = session.get_one(Account, lead.account_id).number
    row = {"rows.n1.procedure": "key_accounts", "rows.n1.entity": "FR01", "rows.n1.account": number}
    nobody = {"rows.n2.procedure": "", "rows.n2.entity": "FR01"}
    assert posted(lead, WHOM, {**row, **nobody, "based_on": "0"}).status_code == 303
    page = lead.get("/rules/reminders").text
    assert f"customer {number} of FR01" in page
    assert "No reminders for" in page
    assert "no reminders" in lead.get("/rules/reminders-for").text
    with lead.database.transaction(read_only=True) as session:
        rules = letter_rules(session).assignments.rules.rows
    assert [(one.procedure, one.account) for one in rules] == [("key_accounts", number), ("", None)]
    stop = lead.post("/rules/versions/shipped/activation", family="dunning", key="key_accounts")
    assert stop.status_code == 422, "a customer is on it"
    assert ("dunning", "key_accounts", 1, True) in policies(lead)
    assert lead.post("/rules/versions/shipped/activation", family="dunning_for", key="all").status_code == 303
    stop = lead.post("/rules/versions/shipped/activation", family="dunning", key="key_accounts")
    assert stop.headers["location"] == "/rules/reminders"
    assert "Not in use" in lead.get("/rules/reminders/key_accounts").text


def test_a_group_of_customers_gets_a_procedure(lead: Site) -> None:
    with lead.database.transaction() as session:
        session.get_one(Account, lead.account_id).customer_group = "KEY <1>"
    assert '<option value="KEY &lt;1&gt;">' in lead.get(WHOM.removesuffix("/versions")).text
    rows = {
        "rows.n1.procedure": "de", "rows.n1.group": "KEY <1>",
        "rows.n2.procedure": "it", "rows.n2.group": "B", "rows.n2.entity": "FR01",
    }  # fmt: skip
    assert posted(lead, WHOM, {**rows, "based_on": "0"}).status_code == 303
    page = lead.get("/rules/reminders").text
    assert "the group KEY &lt;1&gt;" in page
    assert "the group B of FR01" in page
    assert "group KEY &lt;1&gt;" in lead.get(f"/accounts/{lead.account_id}").text
    with lead.database.transaction(read_only=True) as session:
        account = session.scalars(
            select(Account).where(Account.id == lead.account_id).options(joinedload(Account.entity))
        ).one()
        assert letter_rules(session).chosen(account).key == "de"
    long = posted(lead, WHOM, {"rows.n1.procedure": "de", "rows.n1.group": "x" * 41, "based_on": "1"})
    assert long.status_code == 422


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"rows.a.procedure": "gone"}, "There is no such procedure any more."),
        ({"rows.a.procedure": "fr", "rows.a.entity": "XX"}, "There is no such entity."),
        ({"rows.a.procedure": "fr", "rows.a.account": "C1"}, "A customer number needs its entity."),
    ],
)
def test_rows_that_name_what_there_is_not(lead: Site, row: dict[str, str], words: str) -> None:
    page = posted(lead, WHOM, {**row, "based_on": "0"})
    assert page.status_code == 422
    assert words in page.text
    assert policies(lead) == []


def test_in_french(lead: Site) -> None:
    lead.sign_in("Chloé Petit", role="lead", language="fr")
    page = lead.get("/rules/reminders").text
    assert "22 jours de retard, 12 jours après le niveau précédent" in page
    assert "En recommandé, sinon par courrier simple" in page
    assert "4 courriers à 1 client" in posted(lead, f"{FR}/preview", form()).text
