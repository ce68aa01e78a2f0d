"""Stories of disputes, from the first mail to the close."""

from datetime import UTC, datetime
from decimal import Decimal

from app.core.events import Actor
from disputes.actions import absences, cases, life, tasks
from tests.scenarios.people import Team
from tests.scenarios.world import World

PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)
SUBJECT = "Wrong price on INV-2026-0101"


def test_a_price_dispute_is_accepted_in_part(world: World, team: Team, gus: Actor) -> None:
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    assert (case.kind, case.reason, case.state) == ("dispute", "price", "new")
    assert team.name(case.owner_id) in {"pia", "max"}
    assert world.letters(case) == ["acknowledgement"]
    assert world.disputed(case) == Decimal("864.00")

    world.on(4, 10)
    owner = team.actor(team.name(case.owner_id))
    tasks.finish(
        world.session, task_id=world.task(case, "owner_answer").id, outcome="accepted 96.00", actor=owner, now=world.now
    )
    world.reply(case, "You are right: we credit 96.00 and kindly ask you to pay the rest.", actor=gus)
    invoice = world.invoice("INV-2026-0101")
    life.resolve(
        world.session,
        case_id=case.id,
        resolution="partly_accepted",
        amounts={invoice.id: Decimal("96.00")},
        note="Twelve chairs at 8.00",
        actor=gus,
        now=world.now,
    )
    assert world.disputed(case) == Decimal("96.00"), "what was granted is not dunned until the credit note is there"

    world.on(5)
    world.credits("INV-2026-0101", "96.00")
    assert world.disputed(case) == 0
    world.on(9)
    asked = next(one for one in world.sent if one.kind == "satisfaction")
    world.answers(asked, "4/5\nQuick and friendly, thank you!")
    assert (world.cases()[0].state, world.cases()[0].satisfaction) == ("resolved", 4)
    world.on(20)
    case = world.cases()[0]
    assert (case.state, case.resolution) == ("closed", "partly_accepted")
    assert world.letters(case) == ["acknowledgement", "reply", "satisfaction"]
    assert world.tasks(case) == []


def test_a_chaser_is_answered_by_whoever_has_the_case(world: World, gus: Actor) -> None:
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    owner = case.owner_id
    world.on(5)
    chaser = world.case(
        world.customer(
            "Any news about the price of the chairs on INV-2026-0101? We are still waiting for your answer.",
            sender="Bob Fry <bob@acme.example>",
            subject="chairs",
        )
    )
    assert chaser.id == case.id
    assert (chaser.reason, chaser.owner_id) == ("price", owner), "a chaser changes neither reason nor owner"
    assert world.letters(case).count("acknowledgement") == 1
    assert "answer" in world.tasks(case)
    world.reply(case, "We have an answer from sales by Monday.", actor=gus, await_answer=False)
    assert "answer" not in world.tasks(case)
    assert world.cases()[0].waiting_on == "us", "a status leaves the case with us"
    world.ends(case, "accepted", actor=gus)


def test_the_customer_hears_from_us_before_asking_again(world: World, gus: Actor) -> None:
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    world.on(13, 17)
    assert world.letters(case)[:2] == ["acknowledgement", "status"]
    status = next(one for one in world.sent if one.kind == "status")
    assert (status.at.date().isoformat(), status.to) == ("2026-03-06", "ann@acme.example")
    assert "INV-2026-0101" in status.text
    world.ends(case, "accepted", actor=gus)


def test_our_own_delay_is_never_dunned_but_escalated(world: World, gus: Actor) -> None:
    """The owner sleeps for three weeks: no reminder goes to the customer, the lead hears of it."""
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    world.on(27, 17)
    assert not {"letter", "reminder"} & {one.kind for one in world.sent}
    assert "escalation" in world.tasks(case)
    assert "letter" not in world.tasks(case)
    told = [one.at for one in world.sent if one.kind == "status"]
    assert len(told) >= 3, "while we dawdle the customer is told so every week"
    world.ends(case, "accepted", actor=gus)


def test_a_settled_matter_that_was_not_settled_is_opened_again(world: World, team: Team, gus: Actor) -> None:
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    world.on(3)
    sent = world.reply(case, "Our price list of January says 80.00, so the invoice stands.", actor=gus)
    life.resolve(world.session, case_id=case.id, resolution="rejected", note="list price", actor=gus, now=world.now)
    assert world.disputed(case) == 0
    world.on(4)
    again = world.case(
        world.answers(sent, "We do not agree: your offer of 5 February says 72.00 for INV-2026-0101, price is wrong.")
    )
    assert (again.id, again.state, again.resolution) == (case.id, "in_progress", None)
    assert world.disputed(case) == Decimal("864.00"), "in dispute again, so not dunned"
    assert "04 Mar 09:00 case reopened (system:intake)" in world.diary(case, "case reopened")
    world.on(5)
    life.resolve(world.session, case_id=case.id, resolution="accepted", note="offer found", actor=gus, now=world.now)
    world.credits("INV-2026-0101", "864.00")
    world.on(25)
    assert world.cases()[0].state == "closed"
    assert team.name(case.owner_id) in {"pia", "max"}


def test_a_reply_to_a_closed_case_opens_it_and_thanks_do_not(world: World, gus: Actor) -> None:
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    world.on(3)
    sent = world.reply(case, "The price is corrected, a credit note follows.", actor=gus)
    cases.close(world.session, case_id=case.id, resolution="credited", actor=gus, now=world.now)
    world.on(4)
    thanks = world.case(world.answers(sent, "Thank you very much, perfect."))
    assert (thanks.id, thanks.state) == (case.id, "closed"), "thanks open nothing"
    world.on(5)
    objected = world.case(
        world.answers(sent, "The credit note for INV-2026-0101 never came, and the price is still wrong!")
    )
    assert (objected.id, objected.state) == (case.id, "in_progress")
    assert objected.due_at is not None


def test_two_cases_of_one_matter_are_merged_after_two_owners_began(world: World, gus: Actor) -> None:
    first = world.case(world.customer(PRICE, subject=SUBJECT))
    second = world.case(
        world.customer(
            "Six chairs of INV-2026-0102 arrived broken, the quality is not acceptable.",
            sender="Bob Fry <bob@acme.example>",
            subject="Broken chairs",
        )
    )
    assert first.id != second.id
    assert first.owner_id != second.owner_id
    both = world.disputed(first) + world.disputed(second)
    world.on(4)
    life.merge(world.session, case_id=second.id, target_id=first.id, actor=gus, now=world.now)
    assert world.disputed(first) == both
    assert (second.state, second.merged_into_id, world.tasks(second)) == ("merged", first.id, [])
    follow = world.customer(
        "And what about the broken chairs of INV-2026-0102, when will they be replaced?",
        sender="Bob Fry <bob@acme.example>",
        subject="Re: Broken chairs",
        replies_to=("<story-2@acme.example>",),
    )
    assert follow.case_id == first.id, "later mail for the merged case goes where it lives on"
    steps = world.steps(second)
    world.on(20)
    assert world.steps(second) == steps, "nothing is done any more in the case that was merged"


def test_an_invoice_on_the_wrong_account_is_put_right(world: World, team: Team) -> None:
    """Brook was billed for what Acme ordered: a dispute for billing, not for collections."""
    case = world.case(
        world.customer(
            "INV-2026-0201 is not ours. We are Brook Foods and never belonged to this company; you sent it to the "
            "wrong recipient, please address it to whoever ordered.",
            sender="Cleo Day <cleo@brook.example>",
            subject="Not our invoice INV-2026-0201",
        )
    )
    assert case.account_id == world.ledger.brook.id
    world.on(4)
    cases.correct(
        world.session,
        case_id=case.id,
        kind="dispute",
        reason="wrong_recipient",
        actor=team.actor("gus"),
        now=world.now,
    )
    world.credits("INV-2026-0201", "1250.00")
    case = world.cases()[0]
    assert (case.state, world.disputed(case)) == ("resolved", Decimal(0))
    world.on(20)
    assert world.cases()[0].state == "closed"


def test_an_absent_owner_is_stood_in_for(world: World, team: Team, gus: Actor) -> None:
    for name in ("pia", "max"):
        absences.plan(
            world.session,
            user_id=team.id(name),
            first_day=datetime(2026, 3, 1, tzinfo=UTC).date(),
            last_day=datetime(2026, 3, 14, tzinfo=UTC).date(),
            stand_in_id=team.id("lou"),
            note="",
            actor=team.actor("fay"),
            now=world.now,
        )
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    assert team.name(case.owner_id) == "lou"
    assert any("away until" in reason["say"] for reason in case.owner_why)
    world.ends(case, "accepted", actor=gus)


def test_an_owner_settles_a_dispute_by_answering_the_morning_mail(world: World, team: Team, gus: Actor) -> None:
    """Nobody of pricing opens the desk: the digest asks, one line of mail answers, the agent tells the customer."""
    case = world.case(world.customer(PRICE, subject=SUBJECT))
    owner = team.name(case.owner_id)
    world.on(3, 17)
    [digest] = world.digests(owner)
    assert "INV-2026-0101" in digest.text
    assert "Acme Interiors" in digest.text
    world.answers(digest, f"#{case.id} accept: the quote of February says 72.00", sender=f"{owner}@desk.example")
    assert world.cases() == [case], "the answer opened no case of its own"
    assert "owner_answer" not in world.tasks(case)
    assert "answer" in world.tasks(case), "telling the customer is the agent's"
    assert team.actor(owner).name in world.diary(case)[-1] or any(
        team.actor(owner).name in one for one in world.diary(case)
    )
    mails = len(world.digests(owner))
    world.reply(case, "You are right, we correct the price.", actor=gus, await_answer=False)
    life.resolve(world.session, case_id=case.id, resolution="accepted", note="quote", actor=gus, now=world.now)
    world.credits("INV-2026-0101", "864.00")
    world.on(20)
    assert world.cases()[0].state == "closed"
    assert len(world.digests(owner)) == mails, "nothing new, no mail"


def test_an_archive_that_is_read_in_wakes_nobody(world: World) -> None:
    """Two mails of last month: filed and matched, but nobody is called, chased or held to an old promise."""
    old = datetime(2026, 2, 12, 9, tzinfo=UTC)
    case = world.case(world.customer(PRICE, subject=SUBJECT, sent=old))
    promised = world.case(
        world.customer("We will pay INV-2026-0102 on 20 February 2026.", subject="Payment INV-2026-0102", sent=old)
    )
    assert world.disputed(case) == Decimal("864.00")
    world.on(20)
    for one in {case.id: case, promised.id: promised}.values():
        assert (world.tasks(one), world.letters(one), world.promises(one)) == ([], [], [])
