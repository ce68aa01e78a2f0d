"""The way of a mail into its case, on the database: headers, order of arrival, strangers, our own mail, machines."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Event
from app.workflows.intake import Tools, work_message
from disputes.models import Case, Message, Outgoing, Task
from tests.fixtures_pipeline import MAILBOX, Deliver, Ledger, mail, take_in

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)
ONE, TWO, THREE = "<one@acme.example>", "<two@seller.example>", "<three@acme.example>"
SUBJECT = "Wrong price on INV-2026-0101"


def day(number: int) -> datetime:
    return MONDAY + timedelta(days=number)


def chain() -> list[bytes]:
    """A mail, our answer, and the reply to it that names the answer alone."""
    return [
        mail(PRICE, at=day(0), subject=SUBJECT, message_id=ONE),
        mail(
            "We are looking into the price of the chairs.",
            at=day(1),
            sender=f"Seller Ltd <{MAILBOX}>",
            to="ann@acme.example",
            subject=f"Re: {SUBJECT}",
            message_id=TWO,
            replies_to=(ONE,),
        ),
        mail(
            "Thank you, we insist on 72.00 for the chairs; the price of 80.00 is wrong.",
            at=day(2),
            subject=f"Re: {SUBJECT}",
            message_id=THREE,
            replies_to=(TWO,),
        ),
    ]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_m8_whatever_order_a_chain_arrives_in_it_is_one_case(
    session: Session,
    tools: Tools,
    ledger: Ledger,  # noqa: ARG001 - the ledger must be there
    order: tuple[int, ...],
) -> None:
    mails = chain()
    for place in order:
        received = take_in(session, tools, mails[place], at=day(3))
        work_message(session, message_id=received.message_id, tools=tools, now=day(3))
    grouped = session.execute(select(Message.case_id, Message.direction)).all()
    assert len({case_id for case_id, _ in grouped}) == 1
    case = session.get_one(Case, grouped[0].case_id)
    assert (case.message_count, case.merged_into_id) == (3, None)


def two_matters() -> dict[str, bytes]:
    """The chain, and another matter of the same customer with its own answer; by Message-ID."""
    parcel, found = "<parcel@acme.example>", "<found@acme.example>"
    other = [
        mail("The parcel for INV-2026-0102 never arrived.", at=day(1), subject="No parcel", message_id=parcel),
        mail(
            "Still no parcel for INV-2026-0102, where is it?",
            at=day(3),
            sender="Bob Fry <bob@acme.example>",
            subject="Re: No parcel",
            message_id=found,
            replies_to=(parcel,),
        ),
    ]
    return dict(zip((ONE, TWO, THREE, parcel, found), [*chain(), *other], strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_m8_two_matters_stay_two_in_any_order(
    session: Session,
    tools: Tools,
    ledger: Ledger,  # noqa: ARG001 - the ledger must be there
    seed: int,
) -> None:
    mails = list(two_matters().items())
    Random(seed).shuffle(mails)  # noqa: S311 - a seed makes the test the same each time
    for _, raw in mails:
        received = take_in(session, tools, raw, at=day(4))
        work_message(session, message_id=received.message_id, tools=tools, now=day(4))
    cases = {row.rfc_id: row.case_id for row in session.scalars(select(Message))}
    assert cases[ONE] == cases[TWO] == cases[THREE]
    assert cases["<parcel@acme.example>"] == cases["<found@acme.example>"] != cases[ONE]


def test_m6_two_replies_to_a_mail_never_seen_here_share_a_case(session: Session, deliver: Deliver) -> None:
    lost = "<lost@seller.example>"
    first = deliver(PRICE, at=day(0), subject="Re: your invoice", message_id=ONE, replies_to=(lost,))
    second = deliver(
        "The price of the chairs is still wrong, 80.00 instead of 72.00.",
        at=day(1),
        sender="Bob Fry <bob@acme.example>",
        subject="Re: your invoice",
        message_id=THREE,
        replies_to=(lost,),
    )
    assert first.case_id == second.case_id is not None
    assert session.get_one(Message, second.message_id).thread_rule == "header: sibling"


@pytest.mark.parametrize("nothing", ["<>", "<nil>", "nil"])
def test_m7_an_empty_or_nil_in_reply_to_joins_nothing(deliver: Deliver, nothing: str) -> None:
    first = deliver(PRICE, at=day(0), subject=SUBJECT, headers={"In-Reply-To": nothing})
    other = deliver(
        "Please send us the monthly statement of account of Brook Foods.",
        at=day(1),
        sender="Cleo Day <cleo@brook.example>",
        subject="Statement",
        headers={"In-Reply-To": nothing},
    )
    assert first.case_id != other.case_id


def test_m9_a_strangers_reply_is_proposed_joins_nothing_and_hears_nothing(session: Session, deliver: Deliver) -> None:
    known = deliver(PRICE, at=day(0), subject=SUBJECT, message_id=ONE)
    session.query(Outgoing).delete()
    stranger = deliver(
        PRICE, at=day(1), sender="Eve <eve@evil.example>", subject=f"Re: {SUBJECT}", replies_to=(ONE,)
    )  # fmt: skip
    assert stranger.case_id != known.case_id
    task = session.scalars(select(Task).where(Task.kind == "review", Task.message_id == stranger.message_id)).all()
    assert any(one.payload.get("cases", [{}])[0].get("case_id") == known.case_id for one in task)
    assert session.scalar(select(Outgoing.id)) is None


def test_m15_talk_of_new_bank_details_is_held_for_a_person(session: Session, deliver: Deliver) -> None:
    worked = deliver(
        "Please note that our bank details have changed. From now on use this new account for all payments: "
        "IBAN GB33BUKB20201555555555. Please update your records and confirm.",
        at=day(0),
        subject="Change of bank details",
    )
    message = session.get_one(Message, worked.message_id)
    assert "payment_diversion" in message.flags
    assert session.scalar(select(Outgoing.id)) is None
    held = session.scalars(select(Event).where(Event.verb == "acknowledgement held")).all()
    assert [event.subject_id for event in held] == [message.id]


def test_m18_the_same_address_is_not_acknowledged_twice_within_the_quiet_period(
    session: Session, deliver: Deliver
) -> None:
    deliver(PRICE, at=day(0), subject=SUBJECT)
    second = deliver(
        "The parcel for INV-2026-0102 never arrived, nothing was delivered to us. Where is it?",
        at=day(0) + timedelta(hours=3),
        subject="INV-2026-0102 not delivered",
    )
    assert second.decision is not None
    assert second.decision.action == "new"
    assert len(session.scalars(select(Outgoing)).all()) == 1


def test_m19_a_stranger_gets_no_acknowledgement(session: Session, deliver: Deliver) -> None:
    deliver(PRICE, at=day(0), sender="Someone <someone@elsewhere.example>", subject=SUBJECT)
    assert session.scalar(select(Outgoing.id)) is None


def test_m30_what_we_send_from_outside_is_ours_and_a_colleagues_mail_internal(
    session: Session, deliver: Deliver
) -> None:
    ours = deliver(PRICE, at=day(0), sender=f"Seller <{MAILBOX}>", to="ann@acme.example", subject=SUBJECT)
    colleague = deliver(
        PRICE, at=day(0), sender="Kim <kim@seller.example>", to=MAILBOX, subject=SUBJECT
    )  # fmt: skip
    assert session.get_one(Message, ours.message_id).direction == "out"
    assert session.get_one(Message, colleague.message_id).direction == "internal"
    assert ours.case_id is None


def test_m17_a_delivery_report_opens_no_case(session: Session, deliver: Deliver) -> None:
    worked = deliver(
        "Your message could not be delivered to nobody@acme.example: user unknown (550 5.1.1).",
        at=day(0),
        sender="Mail Delivery System <MAILER-DAEMON@mx.example>",
        subject="Undelivered Mail Returned to Sender",
        headers={"Auto-Submitted": "auto-replied"},
    )
    assert worked.case_id is None
    assert session.get_one(Message, worked.message_id).kind == "other"


def test_nobody_is_ever_left_with_a_case(session: Session, deliver: Deliver) -> None:
    worked = deliver(PRICE, at=day(0), subject=SUBJECT)
    case = session.get_one(Case, worked.case_id)
    assert case.team_id is not None
    assert case.owner_why[-1]["say"] == "nobody leads a team: waiting in the queue"
