"""S4: pushes may repeat, overlap, arrive out of order or half; the ledger ends the same."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from app.core.db import create_engine, session_factory
from app.models import metadata
from tests.invoices.documents import Raw, account, apply, credit_note, entity, invoice, ledger_hash, payment

CHUNKS, SHUFFLES = 10, 50

DOCUMENTS: list[Raw] = [
    entity(version=1, name="Vins"),
    entity(version=2),
    account(version=1, contacts=[]),
    account(version="2"),
    account(account="C2", version="2026-01-01T00:00:00Z", name="Tapas Bar Sol"),
    account(account="C2", version="2026-01-01T02:00:00+01:00", name="Bar Sol"),
    invoice(version=1),
    invoice(version=2, open="20.00"),
    invoice(version=3, open="20.00", account="C2", lines=[]),
    invoice(number="FA-2026-00188", account="C9", version=1),
    credit_note(version=1),
    credit_note(version=2, open="0.00"),
    payment(version=1, invoices=["FA-2026-00187", "FA-2026-00188"]),
    payment(version=2, invoices=[], allocations=[{"invoice": "FA-2026-00187", "amount": "100.00"}]),
]


def pushes(chance: random.Random) -> Iterator[list[Raw]]:
    """The documents in some order, cut into pushes; some come twice, some overlap, some are cut short and repeated."""
    documents = [*DOCUMENTS, *chance.sample(DOCUMENTS, k=4)]
    chance.shuffle(documents)
    yield [entity(version=1, name="Vins")]
    while documents:
        size = chance.randint(1, 9)
        push, documents = documents[:size], documents[chance.randint((size + 1) // 2, size) :]
        if chance.random() < 0.2:
            yield push[: len(push) // 2]
        yield push
        if chance.random() < 0.2:
            yield push


def final_ledger(session: Session, sent: Iterator[list[Raw]]) -> str:
    """The hash of the ledger after these pushes, which are then undone."""
    undo = session.begin_nested()
    for push in sent:
        apply(session, *push)
    found = ledger_hash(session)
    undo.rollback()
    session.expunge_all()
    return found


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A ledger in memory: SQLite alone, for the rule is decided in Python before the database is asked."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with session_factory(engine)() as session:
        yield session
    engine.dispose()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_any_order_repetition_and_overlap_end_in_the_same_ledger(session: Session, chunk: int) -> None:
    wanted = final_ledger(session, iter([[document] for document in DOCUMENTS]))
    for seed in range(chunk * SHUFFLES, (chunk + 1) * SHUFFLES):
        assert final_ledger(session, pushes(random.Random(seed))) == wanted, f"seed {seed}"  # noqa: S311 - repeatable


def test_the_control_without_versions_the_order_matters(session: Session) -> None:
    bare = [[{key: value for key, value in document.items() if key != "version"}] for document in DOCUMENTS]
    forwards = final_ledger(session, iter(bare))
    assert final_ledger(session, iter([bare[0], *reversed(bare)])) != forwards
