"""The page of those who are told of changes: for administrators, with a secret that is shown once."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from disputes.actions import webhooks as actions
from disputes.actions import writeback
from disputes.models import Case, Webhook, WebhookDelivery
from tests.app.web.conftest import Site


def test_a_webhook_is_added_its_secret_shown_once_and_stopped(site: Site) -> None:
    user = site.sign_in("Ada Admin", role="admin")
    assert "Nobody is told yet" in site.get("/webhooks").text
    answer = site.post("/webhooks", url="https://erp.example/amiable", entity="FR01")
    assert (answer.status_code, answer.headers["location"]) == (303, "/webhooks")
    with site.database.transaction(read_only=True) as session:
        hook = session.scalars(select(Webhook)).one()
    assert (hook.url, hook.entity_code) == ("https://erp.example/amiable", "FR01")
    assert hook.secret not in site.client.get("/webhooks", headers={"x-live": "1"}).text
    assert hook.secret in site.get("/webhooks").text
    assert hook.secret not in site.get("/webhooks").text
    assert site.post(f"/webhooks/{hook.id}/stop").status_code == 303
    page = site.get("/webhooks").text
    assert "Stopped" in page
    assert f'action="/webhooks/{hook.id}/stop"' not in page
    assert site.post("/webhooks/999/stop").status_code == 404
    assert user.id


@pytest.mark.parametrize(
    "url", ["erp.example", "ftp://erp.example/x", "https://user@erp.example/", "javascript:alert(1)"]
)
def test_what_is_no_address_comes_back_with_the_form(site: Site, url: str) -> None:
    site.sign_in("Ada Admin", role="admin")
    refused = site.post("/webhooks", url=url)
    assert refused.status_code == 422
    assert "This is no address for a webhook" in refused.text
    assert f'value="{url}"' in refused.text
    assert site.post("/webhooks", url="https://erp.example/", entity="XX99").status_code == 422


def test_deliveries_and_their_trouble_are_told(site: Site) -> None:
    site.sign_in("Ada Admin", role="admin")
    site.post("/webhooks", url="https://erp.example/amiable")
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        writeback.tell(session, case=case, now=site.now)
        delivery = session.scalars(select(WebhookDelivery)).one()
        actions.record_delay(session, delivery_id=delivery.id, error="answered 500", now=site.now)
    page = site.get("/webhooks").text
    assert "In trouble" in page
    assert "answered 500" in page
    assert "F2026-00417" in page
    assert str(Decimal("1200.00")) in page


@pytest.mark.parametrize("role", ["agent", "owner", "lead"])
def test_only_administrators_see_them(site: Site, role: str) -> None:
    site.sign_in("Somebody Else", role=role)
    assert site.get("/webhooks").status_code == 403
    assert site.post("/webhooks", url="https://erp.example/x").status_code == 403
    assert "/webhooks" not in site.get("/inbox").text
