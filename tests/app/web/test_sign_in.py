import pytest

from app.edge import COOKIE
from app.web.session import inside
from tests.app.web.conftest import Site
from tests.factories import PASSWORD, a_user


def test_the_right_password_opens_the_desk_and_the_wrong_one_says_so(site: Site) -> None:
    with site.database.transaction() as session:
        a_user(session, "Ana Silva", now=site.now)

    refused = site.post("/sign-in", email="ana@desk.example", password="a wrong password", next="/inbox")
    assert refused.status_code == 422
    assert "not right" in refused.text
    assert 'value="ana@desk.example"' in refused.text
    assert COOKIE not in refused.cookies

    opened = site.post("/sign-in", email="ana@desk.example", password=PASSWORD, next="/review")
    assert opened.status_code == 303
    assert opened.headers["location"] == "/review"
    assert "HttpOnly" in opened.headers["set-cookie"]
    assert "samesite=lax" in opened.headers["set-cookie"].lower()
    assert site.get("/review").status_code == 200


def test_who_is_not_signed_in_is_sent_to_the_form_and_back_again(site: Site) -> None:
    answer = site.get("/inbox?kind=dispute")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/inbox%3Fkind%3Ddispute"
    form = site.get(answer.headers["location"])
    assert 'name="next" value="/inbox?kind=dispute"' in form.text


def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    site.sign_in()
    secret = site.client.cookies[COOKIE]
    assert site.post("/sign-out").headers["location"] == "/sign-in"
    site.client.cookies.set(COOKIE, secret)
    assert site.get("/inbox").status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\\b",
        "/\n/evil.example",
        "",
    ],
)
def test_nobody_is_sent_to_other_sites(path: str) -> None:
    assert inside(path) == "/"


def test_our_own_paths_are_kept() -> None:
    assert inside("/inbox?kind=dispute&q=a%20b") == "/inbox?kind=dispute&q=a%20b"


def test_a_form_from_another_site_is_refused(site: Site) -> None:
    site.sign_in()
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}):
        answer = site.client.post(f"/cases/{site.case_id}/closure", data={"resolution": "paid"}, headers=headers)
        assert answer.status_code == 403
    assert site.case().state == "new"
