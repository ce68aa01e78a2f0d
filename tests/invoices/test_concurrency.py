"""Two pushes at once: one waits for the other, and no document is written twice."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import func, select

from app.core.events import system
from invoices import actions
from invoices.models import Invoice, Payment, Push
from tests.databases import Database
from tests.invoices.documents import NOW, Raw, apply, entity, invoice, payment


def test_the_same_documents_pushed_at_once_are_written_once(database: Database) -> None:
    with database.transaction() as session:
        apply(session, entity())
    documents: list[Raw] = [payment(), *(invoice(number=f"A{place}", account=f"C{place % 7}") for place in range(40))]
    together = Barrier(4)

    def push(turn: int) -> list[str]:
        together.wait()
        with database.transaction() as session:
            given = documents if turn % 2 else documents[::-1]
            return [outcome.status for outcome in apply(session, *given)]

    with ThreadPoolExecutor(4) as pool:
        found = [status for statuses in pool.map(push, range(4)) for status in statuses]
    assert (found.count("created"), found.count("unchanged")) == (41, 3 * 41)
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Invoice)) == 40
        assert session.scalar(select(func.count()).select_from(Payment)) == 1


def test_one_key_pushed_at_once_has_one_effect(database: Database) -> None:
    together = Barrier(3)
    actor = system("test")

    def push(_turn: int) -> bytes:
        together.wait()
        with database.transaction() as session:
            earlier = actions.earlier_answer(session, actor=actor, key="k", body_hash="h")
            if earlier is None:
                opened = actions.begin(session, actor=actor, now=NOW, key="k", body_hash="h")
                earlier = actions.Answer(200, "application/json", f"push {opened.id}".encode())
                actions.finish(session, push_id=opened.id, counts={}, actor=actor, now=NOW, answer=earlier)
        return earlier.compressed

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(push, range(3)))) == 1
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Push)) == 1
