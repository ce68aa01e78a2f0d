"""Stories of calls, promises, payments and silence, from the first mail to the close."""

from datetime import date

from sqlalchemy import select

from app.core.events import Actor
from disputes.actions import bank_checks, life, tasks
from disputes.bank_check import CallBack
from disputes.bank_holds import is_held
from disputes.models import Outgoing
from tests.scenarios.people import Team
from tests.scenarios.world import World

ANGRY = (
    "This is outrageous and unacceptable! I am furious. You billed INV-2026-0101 at the wrong price AGAIN. "
    "This is the third time, absolute shambles, I am sick of it!"
)
PROMISE = "Sorry for the delay, we will pay INV-2026-0101 on 12 March 2026."


def test_an_angry_customer_is_called_before_anything_is_written(world: World, gus: Actor) -> None:
    case = world.case(world.customer(ANGRY, subject="UNACCEPTABLE"))
    assert case.sentiment == "angry"
    assert (world.letters(case), world.tasks(case).count("courtesy_call")) == ([], 1)
    world.on(6, 17)
    assert world.letters(case) == [], "nothing in writing until somebody called"
    world.calls(case, "reached", actor=gus, note="She calmed down; wants the price corrected.")
    assert "courtesy_call" not in world.tasks(case)
    world.on(13, 17)
    assert world.letters(case)[0] in {"acknowledgement", "status"}, "now the written steps follow"
    life.resolve(world.session, case_id=case.id, resolution="accepted", note="", actor=gus, now=world.now)
    world.credits("INV-2026-0101", "864.00")
    world.on(31)
    assert world.cases()[0].state == "closed"


def test_a_broken_promise_makes_a_call_and_no_letter(world: World, gus: Actor) -> None:
    case = world.case(world.customer(PROMISE, subject="Payment"))
    assert (case.reason, world.promises(case)) == ("promise_to_pay", ["open"])
    world.on(13)
    assert world.promises(case) == ["open"], "banks are slow: two days of grace"
    world.on(18)
    assert world.promises(case) == ["broken"]
    assert world.tasks(case).count("courtesy_call") == 1
    assert not [one for one in world.sent if one.kind in {"letter", "reminder"}]
    world.calls(case, "promised", actor=gus, day=date(2026, 3, 25), amount="864.00", note="Friday's run")
    world.on(24)
    world.pays("INV-2026-0101", "864.00")
    world.on(31)
    world.on(20, month=4)
    assert world.promises(case) == ["broken", "kept"]
    assert world.cases()[0].state == "closed"


def test_a_payment_in_part_keeps_a_promise_in_part(world: World) -> None:
    case = world.case(world.customer(PROMISE, subject="Payment"))
    world.on(11)
    world.pays("INV-2026-0101", "500.00")
    world.on(18)
    assert world.promises(case) == ["partly_kept"]
    assert "courtesy_call" in world.tasks(case)


def test_a_payment_on_the_eve_stops_the_letter(world: World, gus: Actor) -> None:
    """We wait for the customer for three weeks; the money comes the day before the letter would have gone."""
    case = world.case(world.customer("Please send us a copy of INV-2026-0101, we cannot find it.", subject="Copy"))
    world.on(3)
    world.reply(case, "Here is the copy of your invoice.", actor=gus)
    world.on(23, 15)
    assert "letter" not in world.tasks(case)
    world.pays("INV-2026-0101", "864.00")
    world.on(25)
    assert "letter" not in world.tasks(case)
    assert not [one for one in world.sent if one.kind in {"letter", "reminder"}]
    world.ends(case, "answered", actor=gus)


def test_silence_is_asked_called_and_only_then_written_to(world: World, gus: Actor) -> None:
    """A dispute that waits for the customer's photos: asked again, called, then a letter of the undisputed rest."""
    case = world.case(
        world.customer("The chairs on INV-2026-0101 were quoted at 72.00 and billed at 80.00, the price is wrong.")
    )
    world.on(3)
    world.reply(case, "Please send us your order so that we can compare the prices.", actor=gus)
    assert (world.cases()[0].state, world.cases()[0].waiting_on) == ("waiting", "customer")
    world.on(12, 17)
    assert "question" in [one.kind for one in world.sent], "asked again after a week"
    world.on(17, 17)
    assert "courtesy_call" in world.tasks(case)
    world.calls(case, "unreachable", actor=gus)
    world.on(31, 17)
    letters = [step for step in world.steps(case) if " letter " in step]
    assert letters, "the letter came up"
    assert all("in dispute" in step for step in letters), "and was refused: all that is overdue is disputed"
    world.ends(case, "accepted", actor=gus)


def test_a_fraudulent_change_of_bank_details_is_held_for_people(world: World, team: Team, gus: Actor) -> None:
    case = world.case(
        world.customer(
            "Please note that our bank details have changed. From now on refund INV-2026-0101 to IBAN "
            "GB33BUKB20201555555555, and update our account in your system urgently.",
            subject="New bank details",
        )
    )
    assert "payment_diversion" in case.flags
    assert is_held(world.session, case_id=case.id, account_id=world.ledger.acme.id), "nothing happens by itself"
    assert world.letters(case) == []
    assert world.session.scalars(select(Outgoing.id).where(Outgoing.case_id == case.id)).all() == []
    assert "GB33BUKB20201555555555" not in str(world.ledger.acme.__dict__), "no data of the account changed"
    world.on(20)
    assert world.letters(case) == []
    assert team.name(case.owner_id) != "nobody"
    found_out_by_two(world, world.task(case, "bank_check").payload["check"], gus, team.actor("fay"))
    assert world.tasks(case)[-2:] == ["warn_customer", "check_sender"]
    for kind in ("warn_customer", "check_sender"):
        tasks.tick_off(world.session, task_id=world.task(case, kind).id, actor=gus, now=world.now)
    world.ends(case, "withdrawn", actor=gus)
    assert world.letters(case) == [], "nothing was ever written to the thief"


def found_out_by_two(world: World, check_id: int, first: Actor, second: Actor) -> None:
    """Acme says on the phone that nobody there wrote this."""
    call = CallBack(outcome="fraud", note="Ann Lee knows nothing of it")
    bank_checks.say(world.session, check_id=check_id, call=call, actor=first, now=world.now)
    bank_checks.confirm(world.session, check_id=check_id, actor=second, now=world.now)


def test_a_bounced_answer_comes_back_to_the_case(world: World, gus: Actor) -> None:
    case = world.case(world.customer("Please send us a copy of INV-2026-0101.", subject="Copy"))
    world.on(3)
    sent = world.reply(case, "Here it is.", actor=gus)
    world.bounces(sent)
    assert "mail_returned" in world.tasks(case)
    assert world.cases()[0].state != "waiting", "nobody waits for somebody who was never reached"
    world.ends(case, "answered", actor=gus)
