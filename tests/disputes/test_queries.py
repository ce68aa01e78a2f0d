"""Lists and pages of cases: what is found, in which order, in how many statements, and for whom."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import record, system
from disputes.models import Case, Note, Promise
from disputes.queries import (
    CaseFilter,
    account_page,
    case_page,
    changes_after,
    find_invoice,
    list_accounts,
    list_cases,
    near_invoices,
    neighbours,
    newest_change,
    review_count,
    review_queue,
    search,
    view_counts,
    visible_case,
)
from disputes.queries.case import NoSuchCase
from disputes.queries.merging import comparable_cases
from invoices.models import Account, Entity
from tests.databases import QueryRecorder
from tests.factories import (
    a_case,
    a_clock,
    a_link,
    a_message,
    a_payment,
    a_task,
    a_team,
    a_user,
    an_account,
    an_entity,
    an_invoice,
    in_case,
)

OPEN = CaseFilter()
ALL = CaseFilter(state="all")


@pytest.fixture
def account(session: Session) -> Account:
    return an_account(session, an_entity(session), name="Boulangerie Keller")


@pytest.fixture
def ana(session: Session, now: datetime) -> User:
    return a_user(session, "Ana Silva", now=now)


def listed(
    session: Session, user: User, now: datetime, filters: CaseFilter = OPEN, sort: str = "activity"
) -> list[int]:
    return [row.case.id for row in list_cases(session, user=user, filters=filters, now=now, sort=sort).rows]


@pytest.mark.parametrize("sort", ["activity", "due", "oldest", "newest"])
def test_pages_hold_every_case_once_and_in_order(
    session: Session, account: Account, ana: User, now: datetime, sort: str
) -> None:
    for number in range(23):
        shared = now - timedelta(hours=number // 3)
        case = a_case(session, account, now=now, last_activity_at=shared, opened_at=shared)
        if number % 5:
            a_clock(session, case, now=now, due=shared - now)
            a_clock(session, case, now=now, due=timedelta(0), kind="resolution")
    whole = listed(session, ana, now, sort=sort)
    assert len(set(whole)) == 23

    seen, after = [], None
    while True:
        page = list_cases(session, user=ana, filters=OPEN, now=now, sort=sort, after=after, limit=4)
        seen += [row.case.id for row in page.rows]
        after = page.next_key
        if after is None:
            break
    assert seen == whole
    assert [row.case.id for row in list_cases(session, user=ana, filters=OPEN, now=now, after="~mangled").rows] == (
        listed(session, ana, now)
    )


def test_the_list_costs_four_statements_however_long(
    session: Session, account: Account, ana: User, now: datetime, queries: QueryRecorder
) -> None:
    for number in range(12):
        case = a_case(session, account, now=now, owner_id=ana.id)
        invoice = an_invoice(session, account)
        a_link(session, a_message(session, case, now=now, new_text=f"Mail {number}"), invoice, now=now)
        in_case(session, case, invoice, now=now)
    session.expunge_all()
    with queries:
        page = list_cases(session, user=ana, filters=OPEN, now=now)
        shown = [(row.account_name, row.owner_name, row.disputed, row.snippet[:4]) for row in page.rows]
    assert queries.count == 4
    assert set(shown) == {("Boulangerie Keller", "Ana Silva", ((Decimal(1200), "EUR"),), "Mail")}


def test_a_case_page_costs_a_fixed_number_of_statements(
    session: Session, account: Account, ana: User, now: datetime, queries: QueryRecorder
) -> None:
    case = a_case(session, account, now=now, owner_id=ana.id)
    for _ in range(9):
        message = a_message(session, case, now=now)
        a_link(session, message, an_invoice(session, account), now=now)
        a_task(session, now=now, case=case, message=message)
        record(session, actor=system("t"), now=now, verb="case opened", subject="case", subject_id=1, case_id=case.id)
    session.commit()
    session.expunge_all()
    with queries:
        page = case_page(session, user=ana, case_id=case.id)
        numbers = {link.invoice.number for message in page.messages for link in message.links}
    assert len(numbers) == len(page.messages) == len(page.tasks) == len(page.events) == 9
    assert queries.count == 15


def test_filters_narrow_and_combine(session: Session, account: Account, ana: User, now: datetime) -> None:
    pricing = a_team(session)
    other = an_account(session, an_entity(session, "GB01"), name="Cooper & Lane 100%")
    mine = a_case(session, account, now=now, owner_id=ana.id, team_id=pricing.id, urgent=True)
    late = a_case(session, other, now=now, reason="copy_invoice", sentiment="angry")
    a_clock(session, late, now=now, due=timedelta(hours=-1))
    a_clock(session, mine, now=now, due=timedelta(minutes=5))
    a_clock(session, mine, now=now, due=timedelta(hours=-1), kind="resolution", paused_at=now)
    done = a_case(session, account, now=now, state="closed")

    def found(**values: object) -> set[int]:
        return set(listed(session, ana, now, CaseFilter(**values)))  # type: ignore[arg-type] # each test gives its own

    assert found() == {mine.id, late.id}
    assert found(state="all") == {mine.id, late.id, done.id}
    assert found(state="done") == {done.id}
    assert found(owner="me") == {mine.id}
    assert found(owner="nobody") == {late.id}
    assert found(owner=str(ana.id), urgent=True) == {mine.id}
    assert found(owner="nonsense") == set()
    assert found(kind="query") == {late.id}
    assert found(reason="price") == {mine.id}
    assert found(team="pricing") == {mine.id}
    assert found(entity="GB01") == {late.id}
    assert found(overdue=True) == found(standing="late") == {late.id}
    assert found(standing="at_risk") == {mine.id}
    assert found(account=account.id) == {mine.id}
    assert found(standing="us") == {mine.id, late.id}
    mine.waiting_on, late.hold_until = "third_party", now + timedelta(days=1)
    session.add(Promise(case_id=late.id, date=now.date(), state="partly_kept", created_at=now))
    session.flush()
    assert found(standing="third_party") == {mine.id}
    assert found(standing="customer") == set()
    assert found(standing="held") == {late.id}
    assert found(standing="promise_broken") == {late.id}
    assert found(standing="promised") == found(standing="nonsense") == set()
    assert found(text="lane 100%") == {late.id}
    assert found(text="_") == set()
    assert found(text=f"#{mine.id}") == {mine.id}


def test_a_mistyped_number_finds_the_accounts_own_that_are_nearly_it(
    session: Session, account: Account, ana: User
) -> None:
    meant = an_invoice(session, account, number="F2026-00417")
    an_invoice(session, account, number="F2026-00993")
    an_invoice(session, an_account(session, session.get_one(Entity, account.entity_id)), number="F2026-00471")

    def near(text: str) -> list[str]:
        found = near_invoices(session, user=ana, account_id=account.id, text=text)
        return [invoice.number for invoice in found]

    for typed in ("F2026-00471", "f2026 0417", "F2025-00417", "F202600417", "417", "F2O26-00417"):
        assert near(typed)[:1] == [meant.number], typed
    assert near("Z9") == near(" ") == []
    assert near_invoices(session, user=ana, account_id=None, text="F2026-00417") == ()


def test_a_case_is_found_by_an_invoice_it_is_about_however_the_number_is_written(
    session: Session, account: Account, ana: User, now: datetime
) -> None:
    case = a_case(session, account, now=now)
    invoice = an_invoice(session, account, number="F2026-00417")
    in_case(session, case, invoice, now=now)
    for text in ("F2026-00417", "f2026 00417", "2026/00417"):
        assert listed(session, ana, now, CaseFilter(text=text)) == [case.id]
        assert [found.id for found in search(session, user=ana, text=text, now=now).invoices] == [invoice.id]
        assert find_invoice(session, user=ana, account_id=account.id, text=text) == invoice
    assert find_invoice(session, user=ana, account_id=account.id, text="no digits") is None
    assert [found.name for found in search(session, user=ana, text="keller", now=now).accounts] == [
        "Boulangerie Keller"
    ]
    assert not search(session, user=ana, text="  ", now=now)


def test_what_is_not_visible_is_in_no_list_and_on_no_page(session: Session, account: Account, now: datetime) -> None:
    pricing = a_team(session)
    case = a_case(session, account, now=now, team_id=pricing.id)
    lost = a_case(session, None, now=now)
    message = a_message(session, case, now=now)
    a_link(session, message, an_invoice(session, account), now=now)

    everyone = a_user(session, "Ana Silva", now=now)
    german = a_user(session, "Greta Weber", now=now, entities=("DE01",))
    french = a_user(session, "Flore Petit", now=now, entities=("FR01",))
    owner = a_user(session, "Otto Klein", now=now, role="owner")
    pricer = a_user(session, "Paula Lang", now=now, role="owner", team_id=pricing.id)

    seen = {user.name: set(listed(session, user, now)) for user in (everyone, german, french, owner, pricer)}
    assert seen == {
        "Ana Silva": {case.id, lost.id},
        "Greta Weber": set(),
        "Flore Petit": {case.id},
        "Otto Klein": set(),
        "Paula Lang": {case.id},
    }
    counts = {user.name: view_counts(session, user=user, now=now).open for user in (everyone, german, french)}
    assert counts == {"Ana Silva": 2, "Greta Weber": 0, "Flore Petit": 1}
    assert review_count(session, user=french) == 1
    assert review_count(session, user=german) == 0
    with pytest.raises(NoSuchCase):
        case_page(session, user=german, case_id=case.id)


def test_cases_to_merge_with_are_the_account_s_open_ones_the_likeliest_first(
    session: Session, account: Account, ana: User, now: datetime, queries: QueryRecorder
) -> None:
    case = a_case(session, account, now=now)
    same_reason = a_case(session, account, now=now)
    sharing = a_case(session, account, now=now, reason="delivery")
    a_case(session, account, now=now, state="closed")
    a_case(session, an_account(session, an_entity(session, "GB01")), now=now)
    invoice = an_invoice(session, account, number="F2026-77")
    for one in (case, sharing):
        in_case(session, one, invoice, now=now, disputed=Decimal(100))
    a_message(session, sharing, now=now, new_text="Where are  they?")
    session.flush()
    case = visible_case(session, user=ana, case_id=case.id)
    session.expunge_all()
    with queries:
        own, others = comparable_cases(session, user=ana, case=case)
    assert queries.count == 3
    assert [one.case.id for one in others] == [sharing.id, same_reason.id]
    assert own.numbers & others[0].numbers == {"F2026-77"}
    assert others[0].snippet == "Where are they?"


def test_the_cases_before_and_after_are_those_of_the_list(
    session: Session, account: Account, ana: User, now: datetime
) -> None:
    first, middle, last = (
        a_case(session, account, now=now, last_activity_at=now - timedelta(hours=hours)) for hours in (1, 2, 3)
    )
    a_case(session, account, now=now, reason="copy_invoice", last_activity_at=now - timedelta(minutes=90))
    filters = CaseFilter(kind="dispute")

    def around(case: Case) -> tuple[int | None, int | None]:
        return neighbours(session, user=ana, filters=filters, now=now, sort="activity", case=case)

    assert around(middle) == (first.id, last.id)
    assert around(first) == (None, middle.id)
    assert around(last) == (middle.id, None)


def test_the_review_queue_asks_about_proposals_and_open_review_tasks(
    session: Session, account: Account, ana: User, now: datetime, queries: QueryRecorder
) -> None:
    case, other = a_case(session, account, now=now), a_case(session, account, now=now)
    unsure = a_message(session, case, now=now, thread_evidence=[{"case_id": other.id, "probability": 0.4}])
    weak = a_link(session, unsure, an_invoice(session, account), now=now, probability=0.2)
    strong = a_link(session, unsure, an_invoice(session, account), now=now, probability=0.7)
    a_link(session, unsure, an_invoice(session, account), now=now, state="rejected")
    a_task(session, now=now, case=case, message=unsure, payload={"cases": [{"case_id": other.id}]})
    asked = a_message(session, case, now=now, thread_evidence=unsure.thread_evidence)
    a_task(session, now=now, case=case, message=asked)
    sure = a_message(session, case, now=now)
    a_link(session, sure, an_invoice(session, account), now=now, state="confirmed")
    session.expunge_all()

    with queries:
        items, after = review_queue(session, user=ana, limit=10)
        numbers = [[link.invoice_id for link in item.links] for item in items]
    assert [item.message.id for item in items] == [unsure.id, asked.id]
    assert numbers == [[strong.invoice_id, weak.invoice_id], []]
    assert [(found.id, share) for found, share in items[0].proposed_cases] == [(other.id, 0.4)]
    assert items[1].proposed_cases == ()
    assert after is None
    assert queries.count == 4
    assert review_count(session, user=ana) == 2
    _, after = review_queue(session, user=ana, limit=1)
    assert after == unsure.id
    assert [item.message.id for item in review_queue(session, user=ana, after=after)[0]] == [asked.id]


def test_the_account_page_has_all_before_dialling_in_twelve_statements(
    session: Session, account: Account, ana: User, now: datetime, queries: QueryRecorder
) -> None:
    case = a_case(session, account, now=now, owner_id=ana.id)
    for _ in range(3):
        in_case(session, case, an_invoice(session, account), now=now, disputed=Decimal(700))
        a_payment(session, account)
    an_invoice(session, account, open_amount=Decimal(0))
    a_task(session, now=now, case=case, kind="courtesy_call", assignee_id=ana.id)
    note = Note(case_id=case.id, author_id=ana.id, text="She pays on Friday.", source="call", at=now)
    session.add(note)
    session.flush()
    a_task(session, now=now, case=case, kind="courtesy_call", state="done", outcome="reached", done_at=now,
           payload={"note_id": note.id}, assignee_id=ana.id)  # fmt: skip
    session.expunge_all()
    with queries:
        page = account_page(session, user=ana, account_id=account.id, now=now)
        read = [len(payment.allocations) for payment in page.payments]
    assert (len(page.items), len(read), len(page.cases)) == (3, 3, 1)
    assert set(page.disputed.values()) == {Decimal(700)}
    assert [(call.outcome, call.note, call.who) for call in page.calls] == [
        ("reached", "She pays on Friday.", "Ana Silva")
    ]
    assert [row.assignee for row in page.tasks] == ["Ana Silva"]
    assert queries.count == 12


def test_accounts_are_listed_by_name_with_what_they_owe(
    session: Session, ana: User, now: datetime, queries: QueryRecorder
) -> None:
    entity = an_entity(session)
    for name in ("Delta", "Alpha", "Charlie", "Bravo"):
        account = an_account(session, entity, name=name)
        an_invoice(session, account, due=now.date() - timedelta(days=1), open_amount=Decimal(300))
        an_invoice(session, account, due=now.date(), open_amount=Decimal(50))
    with queries:
        rows, after = list_accounts(session, user=ana, text="", today=now.date(), limit=3)
    assert queries.count == 2
    assert [(row.account.name, row.open_amount, row.overdue) for row in rows] == [
        (name, Decimal(350), Decimal(300)) for name in ("Alpha", "Bravo", "Charlie")
    ]
    rest, end = list_accounts(session, user=ana, text="", today=now.date(), after=after, limit=3)
    assert ([row.account.name for row in rest], end) == (["Delta"], None)
    assert [row.account.name for row in list_accounts(session, user=ana, text="LPH", today=now.date())[0]] == ["Alpha"]


def test_a_change_that_commits_late_is_still_seen(session: Session, now: datetime) -> None:
    def happened(case_id: int) -> int:
        record(
            session, actor=system("t"), now=now, verb="case opened", subject="case", subject_id=case_id, case_id=case_id
        )
        return newest_change(session)

    start = newest_change(session)
    first, second = happened(7), happened(8)
    late = first
    told = changes_after(session, last=start, seen={0, late})
    assert told.cases == (7, 8)
    again = changes_after(session, last=second, seen={0, second})
    assert again.cases == (7,)
    assert again.last == second
    assert changes_after(session, last=second, seen={0, first, second}).cases == ()
