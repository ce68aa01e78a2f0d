"""Notes on a case: seen by colleagues, unlike any mail."""

from sqlalchemy import select

from disputes.models import Note, Task
from tests.app.web.conftest import Site
from tests.factories import a_user


def test_a_note_stands_in_the_conversation_unlike_an_answer_and_tells_whom_it_mentions(site: Site) -> None:
    with site.database.transaction() as session:
        bea = a_user(session, "Bea Rossi", now=site.now)
    user = site.sign_in()
    answer = site.post(f"/cases/{site.case_id}/notes", text="@bearossi their <list> is old")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{site.case_id}")
    with site.database.transaction(read_only=True) as session:
        note = session.scalars(select(Note)).one()
        assert (note.author_id, note.mentions) == (user.id, [bea.id])
        assert session.scalars(select(Task.assignee_id).where(Task.kind == "mention")).one() == bea.id
    page = site.get(f"/cases/{site.case_id}").text
    assert f'<li class="message is-internal" id="note-{note.id}">' in page
    assert "@bearossi their &lt;list&gt; is old" in page
    assert "Internal note" in page
    assert "Note saved." in page


def test_an_empty_or_overlong_note_comes_back_with_its_words(site: Site) -> None:
    site.sign_in()
    assert site.post(f"/cases/{site.case_id}/notes", text="  ").status_code == 422
    refused = site.post(f"/cases/{site.case_id}/notes", text="long " * 5000)
    assert refused.status_code == 422
    assert "This note is empty or too long." in refused.text
    assert "long long" in refused.text
    with site.database.transaction(read_only=True) as session:
        assert session.scalars(select(Note)).all() == []
