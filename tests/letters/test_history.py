"""A past quarter from rows: what a procedure would have sent, with a dispute in the middle, and to whom in dispute."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.core.events import system, user_actor
from disputes.actions import policies
from disputes.actions.shared import change_case
from disputes.models import Case, DisputeMovement, Promise
from invoices.models import Account, Allocation, Entity, Invoice
from letters.models import Letter, LetterBlock
from letters.procedure import shipped
from letters.queries import replaying
from letters.queries.history import pasts
from letters.queries.replaying import Found, last_quarter, replayed
from letters.replay import Replay, replay
from letters.rules import ASSIGNMENTS, letter_rules, reader_of
from tests.databases import QueryRecorder
from tests.factories import a_case, a_payment, a_user, an_account, an_entity, an_invoice, in_case
from tests.letters.stories import ADDRESS

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
FR = shipped()["fr"]


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=UTC)


@pytest.fixture
def account(session: Session) -> Account:
    return an_account(session, an_entity(session), name="Boulangerie Keller", address=ADDRESS)


def owed(session: Session, account: Account, number: str, **values: Any) -> Invoice:
    """500.00 owed since 15 December."""
    amount = {"gross": Decimal("500.00"), "open_amount": Decimal("500.00")}
    return an_invoice(
        session, account, number=number, **{"issued": date(2025, 11, 15), "due": date(2025, 12, 15), **amount, **values}
    )


def moved(session: Session, case: Case, invoice: Invoice, kind: str, amount: str, when: datetime) -> None:
    values = {"case_id": case.id, "invoice_id": invoice.id, "source": f"{kind}:{when}", "actor": "system:test"}
    session.add(DisputeMovement(**values, kind=kind, amount=Decimal(amount), at=when))


def run(session: Session, *accounts: Account) -> Replay:
    session.flush()
    found = pasts(session, account_ids=[one.id for one in accounts], first=FIRST, last=LAST)
    return replay(found.values(), FR, first=FIRST, last=LAST)


def told(found: Replay) -> list[tuple[str, str]]:
    return [(one.day.isoformat(), one.level) for one in found.letters]


def test_a_dispute_in_the_middle_rests_and_other_debts_go_on(session: Session, account: Account) -> None:
    wrong, right = owed(session, account, "F1"), owed(session, account, "F2", due=date(2026, 1, 20))
    case = a_case(session, account, now=at(1, 10), state="closed", waiting_on=None)
    in_case(session, case, wrong, now=at(1, 10), disputed=Decimal(0))
    moved(session, case, wrong, "disputed", "500.00", at(1, 10))
    moved(session, case, wrong, "withdrawn", "500.00", at(2, 20))
    found = run(session, account)
    assert told(found)[:2] == [("2026-01-01", "rappel"), ("2026-01-28", "rappel")]
    asked = {one.day.isoformat(): one.items for one in found.letters}
    assert asked["2026-01-28"] == (right.number,), "what is in dispute is not asked for"
    disputed = [one for one in found.letters if one.in_dispute]
    assert [one.day.isoformat() for one in disputed] == ["2026-01-28", "2026-02-11"]
    assert disputed[0].disputed == {"EUR": Decimal("500.00")}
    after = next(one for one in found.letters if wrong.number in one.items and one.day > date(2026, 1, 1))
    assert after.day == date(2026, 2, 27), "a week after the answer"


def test_payments_and_credit_notes_stood_on_their_days(session: Session, account: Account) -> None:
    paid = owed(session, account, "F1", open_amount=Decimal("0.00"))
    payment = a_payment(session, account, received=date(2026, 1, 12), amount=Decimal("500.00"))
    put = {"payment_id": payment.id, "entity_id": account.entity_id}
    session.add(Allocation(**put, invoice_number=paid.number, amount=None))
    assert told(run(session, account)) == [("2026-01-01", "rappel")], "paid the day before the second level"
    owed(session, account, "F3", open_amount=Decimal("100.00"))
    note = {"kind": "credit_note", "gross": Decimal("-400.00"), "open_amount": Decimal("0.00")}
    owed(session, account, "AV1", credits="F3", issued=date(2026, 1, 20), due=date(2026, 1, 20), **note)
    totals = [one.totals["EUR"] for one in run(session, account).letters]
    assert totals[:3] == [Decimal("1000.00"), Decimal("500.00"), Decimal("100.00")]


def test_promises_blocks_and_our_own_delay_hold_letters_back(session: Session, account: Account) -> None:
    invoice = owed(session, account, "F1")
    case = a_case(session, account, now=at(1, 5), opened_at=at(1, 2), waiting_on="us", state="in_progress")
    in_case(session, case, invoice, now=at(1, 2), disputed=Decimal(0))
    change_case(session, case, verb="x", actor=system("test"), now=at(1, 20), state="closed", waiting_on=None)
    assert told(run(session, account))[:2] == [("2026-01-01", "rappel"), ("2026-01-20", "relance")]
    promise = {"case_id": case.id, "account_id": account.id, "state": "broken"}
    session.add(Promise(**promise, date=date(2026, 2, 5), created_at=at(1, 19)))
    assert told(run(session, account))[1] > ("2026-02-08", ""), "counts to its last day of grace"
    session.add(LetterBlock(account_id=account.id, reason="key account", by="user:1", at=at(1, 3)))
    assert told(run(session, account)) == [("2026-01-01", "rappel")]


def test_letters_really_sent_are_compared(session: Session, account: Account) -> None:
    invoice = owed(session, account, "F1")
    other = owed(session, account, "F2")
    before = at(12, 20).replace(year=2025)
    in_case(session, a_case(session, account, now=before, waiting_on="customer"), other, now=before)
    item = {"number": invoice.number, "position": 1}
    for cycle, day in enumerate((at(1, 5).replace(year=2025), at(1, 6))):
        session.add(
            Letter(
                subject=f"account:{account.id}", step="rappel", cycle=cycle, kind="reminder_1", language="fr",
                entity_id=account.entity_id, account_id=account.id, state="sent", day=day.date(), sent_at=day,
                channel="post", facts="{}", asked=[item], drafted_by="user:1", drafted_at=day,
            )
        )  # fmt: skip
    found = run(session, account)
    assert (found.really_sent, found.really_in_dispute) == (1, 1)
    assert found.letters[0].level == "relance", "what was sent before the time counts as a level climbed"


def test_many_accounts_cost_as_many_queries_as_one(session: Session, account: Account, queries: QueryRecorder) -> None:
    def asked(*accounts: Account) -> int:
        session.flush()
        with queries:
            pasts(session, account_ids=[one.id for one in accounts], first=FIRST, last=LAST)
        return queries.count

    owed(session, account, "F1")
    one = asked(account)
    more = [an_account(session, account.entity, name=f"C{n}", number=f"C{n}") for n in range(4)]
    for each in more:
        in_case(session, a_case(session, each, now=at(1, 2)), owed(session, each, f"G{each.id}"), now=at(1, 2))
    assert asked(*more) == one == 13
    assert pasts(session, account_ids=[], first=FIRST, last=LAST) == {}


def test_a_procedure_is_tried_on_those_it_is_for(session: Session, account: Account) -> None:
    owed(session, account, "F1")
    lead = a_user(session, "Lea Roth", now=at(1, 2), role="lead")

    def tried(key: str, over: str = "") -> Found:
        rules = letter_rules(session)
        return replayed(
            session, user=lead, rules=rules, key=key, procedure=FR, over=over, today=date(2026, 4, 15)
        )  # fmt: skip

    session.flush()
    found = tried("fr")
    assert [(one.name, len(one.letters), one.in_dispute) for one in found.reached] == [("Boulangerie Keller", 4, 0)]
    assert (found.customers, found.partly, found.replay.first, found.replay.last) == (1, False, FIRST, LAST)
    assert tried("de").customers == 0
    assert len(tried("de", over="FR01").reached) == 1


def test_a_replay_asks_so_many_queries_and_no_more(
    session: Session, account: Account, queries: QueryRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    entity = session.get_one(Entity, account.entity_id)
    accounts = [account, *(an_account(session, entity, number=f"C{n}") for n in range(5))]
    lead, rules = a_user(session, "Lea Roth", now=at(1, 2), role="lead"), letter_rules(session)
    for one in accounts:
        case = a_case(session, one, now=at(1, 2), waiting_on="customer")
        in_case(session, case, owed(session, one, f"G{one.id}"), now=at(1, 2), disputed=Decimal(0))
    session.commit()

    def tried() -> Found:
        with queries:
            return replayed(
                session, user=lead, rules=rules, key="fr", procedure=FR, over="", today=date(2026, 4, 15)
            )  # fmt: skip

    whole = tried()
    assert (len(whole.reached), queries.count) == (6, 3 + 13)
    monkeypatch.setattr(replaying, "AT_ONCE", 2)
    assert (tried(), queries.count) == (whole, 3 + 3 * 13)
    monkeypatch.setattr(replaying, "MOST", 4)
    some = tried()
    assert (some.partly, some.customers, len(some.reached)) == (True, 6, 4)


def test_a_group_has_a_procedure_of_its_own(session: Session, account: Account) -> None:
    owed(session, account, "F1")
    entity = session.get_one(Entity, account.entity_id)
    account.customer_group = "PUBLIC"
    other = an_account(session, entity, number="C2", customer_group="public")
    lead, now = a_user(session, "Lea Roth", now=at(1, 2), role="lead"), at(1, 2)
    by_account = {"procedure": "it", "entity": "FR01", "account": "C2"}
    rows = [{"procedure": "es", "entity": "FR01"}, by_account, {"procedure": "de", "group": "PUBLIC"}]
    reader, actor = reader_of(ASSIGNMENTS, "all"), user_actor(lead.id)
    policies.save(
        session, family=ASSIGNMENTS, key="all", content={"rows": rows}, read=reader, actor=actor, now=now
    )  # fmt: skip
    rules = letter_rules(session)
    every = select(Account).options(joinedload(Account.entity)).execution_options(populate_existing=True)
    session.flush()
    account, other = session.scalars(every.order_by(Account.id)).all()
    assert (rules.chosen(account).key, rules.chosen(account).why) == ("de", "set for the group PUBLIC")
    assert rules.chosen(other).key == "it", "the account's own row goes first"
    account.customer_group = ""
    assert rules.chosen(account).key == "es"
    account.customer_group = "PUBLIC"
    session.flush()
    for key, reached in (("de", 1), ("es", 0)):
        found = replayed(
            session, user=lead, rules=rules, key=key, procedure=FR, over="", today=date(2026, 4, 15)
        )  # fmt: skip
        assert found.customers == reached


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 11, 27), date(2026, 7, 1), date(2026, 9, 30)),
        (date(2026, 6, 30), date(2026, 1, 1), date(2026, 3, 31)),
    ],
)
def test_the_quarter_before(today: date, first: date, last: date) -> None:
    assert last_quarter(today) == (first, last)
