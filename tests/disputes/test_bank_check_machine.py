"""S15 in rows: whatever one person does, with every right and in whatever order, no hold ends and nothing goes out."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import DomainError
from app.core.events import system, user_actor
from disputes.actions import bank_checks, cases, corrections, life, outbox, planning, progress, tasks
from disputes.bank_check import BankCheckPolicy, CallBack
from disputes.bank_holds import holds_of, is_held
from disputes.clock_events import Happened
from disputes.models import BankCheck, Case, Message, Outgoing, Task
from tests.factories import a_case, a_message, a_user, an_account, an_entity, an_invoice, in_case
from tests.fixtures_progress import TOKENS

POLICY = BankCheckPolicy()
OUTCOMES = st.sampled_from(["genuine", "fraud", "not_reached"])
which = st.integers(0, 1)


class OnePerson(RuleBasedStateMachine):
    """An administrator alone with two cases of an account, one of them held for a mail about bank details."""

    session: Session
    begun: datetime

    def __init__(self) -> None:
        super().__init__()
        self.point = self.session.begin_nested()
        self.now = self.begun
        self.actor = user_actor(a_user(self.session, now=self.now, role="admin").id)
        entity = an_entity(self.session)
        account = an_account(self.session, entity)
        self.account_id, self.foreign_id = account.id, an_account(self.session, entity).id
        account.contacts[0].email = "claire@customer.example"
        self.cases = [a_case(self.session, account, now=self.now).id for _ in range(2)]
        for number in self.cases:
            in_case(self.session, self.session.get_one(Case, number), an_invoice(self.session, account), now=self.now)
        case = self.session.get_one(Case, self.cases[0])
        mail = a_message(self.session, case, now=self.now, flags=["payment_diversion"])
        a_message(self.session, self.session.get_one(Case, self.cases[1]), now=self.now)
        self.mail_id = mail.id
        check = bank_checks.hear(
            self.session, message=mail, case=case, authentic=True, machine=False, policy=POLICY,
            actor=system("intake"), now=self.now,
        )  # fmt: skip
        assert check is not None
        self.check_id = check.id
        for number in self.cases:
            opened = self.session.get_one(Case, number)
            planning.heard(self.session, case=opened, what=Happened.OPENED, actor=system("intake"), now=self.now)

    def teardown(self) -> None:
        self.session.expunge_all()
        self.point.rollback()

    def done(self, act: Any, **values: Any) -> None:
        """Do it, in a savepoint; what is refused leaves no trace."""
        try:
            with self.session.begin_nested():
                act(self.session, actor=self.actor, now=self.now, **values)
        except DomainError:
            self.session.expire_all()

    @rule(outcome=OUTCOMES)
    def say(self, outcome: Any) -> None:
        call = CallBack(outcome=outcome, number="+33 1 42 00 00 00", note="They said so")
        self.done(bank_checks.say, check_id=self.check_id, call=call)

    @rule()
    def confirm(self) -> None:
        self.done(bank_checks.confirm, check_id=self.check_id)

    @rule()
    def send_back(self) -> None:
        self.done(bank_checks.send_back, check_id=self.check_id, note="No")

    @rule(case=which)
    def doubt(self, case: int) -> None:
        self.done(bank_checks.raise_doubt, case_id=self.cases[case], message_id=self.mail_id, policy=POLICY)

    @rule(case=which)
    def hold(self, case: int) -> None:
        self.done(cases.hold, case_id=self.cases[case], until=self.now + timedelta(days=1), why="x")

    @rule(case=which)
    def end_the_hold(self, case: int) -> None:
        self.done(cases.release, case_id=self.cases[case])

    @rule(case=which)
    def resolve(self, case: int) -> None:
        self.done(life.resolve, case_id=self.cases[case], resolution="rejected", note="")

    @rule(case=which)
    def close(self, case: int) -> None:
        self.done(cases.close, case_id=self.cases[case], resolution="no_action")

    @rule(case=which)
    def reopen(self, case: int) -> None:
        self.done(cases.reopen, case_id=self.cases[case])

    @rule(case=which)
    def correct(self, case: int) -> None:
        self.done(cases.correct, case_id=self.cases[case], kind="query", reason="status")

    @rule(case=which)
    def merge(self, case: int) -> None:
        self.done(life.merge, case_id=self.cases[case], target_id=self.cases[1 - case])

    @rule(case=which)
    def unmerge(self, case: int) -> None:
        self.done(life.unmerge, case_id=self.cases[case])

    @rule(own=st.booleans())
    def put_the_case_on_another_account(self, own: bool) -> None:
        account_id = self.account_id if own else self.foreign_id
        self.done(corrections.set_case_account, case_id=self.cases[0], account_id=account_id)

    @rule(own=st.booleans())
    def put_the_mail_on_another_account(self, own: bool) -> None:
        account_id = self.account_id if own else self.foreign_id
        self.done(corrections.set_account, message_id=self.mail_id, account_id=account_id)

    @rule(case=which)
    def move_the_mail(self, case: int) -> None:
        self.done(corrections.move, message_id=self.mail_id, case_id=self.cases[case])

    @rule()
    def tick_all_tasks_off(self) -> None:
        for number in self.session.scalars(select(Task.id).where(Task.state == "open")).all():
            self.done(tasks.tick_off, task_id=number)

    @rule(case=which, step=st.sampled_from(["acknowledge", "tell_status", "letter"]))
    def bring_forward(self, case: int, step: str) -> None:
        self.done(progress.bring_forward, case_id=self.cases[case], step=step, tokens=TOKENS)

    @rule(hours=st.integers(1, 200))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        progress.take_due(self.session, now=self.now, tokens=TOKENS)

    @rule()
    def the_outbox_is_emptied(self) -> None:
        assert outbox.claim(self.session, worker="w", now=self.now) is None

    @invariant()
    def the_hold_stands(self) -> None:
        check = self.session.get_one(BankCheck, self.check_id)
        assert check.state in {"open", "asked"}
        assert check.second_id is None
        place = self.session.get_one(Message, self.mail_id).case_id
        held = frozenset({self.cases[0], *([place] if place is not None else [])})
        found = holds_of(self.session, case_ids=held, account_ids=[self.account_id])
        assert (found.pending, found.accounts) == (held, frozenset({self.account_id}))
        assert is_held(self.session, case_id=self.cases[1], account_id=self.account_id)

    @invariant()
    def nothing_went_out(self) -> None:
        assert self.session.scalars(select(Outgoing.id).where(Outgoing.state.in_(("sending", "sent")))).all() == []


def test_no_order_of_acts_of_one_person_ends_a_hold(session: Session, now: datetime) -> None:
    run_state_machine_as_test(
        type("Alone", (OnePerson,), {"session": session, "begun": now}),
        settings=settings(
            max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert session.scalars(select(BankCheck)).all() == [], "each example is rolled back"
