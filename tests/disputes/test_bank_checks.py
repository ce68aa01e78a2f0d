"""S15, M15 in rows: a mail that may divert payments holds case and account until two people released it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import Actor, Event, system, user_actor
from disputes.actions import bank_checks, cases, life, outbox, progress, tasks
from disputes.actions.bank_checks import BadCall, NoCheck, NotNow, NotYours
from disputes.bank_check import BankCheckPolicy, CallBack
from disputes.bank_holds import holds_of, is_held
from disputes.models import BankCheck, Case, Message, Outgoing, Task
from disputes.queries.calls import call_sheet
from invoices.models import Account
from letters.dunning_facts import owing
from letters.guards import forbidden
from letters.procedure import shipped
from tests.factories import a_case, a_message, a_task, a_team, a_user, an_account, an_entity
from tests.fixtures_progress import LETTER, STATUS, TOKENS, Story, march

POLICY = BankCheckPolicy()
NUMBER = "+33 1 42 00 00 00"
GENUINE = CallBack(outcome="genuine", number=NUMBER, note="Claire Martin confirms it")
FRAUD = CallBack(outcome="fraud", number=NUMBER, note="Nobody there wrote this")
TEXT = "Our bank account has changed: pay refunds to FR76 3000 1007 9412 3456. Questions: 06 12 34 56 78"


@dataclass
class Bank:
    """A case of Claire's with a mail about new bank details, which nobody heard yet; three colleagues."""

    session: Session
    account: Account
    case: Case
    message: Message
    people: dict[str, User]
    now: datetime

    def hear(self, message: Message | None = None, **facts: Any) -> BankCheck | None:
        known: dict[str, Any] = {
            "authentic": True,
            "machine": False,
            "policy": POLICY,
            "actor": system("intake"),
            "now": self.now,
        }
        case = self.session.get_one(Case, (message or self.message).case_id)
        return bank_checks.hear(self.session, message=message or self.message, case=case, **{**known, **facts})

    def check(self) -> BankCheck:
        found = self.hear()
        assert found is not None
        return found

    def say(self, check: BankCheck, who: str, call: CallBack = GENUINE) -> BankCheck:
        return bank_checks.say(self.session, check_id=check.id, call=call, actor=self.actor(who), now=self.now)

    def confirm(self, check: BankCheck, who: str, *, hours: float = 24) -> BankCheck:
        at = self.now + timedelta(hours=hours)
        return bank_checks.confirm(self.session, check_id=check.id, actor=self.actor(who), now=at)

    def actor(self, who: str) -> Actor:
        return user_actor(self.people[who].id)

    def held(self) -> tuple[bool, bool]:
        """Whether the case is, and whether the account is."""
        found = holds_of(self.session, case_ids=[self.case.id], account_ids=[self.account.id])
        return self.case.id in found.cases, self.account.id in found.accounts

    def verbs(self) -> list[str]:
        return list(self.session.scalars(select(Event.verb).where(Event.subject == "case").order_by(Event.id)))

    def open_tasks(self) -> list[tuple[str, int | None]]:
        rows = select(Task.kind, Task.assignee_id).where(Task.state == "open").order_by(Task.id)
        return [(kind, assignee) for kind, assignee in self.session.execute(rows)]


@pytest.fixture
def bank(session: Session, now: datetime) -> Bank:
    account = an_account(session, an_entity(session))
    team = a_team(session)
    people = {
        "ana": a_user(session, "Ana Silva", now=now, team_id=team.id),
        "ben": a_user(session, "Ben Roth", now=now, team_id=team.id),
        "lead": a_user(session, "Lea Roth", now=now, role="lead"),
        "admin": a_user(session, "Ada Rex", now=now, role="admin"),
    }
    team.lead_id = people["lead"].id
    case = a_case(session, account, now=now, team_id=team.id, owner_id=people["ana"].id)
    message = a_message(session, case, now=now, new_text=TEXT, flags=["payment_diversion"])
    return Bank(session, account, case, message, people, now)


def test_a_mail_about_bank_details_holds_case_and_account_and_asks_for_a_call_back(bank: Bank) -> None:
    check = bank.check()
    assert (check.state, check.grounds, check.cool_until) == ("open", ["changed_details"], bank.now + POLICY.cooling)
    assert [one["phone"] for one in check.numbers] == [NUMBER]
    assert bank.held() == (True, True)
    assert bank.open_tasks() == [("bank_check", bank.people["ana"].id)]
    assert bank.verbs() == ["bank details to check"]
    event = bank.session.scalars(select(Event).where(Event.verb == "bank details to check")).one()
    assert event.actor == "system:intake"
    assert (event.after or {})["message_id"] == bank.message.id
    assert bank.hear() is None, "hearing it again changes nothing"


def test_a_mail_that_fails_dmarc_is_held_and_a_machines_report_or_our_own_mail_is_not(bank: Bank) -> None:
    calm = a_message(bank.session, bank.case, now=bank.now, flags=[])
    assert bank.hear(calm) is None
    assert bank.hear(calm, authentic=False, machine=True) is None
    ours = a_message(bank.session, bank.case, now=bank.now, flags=["payment_diversion"], direction="out")
    assert bank.hear(ours) is None
    check = bank.hear(calm, authentic=False)
    assert check is not None
    assert check.grounds == ["not_authentic"]


def test_two_people_release_it_after_the_cooling_off(bank: Bank) -> None:
    check = bank.check()
    bank.say(check, "ana")
    assert bank.open_tasks() == [("bank_confirm", bank.people["lead"].id)], "the owner spoke: somebody else confirms"
    with pytest.raises(NotNow):
        bank.confirm(check, "ben", hours=23.9)
    assert bank.held() == (True, True)
    bank.confirm(check, "ben")
    assert bank.held() == (False, False)
    assert (check.state, check.first_id, check.second_id) == (
        "released", bank.people["ana"].id, bank.people["ben"].id,
    )  # fmt: skip
    assert bank.open_tasks() == []
    assert bank.verbs() == ["bank details to check", "call-back made", "bank details released"]


@pytest.mark.parametrize("who", ["ana", "lead", "admin"])
def test_nobody_is_both_people_whatever_their_role(bank: Bank, who: str) -> None:
    check = bank.check()
    bank.say(check, who)
    with pytest.raises(NotYours):
        bank.confirm(check, who)
    bank.people[who].role = "admin"
    with pytest.raises(NotYours):
        bank.confirm(check, who)
    assert (check.state, bank.held()) == ("asked", (True, True))


@pytest.mark.parametrize("actor", [system("intake"), Actor("token:3"), Actor("customer:claire"), Actor("user:999")])
def test_programs_tokens_and_strangers_are_no_person(bank: Bank, actor: Actor) -> None:
    check = bank.check()
    with pytest.raises(NotYours):
        bank_checks.say(bank.session, check_id=check.id, call=GENUINE, actor=actor, now=bank.now)
    bank.say(check, "ana")
    with pytest.raises(NotYours):
        bank_checks.confirm(bank.session, check_id=check.id, actor=actor, now=bank.now + timedelta(days=2))
    bank.people["ben"].active = False
    with pytest.raises(NotYours):
        bank.confirm(check, "ben")


def test_the_number_of_the_mail_is_refused_whatever_the_caller_claims_of_it(bank: Bank) -> None:
    check = bank.check()
    claimed = CallBack(
        outcome="genuine", number="0612345678", source="contract", note="Fine", on_file=("0612345678",), mail_text=""
    )
    with pytest.raises(BadCall) as refused:
        bank.say(check, "ana", claimed)
    assert "number" in refused.value.fields
    bank.account.contacts[0].phone = "06 12 34 56 78"
    with pytest.raises(BadCall):
        bank.say(check, "ana", claimed)
    assert check.state == "open", "what the ledger learns after the mail is not known before it"


def test_nobody_reached_is_told_and_the_hold_stays(bank: Bank) -> None:
    check = bank.check()
    bank.say(check, "ana", CallBack(outcome="not_reached", note="Voicemail"))
    assert (check.state, bank.verbs()[-1], bank.held()) == ("open", "call-back reached nobody", (True, True))
    with pytest.raises(NotNow):
        bank.confirm(check, "ben")


def test_who_disagrees_has_the_call_made_again(bank: Bank) -> None:
    check = bank.check()
    bank.say(check, "ana")
    with pytest.raises(BadCall):
        bank_checks.send_back(bank.session, check_id=check.id, note="", actor=bank.actor("ben"), now=bank.now)
    bank_checks.send_back(bank.session, check_id=check.id, note="Whose voice?", actor=bank.actor("ben"), now=bank.now)
    assert (check.state, check.first_id) == ("open", None)
    assert bank.open_tasks() == [("bank_check", bank.people["ana"].id)]
    bank.say(check, "ben")
    bank.confirm(check, "ana")
    assert check.state == "released"


def test_another_such_mail_voids_the_first_word_and_one_after_the_release_begins_anew(bank: Bank) -> None:
    check = bank.check()
    bank.say(check, "ana")
    bank.now += timedelta(hours=30)
    second = a_message(bank.session, bank.case, now=bank.now, flags=["payment_diversion"])
    assert bank.hear(second) is check
    assert (check.state, check.first_id, check.cool_until) == ("open", None, bank.now + POLICY.cooling)
    bank.say(check, "ana")
    bank.confirm(check, "ben")
    third = a_message(bank.session, bank.case, now=bank.now, flags=["payment_diversion"])
    again = bank.hear(third)
    assert again is not None
    assert again.id != check.id
    assert bank.held() == (True, True)


def test_a_confirmed_fraud_warns_the_customer_and_changes_nothing(bank: Bank) -> None:
    check = bank.check()
    before = dict(bank.account.__dict__)
    bank.say(check, "ana", FRAUD)
    bank.confirm(check, "ben", hours=0.1)
    assert check.state == "fraud"
    assert [kind for kind, _ in bank.open_tasks()] == ["warn_customer", "check_sender"]
    assert bank.held() == (True, True), "nobody is dunned before they are warned"
    tasks.finish(bank.session, task_id=check.warn_task_id or 0, outcome="told", actor=bank.actor("ana"), now=bank.now)
    assert bank.held() == (True, False), "the thief's case stays held"
    assert {name: value for name, value in bank.account.__dict__.items() if name in before} == before


def test_later_mail_of_a_known_fraud_is_held_by_its_address_and_its_strange_domain(bank: Bank) -> None:
    bank.message.from_email = "claire@customer-billing.example"
    check = bank.check()
    bank.say(check, "ana", FRAUD)
    bank.confirm(check, "ben")
    other = a_case(bank.session, bank.account, now=bank.now)
    for sender, held in (("bob@customer-billing.example", True), ("claire@elsewhere.example", False)):
        calm = a_message(bank.session, other, now=bank.now, flags=[], from_email=sender)
        found = bank.hear(calm)
        assert (found is not None and found.grounds == ["known_fraud"]) == held


def test_a_fraud_from_the_accounts_own_domain_holds_that_address_alone(bank: Bank) -> None:
    domain = (bank.account.contacts[0].email or "").partition("@")[2]
    bank.account.contacts[0].domain = domain
    bank.message.from_email = f"Bob@{domain}"
    check = bank.check()
    assert (check.sender, check.domain) == (f"bob@{domain}", None)


def single_acts(bank: Bank, other: Case) -> dict[str, Callable[[], object]]:
    """All that one person can do around a case that might make it forget."""
    session, ana, now = bank.session, bank.actor("admin"), bank.now
    foreign = an_account(session, an_entity(session, "DE01"))

    def account_changed() -> None:
        bank.case.account_id = foreign.id

    def message_moved() -> None:
        bank.message.case_id = other.id

    def flags_gone() -> None:
        bank.case.flags = bank.message.flags = []

    return {
        "held and released": lambda: (
            cases.hold(session, case_id=bank.case.id, until=now + timedelta(days=1), why="x", actor=ana, now=now),
            cases.release(session, case_id=bank.case.id, actor=ana, now=now),
        ),
        "resolved": lambda: life.resolve(
            session, case_id=bank.case.id, resolution="rejected", note="", actor=ana, now=now
        ),
        "closed": lambda: cases.close(session, case_id=bank.case.id, resolution="no_action", actor=ana, now=now),
        "corrected": lambda: cases.correct(
            session, case_id=bank.case.id, kind="query", reason="status", actor=ana, now=now
        ),
        "merged": lambda: life.merge(session, case_id=bank.case.id, target_id=other.id, actor=ana, now=now),
        "tasks ticked off": lambda: [
            tasks.tick_off(session, task_id=number, actor=ana, now=now)
            for number in session.scalars(select(Task.id).where(Task.state == "open")).all()
        ],
        "account changed": account_changed,
        "message moved": message_moved,
        "flags gone": flags_gone,
        "raised again": lambda: bank_checks.raise_doubt(
            session, case_id=bank.case.id, message_id=bank.message.id, policy=POLICY, actor=ana, now=now
        ),
    }


ACTS = (
    *("held and released", "resolved", "closed", "corrected", "merged", "tasks ticked off", "account changed"),
    *("message moved", "flags gone", "raised again"),
)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("spoke", [False, True])
def test_nothing_one_person_does_around_it_ends_the_hold(bank: Bank, act: str, spoke: bool) -> None:
    check = bank.check()
    other = a_case(bank.session, bank.account, now=bank.now)
    a_message(bank.session, other, now=bank.now)
    if spoke:
        bank.say(check, "admin")
    single_acts(bank, other)[act]()
    bank.session.flush()
    assert check.state in {"open", "asked"}
    assert bank.account.id in holds_of(bank.session, account_ids=[bank.account.id]).accounts
    where = bank.session.get_one(Message, bank.message.id).case_id
    assert is_held(bank.session, case_id=where, account_id=None), "the case its mail is in"
    with pytest.raises(NotYours if spoke else NotNow):
        bank.confirm(check, "admin")


def test_a_closed_case_leaves_what_guards_others_to_do(bank: Bank) -> None:
    bank.check()
    cases.close(bank.session, case_id=bank.case.id, resolution="no_action", actor=bank.actor("ana"), now=bank.now)
    assert bank.open_tasks() == [("bank_check", bank.people["ana"].id)]


def test_a_doubt_of_a_colleagues_is_checked_too(bank: Bank) -> None:
    calm = a_message(bank.session, bank.case, now=bank.now, flags=[])
    values: dict[str, Any] = {"case_id": bank.case.id, "policy": POLICY, "actor": bank.actor("ana"), "now": bank.now}
    check = bank_checks.raise_doubt(bank.session, message_id=calm.id, **values)
    assert (check.grounds, bank.held()) == (["raised"], (True, True))
    assert bank_checks.raise_doubt(bank.session, message_id=calm.id, **values) is check
    with pytest.raises(NoCheck):
        bank_checks.raise_doubt(bank.session, message_id=calm.id + 100, **values)
    with pytest.raises(NoCheck):
        bank_checks.confirm(bank.session, check_id=check.id + 1, actor=bank.actor("ana"), now=bank.now)


# --- nothing automatic goes out


def held_story(story: Story) -> BankCheck:
    message = a_message(story.session, story.case, now=march(2, 11), flags=["payment_diversion"])
    check = bank_checks.hear(
        story.session, message=message, case=story.case, authentic=True, machine=False, policy=POLICY,
        actor=system("intake"), now=march(2, 11),
    )  # fmt: skip
    assert check is not None
    story.case.flags = ["payment_diversion"]
    return check


def released(story: Story, check: BankCheck, at: datetime) -> None:
    one, two = (user_actor(a_user(story.session, name, now=at).id) for name in ("Ana Silva", "Ben Roth"))
    bank_checks.say(story.session, check_id=check.id, call=GENUINE, actor=one, now=at)
    bank_checks.confirm(story.session, check_id=check.id, actor=two, now=at)


def test_no_step_is_taken_until_two_people_released_it_and_then_it_goes_on(story: Story) -> None:
    story.begin(STATUS, LETTER)
    check = held_story(story)
    for day in (3, 4, 20):
        story.sweep(march(day))
    assert (story.mails(), story.steps()) == ([], [])
    story.session.flush()
    verdict = progress.bring_forward(
        story.session, case_id=story.case.id, step="tell_status", tokens=TOKENS, actor=user_actor(1), now=march(20)
    )
    assert (verdict.verdict, verdict.guard) == ("refuse", "hold")
    released(story, check, march(24))
    story.sweep(march(25))
    assert story.mails() == ["status"]


def test_the_accounts_other_cases_write_nothing_either_and_no_letter_goes(story: Story) -> None:
    story.begin(STATUS)
    other = a_case(story.session, story.account, now=march(2), opened_at=march(2))
    message = a_message(story.session, other, now=march(2), flags=["payment_diversion"])
    bank_checks.hear(
        story.session, message=message, case=other, authentic=True, machine=False, policy=POLICY,
        actor=system("intake"), now=march(2),
    )  # fmt: skip
    story.sweep(march(3))
    assert (story.mails(), story.step("tell_status").guard) == ([], "two_people")
    found = owing(story.session, account_ids=[story.account.id], now=march(20))[story.account.id]
    refusal = forbidden(found.facts, shipped()["fr"], today=march(20).date())
    assert refusal is not None
    assert refusal.code == "two_people"


def test_a_mail_that_waits_in_the_outbox_does_not_leave(story: Story) -> None:
    story.begin(STATUS)
    story.sweep(march(3))
    assert story.mails() == ["status"]
    other = a_case(story.session, story.account, now=march(3))
    message = a_message(story.session, other, now=march(3), flags=["payment_diversion"])
    bank_checks.hear(
        story.session, message=message, case=other, authentic=True, machine=False, policy=POLICY,
        actor=system("intake"), now=march(3),
    )  # fmt: skip
    assert outbox.claim(story.session, worker="w", now=march(3, 10)) is None
    mail = story.session.scalars(select(Outgoing)).one()
    assert (mail.state, mail.last_error) == ("cancelled", outbox.HELD)


def test_letters_go_again_once_it_is_released(story: Story) -> None:
    check = held_story(story)
    released(story, check, march(5))
    found = owing(story.session, account_ids=[story.account.id], now=march(20))[story.account.id]
    assert not found.facts.checked
    assert [one.tags for one in found.facts.matters] == [frozenset()]


def test_the_call_sheet_offers_no_number_that_a_mail_named(bank: Bank) -> None:
    named = {"wish": "Call me on 06 12 34 56 78", "phone": "+33 6 12 34 56 78"}
    task = a_task(bank.session, now=bank.now, case=bank.case, kind="courtesy_call", payload=named)
    values: dict[str, Any] = {"user": bank.people["ana"], "task_id": task.id, "now": bank.now}
    assert [one.phone for one in call_sheet(bank.session, **values).people] == [named["phone"], NUMBER]
    bank.check()
    sheet = call_sheet(bank.session, **values)
    assert ([one.phone for one in sheet.people], sheet.checked) == ([NUMBER], True)
