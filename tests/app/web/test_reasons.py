"""An administrator adds reasons, maps codes and brings files; everybody who works cases meets them."""

import pytest
from httpx2 import Response

from app import auth
from disputes.rules_in_force import all_reasons, code_map, codes, own_reasons
from tests.app.web.conftest import SAME_ORIGIN, Site
from tests.factories import a_team

PAGE = "/rules/reasons"
PROMOTION = "price.promotion"
ADDED = {
    "parent": "price",
    "own": "promotion",
    "labels.en": "Promotion & deals",
    "labels.fr": "Promotion",
    "team": "sales",
}


@pytest.fixture
def admin(site: Site) -> Site:
    with site.database.transaction() as session:
        a_team(session, "sales")
    site.sign_in("Ada Root", role="admin")
    return site


def cell(reason: str, system: str) -> str:
    return f"code/{reason}/{system}"


def test_a_reason_is_added_and_can_be_chosen_filtered_ruled_and_read(admin: Site) -> None:
    assert "Wrong item" in admin.get(PAGE).text
    assert admin.post(PAGE, **ADDED).headers["location"] == PAGE
    page = admin.get(PAGE).text
    assert "Promotion &amp; deals" in page
    assert "your own" in page
    case = admin.get(f"/cases/{admin.case_id}").text
    assert f'name="reason" value="{PROMOTION}"' in case
    assert admin.post(f"/cases/{admin.case_id}/reason", reason=PROMOTION).status_code == 303
    assert admin.case().reason == PROMOTION
    assert "Promotion &amp; deals" in admin.get(f"/cases/{admin.case_id}").text
    listed = admin.get(f"/inbox?reason={PROMOTION}").text
    assert f'<option value="{PROMOTION}" selected>Promotion &amp; deals</option>' in listed
    assert "Boulangerie Keller" in listed
    assert "Boulangerie Keller" in admin.get("/inbox?reason=price").text
    assert f'name="rules.r0.when.reasons[]" value="{PROMOTION}"' in admin.get("/rules/routing").text
    admin.sign_in("Fabien Roy", language="fr")
    assert "Promotion &amp; deals" not in admin.get(f"/cases/{admin.case_id}").text
    assert "Promotion" in admin.get(f"/cases/{admin.case_id}").text


def test_a_retired_reason_is_offered_no_more_and_may_be_used_again(admin: Site) -> None:
    admin.post(PAGE, **ADDED)
    admin.post(f"/cases/{admin.case_id}/reason", reason=PROMOTION)
    assert admin.post(f"{PAGE}/{PROMOTION}/retirement").status_code == 303
    assert f'value="{PROMOTION}"' not in admin.get("/inbox").text
    assert "Promotion &amp; deals" in admin.get(f"/cases/{admin.case_id}").text
    assert "Use it again" in admin.get(PAGE).text
    changed = {"labels.en": "Promotions", "team": "sales"}
    assert admin.post(f"{PAGE}/{PROMOTION}", **changed).status_code == 303
    with admin.database.transaction(read_only=True) as session:
        assert all_reasons(session).usable(PROMOTION)
        assert own_reasons(session).version == 3
    assert admin.post(f"{PAGE}/price.nothing", **changed).status_code == 404
    assert admin.post(f"{PAGE}/price.nothing/retirement").status_code == 404


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"own": "Promo tion"}, "A name has at most 20 small letters"),
        ({"own": "tax"}, "There is a reason of that name already."),
        ({"parent": "status"}, "Choose what it is a special form of."),
        ({"labels.en": "", "labels.fr": ""}, "Give a label in one language at least."),
        ({"labels.en": "x" * 61}, "This is too long."),
        ({"team": "weather"}, "There is no such team."),
        ({"team": ""}, "Please fill this in."),
    ],
)
def test_what_cannot_be_added_is_said_beside_the_field(admin: Site, changed: dict[str, str], words: str) -> None:
    page = admin.post(PAGE, **{**ADDED, **changed})
    assert page.status_code == 422
    assert words in page.text
    assert 'id="add-reason" open' in page.text
    with admin.database.transaction(read_only=True) as session:
        assert own_reasons(session).version == 0


def test_the_same_reason_is_not_added_twice(admin: Site) -> None:
    admin.post(PAGE, **ADDED)
    page = admin.post(PAGE, **ADDED | {"labels.en": "Other"})
    assert (page.status_code, "There is a reason of that name already." in page.text) == (422, True)


def test_codes_are_mapped_for_everybody_and_for_one_entity(admin: Site) -> None:
    fields = {cell("price", "sap"): "Z01, Z02", cell("price", "peppol"): "pri", "based_on": "0", "note": "our ERP"}
    assert admin.post(f"{PAGE}/codes", **fields).headers["location"] == PAGE
    france = {"entity": "FR01", cell("price", "sap"): "F10", cell("tax", "x12"): "", "based_on": "0"}
    assert admin.post(f"{PAGE}/codes", **france).headers["location"] == f"{PAGE}?entity=FR01"
    page = admin.get(f"{PAGE}?entity=FR01").text
    assert "else Z01, Z02" in page
    with admin.database.transaction(read_only=True) as session:
        assert code_map(session, entity="FR01").codes("price", "sap") == ("F10",)
        assert code_map(session).reason_for("sap", "Z02") == "price"
        assert codes(session).version == 1
    assert admin.get(f"{PAGE}?entity=XX").status_code == 404
    assert admin.post(f"{PAGE}/codes", entity="XX").status_code == 404
    history = admin.get(PAGE).text
    assert "our ERP" in history


def test_a_code_that_is_none_is_told_at_its_cell_and_nothing_is_lost(admin: Site) -> None:
    fields = {cell("price", "cdar"): "PU_ERR OOPS", cell("price", "sap"): "Z01", "based_on": "0"}
    page = admin.post(f"{PAGE}/codes", **fields)
    assert page.status_code == 422
    assert "This is not in the standard&#39;s list." in page.text
    assert 'value="PU_ERR, OOPS"' in page.text
    assert 'value="Z01"' in page.text
    with admin.database.transaction(read_only=True) as session:
        assert codes(session).version == 0


def test_a_change_from_an_old_version_is_not_saved_over_another(admin: Site) -> None:
    admin.post(f"{PAGE}/codes", **{cell("price", "sap"): "Z01", "based_on": "0"})
    late = admin.post(f"{PAGE}/codes", **{cell("price", "sap"): "Z02", "based_on": "0"})
    assert late.status_code == 409
    assert "somebody saved another version" in late.text
    admin.post(f"{PAGE}/codes", **{cell("price", "sap"): "Z03", "based_on": "1"})
    with admin.database.transaction(read_only=True) as session:
        older = codes(session).policy_id
    admin.post(f"{PAGE}/codes", **{cell("price", "sap"): "Z04", "based_on": "2"})
    assert 'value="Z03"' in admin.get(f"{PAGE}?version={older}").text
    back = admin.post(f"/rules/versions/{older}/activation", family="codes", key="all")
    assert back.headers["location"] == PAGE
    with admin.database.transaction(read_only=True) as session:
        assert code_map(session).codes("price", "sap") == ("Z03",)
    assert admin.post("/rules/versions/shipped/activation", family="codes", key="all").status_code == 303


def test_no_version_without_a_reason_comes_back(admin: Site) -> None:
    admin.post(PAGE, **ADDED)
    refused = admin.post("/rules/versions/shipped/activation", family="reasons", key="all")
    assert refused.status_code == 422
    with admin.database.transaction(read_only=True) as session:
        assert all_reasons(session).usable(PROMOTION)


def test_the_table_goes_out_and_comes_in_as_a_file(admin: Site) -> None:
    admin.post(PAGE, **ADDED)
    out = admin.get(f"{PAGE}/table.csv")
    assert out.headers["content-disposition"] == 'attachment; filename="reasons-all.csv"'
    text = out.text.replace("Promotion & deals", "Deals")
    assert upload(admin, text).headers["location"] == PAGE
    with admin.database.transaction(read_only=True) as session:
        assert all_reasons(session).label(PROMOTION, "en") == "Deals"
    bad = upload(admin, "reason,peppol,sap\nprice,XXX,Z01\n")
    assert bad.status_code == 422
    assert "Line 2, peppol" in bad.text
    assert "This is not in the standard&#39;s list." in bad.text
    assert upload(admin, "nonsense").status_code == 422


def upload(site: Site, text: str) -> Response:
    files = {"file": ("reasons.csv", text.encode(), "text/csv")}
    return site.client.post(f"{PAGE}/table", data={"entity": ""}, files=files, headers=SAME_ORIGIN)


@pytest.mark.parametrize("role", ["agent", "owner", "lead"])
def test_reasons_are_for_administrators(site: Site, role: str) -> None:
    site.sign_in(role=role)
    assert site.get(PAGE).status_code == 403
    assert site.get(f"{PAGE}/table.csv").status_code == 403
    assert upload(site, "reason\nprice\n").status_code == 403
    for path in (PAGE, f"{PAGE}/codes", f"{PAGE}/{PROMOTION}", f"{PAGE}/{PROMOTION}/retirement"):
        assert site.post(path, **ADDED).status_code == 403, path
    for family in ("reasons", "codes"):
        answer = site.post("/rules/versions/shipped/activation", family=family, key="all")
        assert answer.status_code == 403, family
    assert PAGE not in site.get("/inbox").text
    assert "admin" in auth.MAY["manage reasons"]
