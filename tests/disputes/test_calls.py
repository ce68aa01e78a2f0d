"""Courtesy calls from the task to what follows: the sheet, each outcome in one transaction, and undoing one."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import BadInput
from app.core.events import Event, user_actor
from disputes.actions import calls, cases, life, tasks
from disputes.actions.calls import CallResult, NotACall, TooLate
from disputes.call_outcomes import AfterCall
from disputes.callbacks import wish_of
from disputes.models import Case, Note, Promise, Task
from disputes.queries.calls import call_sheet
from disputes.queries.tasks import NoSuchTask
from invoices.models import Account, Contact
from tests.databases import QueryRecorder
from tests.factories import a_case, a_message, a_task, a_team, a_user, an_account, an_entity, an_invoice, in_case
from tests.fixtures_pipeline import Deliver


@dataclass
class Desk:
    """An agent with a call to make about one case, whose owner is in pricing."""

    session: Session
    account: Account
    case: Case
    ana: User
    paula: User
    now: datetime

    def call(self, **values: Any) -> Task:
        given: dict[str, Any] = {
            "kind": "courtesy_call",
            "title": "Call Claire Martin",
            "assignee_id": self.ana.id,
            **values,
        }
        return a_task(self.session, now=self.now, case=self.case, **given)

    def ended(self, task: Task, outcome: str, **values: object) -> AfterCall:
        result = CallResult(outcome=outcome, **values)  # type: ignore[arg-type] # each test gives its own
        return calls.record_outcome(
            self.session, task_id=task.id, result=result, actor=user_actor(self.ana.id), now=self.now
        )

    def undone(self, task: Task) -> Task:
        return calls.undo_outcome(self.session, task_id=task.id, actor=user_actor(self.ana.id), now=self.now)

    def open(self) -> list[tuple[str, int | None]]:
        found = select(Task).where(Task.case_id == self.case.id, Task.state == "open").order_by(Task.id)
        return [(task.kind, task.assignee_id) for task in self.session.scalars(found)]

    def verbs(self) -> list[str]:
        return list(self.session.scalars(select(Event.verb).where(Event.case_id == self.case.id).order_by(Event.id)))


@pytest.fixture
def desk(session: Session, now: datetime) -> Desk:
    account = an_account(session, an_entity(session), name="Boulangerie Keller")
    collections, pricing = a_team(session, "collections"), a_team(session)
    ana = a_user(session, "Ana Silva", now=now, team_id=collections.id)
    paula = a_user(session, "Paula Lang", now=now, role="owner", team_id=pricing.id)
    case = a_case(session, account, now=now, team_id=pricing.id, owner_id=paula.id, language="fr")
    in_case(session, case, an_invoice(session, account, number="F-42"), now=now, disputed=Decimal(250))
    a_message(session, case, now=now, new_text="Le prix est faux.", from_email=account.contacts[0].email)
    return Desk(session, account, case, ana, paula, now)


def test_the_sheet_says_whom_to_ring_what_to_say_and_what_was_said_before(
    desk: Desk, session: Session, now: datetime, queries: QueryRecorder
) -> None:
    session.add(Contact(account_id=desk.account.id, name="Max Roux", email="max@roux.example", phone="01 42 68 53 00"))
    earlier = desk.call()
    desk.ended(earlier, "voicemail", note="Left word with the front desk.")
    task = session.scalars(select(Task).where(Task.kind == "courtesy_call", Task.state == "open")).one()
    session.flush()
    session.expunge_all()
    with queries:
        sheet = call_sheet(session, user=desk.ana, task_id=task.id, now=now)
        said = "\n".join(line for part in sheet.parts for line in part.lines).replace("\xa0", " ")
    assert queries.count == 11
    assert [(one.name, one.link) for one in sheet.people] == [
        ("Claire Martin", "tel:+33-1-42-00-00-00"),
        ("Max Roux", "tel:+33-1-42-68-53-00"),
    ]
    assert "Bonjour Claire Martin, Ana Silva, de Lumora FR01." in said
    assert "F-42" in said
    assert "« Le prix est faux. »" in said
    assert [(call.outcome, call.who, call.note, call.reached) for call in sheet.calls] == [
        ("voicemail", "Ana Silva", "Left word with the front desk.", False)
    ]
    assert (sheet.owed, sheet.currency) == (Decimal(950), "EUR")
    assert sheet.best.at >= now


def test_a_sheet_is_shown_to_whoever_sees_the_task(desk: Desk, session: Session, now: datetime) -> None:
    task = desk.call()
    stranger = a_user(session, "Greta Weber", now=now, entities=("DE01",))
    with pytest.raises(NoSuchTask):
        call_sheet(session, user=stranger, task_id=task.id, now=now)


def test_a_broken_promise_and_a_wish_shape_the_sheet(desk: Desk, session: Session, now: datetime) -> None:
    promise = Promise(case_id=desk.case.id, account_id=desk.account.id, date=date(2026, 2, 20), amount=Decimal(100),
                      currency="EUR", state="broken", created_at=now - timedelta(days=20))  # fmt: skip
    session.add(promise)
    session.flush()
    task = desk.call(payload={"promise_id": promise.id, "wish": "Rappelez-moi à 14h", "phone": "+33 6 12 34 56 78"})
    sheet = call_sheet(session, user=desk.ana, task_id=task.id, now=now)
    assert sheet.facts.promised == date(2026, 2, 20)
    assert (sheet.people[0].wished, sheet.people[0].link, sheet.wish) == (
        True, "tel:+33-6-12-34-56-78", "Rappelez-moi à 14h",
    )  # fmt: skip
    assert sheet.promises == (promise,)


def test_a_reached_customer_ends_the_call_and_every_other_open_one(desk: Desk, session: Session) -> None:
    task, other = desk.call(), desk.call()
    after = desk.ended(task, "reached", note="She is content.")
    assert (after.follow, task.state, task.outcome, task.payload["counts"]) == ("playbook", "done", "reached", True)
    assert (other.state, other.outcome) == ("cancelled", "reached by another call")
    assert desk.open() == []
    note = session.scalars(select(Note)).one()
    assert (note.text, note.source, note.author_id) == ("She is content.", "call", desk.ana.id)
    assert desk.verbs()[-1] == "call reached"
    told = session.scalars(select(Event).where(Event.verb == "call reached")).one()
    assert "content" not in str(told.after), "the log is shown more widely than the case's talk"


def test_nobody_answers_and_after_three_tries_we_write(desk: Desk, session: Session) -> None:
    task = desk.call(payload={"wish": "after lunch"})
    for tries in (1, 2):
        after = desk.ended(task, "unreachable")
        assert (after.follow, after.counts) == ("call_again", False)
        assert desk.open() == [("courtesy_call", desk.ana.id)]
        task = session.scalars(select(Task).where(Task.state == "open", Task.kind == "courtesy_call")).one()
        assert (task.due_at, task.payload["wish"]) == (after.at, "after lunch")
        assert tries < 3
    after = desk.ended(task, "voicemail")
    assert (after.follow, after.counts, desk.open()) == ("playbook", True, [])


def test_a_promise_made_on_the_phone_is_kept_and_the_case_waits(desk: Desk, session: Session) -> None:
    task = desk.call()
    day = (desk.now + timedelta(days=4)).date()
    with pytest.raises(BadInput, match="date and amount"):
        desk.ended(task, "promised")
    with pytest.raises(BadInput, match="past"):
        desk.ended(task, "promised", promised=date(2026, 1, 1), amount=Decimal(5))
    assert task.state == "open"
    desk.ended(task, "promised", promised=day, amount=Decimal("950.00"), currency="EUR")
    promise = session.scalars(select(Promise)).one()
    assert (promise.date, promise.amount, promise.currency, promise.state) == (day, Decimal(950), "EUR", "open")
    assert (desk.case.state, desk.case.waiting_on) == ("waiting", "customer")


def test_money_on_its_way_is_watched_like_a_promise_of_any_amount(desk: Desk, session: Session) -> None:
    after = desk.ended(desk.call(), "in_payment")
    promise = session.scalars(select(Promise)).one()
    assert (promise.amount, promise.date) == (None, after.at.date())
    assert desk.case.waiting_on == "customer"


def test_waiting_for_their_approval_books_the_next_call_and_waits(desk: Desk) -> None:
    after = desk.ended(desk.call(), "waiting_approval")
    assert desk.open() == [("courtesy_call", desk.ana.id)]
    assert (desk.case.state, desk.case.waiting_until) == ("waiting", after.at)


def test_an_invoice_that_never_arrived_is_to_be_sent(desk: Desk) -> None:
    desk.ended(desk.call(), "invoice_not_received")
    assert desk.open() == [("send_copy", desk.paula.id)]


def test_what_they_dispute_makes_a_dispute_and_asks_its_owner(desk: Desk, session: Session) -> None:
    cases.correct(session, case_id=desk.case.id, kind="query", reason="copy_invoice",
                  actor=user_actor(desk.ana.id), now=desk.now)  # fmt: skip
    task = desk.call()
    with pytest.raises(BadInput, match="no reason of a dispute"):
        desk.ended(task, "disputes", reason="copy_invoice")
    desk.ended(task, "disputes", reason="quantity")
    assert (desk.case.kind, desk.case.reason) == ("dispute", "quantity")
    assert [kind for kind, _ in desk.open()] == ["owner_answer"]
    again = desk.call()
    desk.ended(again, "disputes")
    assert [kind for kind, _ in desk.open()] == ["owner_answer"], "the owner is asked once"


@pytest.mark.parametrize(
    ("outcome", "values"),
    [
        ("reached", {"note": "Slip."}),
        ("voicemail", {}),
        ("invoice_not_received", {}),
        ("waiting_approval", {}),
        ("disputes", {"reason": "quantity"}),
        ("in_payment", {}),
        ("promised", {"promised": date(2026, 3, 6), "amount": Decimal(20), "currency": "EUR"}),
    ],
)
def test_an_outcome_is_undone_exactly_and_can_be_told_again(
    desk: Desk, session: Session, outcome: str, values: dict[str, object]
) -> None:
    task, other = desk.call(), desk.call(assignee_id=None)
    watched = ("state", "waiting_on", "waiting_until", "kind", "reason", "owner_id", "team_id", "due_at", "next_step")
    before = {name: getattr(desk.case, name) for name in watched}
    desk.ended(task, outcome, **values)
    assert desk.undone(task).state == "open"
    assert {name: getattr(desk.case, name) for name in watched} == before
    assert desk.open() == [("courtesy_call", desk.ana.id), ("courtesy_call", None)]
    assert other.state == "open"
    assert [*session.scalars(select(Promise)), *session.scalars(select(Note))] == []
    assert desk.undone(task).state == "open", "undoing twice is harmless"
    follow = desk.ended(task, "unreachable").follow
    assert (follow, desk.open()[-1]) == ("call_again", ("courtesy_call", desk.ana.id))


def test_a_call_is_not_undone_once_something_else_happened(desk: Desk, session: Session) -> None:
    task = desk.call()
    desk.ended(task, "reached")
    cases.close(session, case_id=desk.case.id, resolution="answered", actor=user_actor(desk.ana.id), now=desk.now)
    with pytest.raises(TooLate):
        desk.undone(task)
    assert task.state == "done"


def test_only_a_call_ends_like_one(desk: Desk) -> None:
    with pytest.raises(NotACall):
        desk.ended(desk.call(kind="answer"), "reached")
    done = desk.call()
    desk.ended(done, "reached")
    with pytest.raises(tasks.TaskEnded):
        desk.ended(done, "reached")


def test_an_agent_who_wants_to_call_gets_the_open_call_or_one_of_their_own(desk: Desk, session: Session) -> None:
    actor = user_actor(desk.ana.id)
    mine = calls.ask_for_call(session, case_id=desk.case.id, actor=actor, now=desk.now)
    assert (mine.assignee_id, mine.due_at) == (desk.ana.id, desk.now)
    assert calls.ask_for_call(session, case_id=desk.case.id, actor=actor, now=desk.now) is mine
    desk.ended(mine, "reached")
    assert calls.ask_for_call(session, case_id=desk.case.id, actor=actor, now=desk.now) is not mine


def test_a_call_is_a_new_one_after_cases_came_apart(desk: Desk, session: Session) -> None:
    def asked(case: Case) -> Task:
        return calls.ask_for_call(session, case_id=case.id, actor=actor, now=desk.now)

    actor = user_actor(desk.ana.id)
    other = a_case(session, desk.account, now=desk.now, owner_id=desk.paula.id)
    desk.ended(asked(other), "reached")
    life.merge(session, case_id=other.id, target_id=desk.case.id, actor=actor, now=desk.now)
    together = asked(desk.case)
    desk.ended(together, "reached")
    life.unmerge(session, case_id=other.id, actor=actor, now=desk.now)
    apart = asked(desk.case)
    assert (apart.id == together.id, apart.state) == (False, "open")


def test_a_call_is_an_agents_even_where_a_finance_owner_has_the_case(desk: Desk, session: Session) -> None:
    def opened(number: int) -> Task:
        return tasks.open_task(session, kind="courtesy_call", title="Call", dedupe_key=f"c{number}",
                               actor=user_actor(desk.ana.id), now=desk.now, due_at=None, case=desk.case)  # fmt: skip

    queued = opened(1)
    assert (queued.team_id, queued.assignee_id) == (desk.ana.team_id, None)
    taken = tasks.assign(session, task_id=queued.id, user_id=desk.ana.id, actor=user_actor(desk.ana.id), now=desk.now)
    mention = a_task(session, now=desk.now, case=desk.case, kind="mention", assignee_id=desk.ana.id)
    ben = a_user(session, "Ben Hart", now=desk.now, team_id=desk.ana.team_id)
    for owner, has_it in ((desk.paula, desk.ana), (ben, ben), (desk.paula, ben)):
        cases.assign(session, case_id=desk.case.id, owner_id=owner.id, team_id=None,
                     actor=user_actor(desk.ana.id), now=desk.now)  # fmt: skip
        assert taken.assignee_id == has_it.id
    assert mention.assignee_id == desk.ana.id


def test_a_customer_who_asks_for_a_call_gets_one_soon_with_their_own_wish(
    session: Session, deliver: Deliver, now: datetime
) -> None:
    deliver(
        "The price on INV-2026-0101 is wrong. Please call me back this afternoon on 020 7946 0123, "
        "I want to talk to somebody on the phone.",
        at=now,
    )
    task = session.scalars(select(Task).where(Task.kind == "courtesy_call")).one()
    assert task.title.endswith("back: they asked for it")
    assert "call me back this afternoon" in task.payload["wish"]
    assert task.payload["phone"] == "+44 20 7946 0123"
    assert task.due_at == now + timedelta(hours=4)


@pytest.mark.parametrize(
    ("text", "language", "country", "words", "phone"),
    [
        ("Prix faux. Merci de me rappeler au 06 12 34 56 78. De 14h à 16h.", "fr", "FR",
         "Merci de me rappeler au 06 12 34 56 78. De 14h à 16h", "+33 6 12 34 56 78"),
        ("Bitte um Rückruf.\n> call me never", "de", "DE", "Bitte um Rückruf", ""),
        ("Nothing of the kind.", None, None, "", ""),
    ],
)  # fmt: skip
def test_a_wish_is_quoted_with_its_time_and_number(
    text: str, language: str | None, country: str | None, words: str, phone: str
) -> None:
    wish = wish_of(text, language=language, country=country)
    assert (wish.words, wish.phone) == (words, phone)


def test_a_call_about_a_promise_of_a_closed_case_goes_its_way(desk: Desk, session: Session) -> None:
    cases.close(session, case_id=desk.case.id, resolution="answered", actor=user_actor(desk.ana.id), now=desk.now)
    day = (desk.now + timedelta(days=4)).date()
    desk.ended(desk.call(), "promised", promised=day, amount=Decimal(20), currency="EUR")
    assert (desk.case.state, session.scalars(select(Promise.date)).one()) == ("closed", day)
    disputed = desk.call()
    desk.ended(disputed, "disputes")
    assert (desk.case.state, desk.open()[-1][0]) == ("in_progress", "owner_answer")
    with pytest.raises(TooLate):
        desk.undone(disputed)
