"""From a run to a sent letter, and what stops one: a payment on the eve, a dispute after approval, a bounce."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from app.core.events import user_actor
from disputes.actions import outbox
from disputes.models import Outgoing, Promise
from letters.actions import drafting, life, runs
from letters.actions.life import MayNotApprove
from letters.actions.shared import LetterMoved
from letters.dunning_facts import owing
from letters.models import LetterBlock
from letters.rules import letter_rules
from tests.databases import QueryRecorder
from tests.factories import a_case, a_payment, an_account, an_invoice, in_case
from tests.letters.stories import ACTOR, LIMIT, Arrears, in_arrears, march


@pytest.fixture
def story(session: Session) -> Arrears:
    return in_arrears(session)


def sent(story: Arrears, day: int) -> None:
    """A letter written, approved where needed, and taken by the mail server, all on one day."""
    story.run(march(day))
    story.printed(march(day))
    if story.letter().state == "checked":
        story.approve(march(day))
    mail = story.queue(march(day))
    assert mail is not None
    leaves(story, mail.id, day)


def leaves(story: Arrears, outbox_id: int, day: int) -> None:
    assert outbox.claim(story.session, worker="w", now=march(day, 10), outbox_id=outbox_id) is not None
    assert not life.stop_if_covered(story.session, outbox_id=outbox_id, now=march(day, 10))
    outbox.record_sent(story.session, outbox_id=outbox_id, now=march(day, 10))
    life.follow(story.session, now=march(day, 10))


def test_a_letter_is_decided_printed_and_sent_with_its_pdf(story: Arrears) -> None:
    run_id = story.run(march(2))
    assert story.items(run_id) == {"Boulangerie Keller": "written"}
    letter = story.letter()
    assert (letter.state, letter.kind, letter.step, letter.cycle) == ("drafted", "reminder_1", "rappel", 0)
    assert (letter.totals, letter.channel) == ({"EUR": "1200.00"}, "email")
    story.printed(march(2))
    assert letter.state == "approved", "the first friendly reminder needs nobody's eyes once the run is started"
    mail = story.queue(march(2))
    assert mail is not None
    assert [file["content_hash"] for file in mail.attachments] == [letter.content_hash]
    assert (mail.kind, mail.to_email, letter.state) == ("letter", story.account.contacts[0].email, "queued")
    assert story.queue(march(2)) is None, "once"
    leaves(story, mail.id, 2)
    assert (letter.state, letter.sent_at) == ("sent", march(2, 10))
    assert [len(story.events(verb)) for verb in ("letter drafted", "letter printed", "letter sent")] == [1, 1, 1]


def test_the_same_letter_is_never_written_twice(story: Arrears) -> None:
    story.run(march(2))
    again = story.run(march(2))
    assert story.items(again) == {}, "a letter that waits is no exception: nobody needs to look"
    assert len(story.letters()) == 1
    story.printed(march(2))
    mail = story.queue(march(2))
    assert mail is not None
    leaves(story, mail.id, 2)
    story.run(march(4))
    assert len(story.letters()) == 1, "they heard from us lately"
    sent(story, 16)
    assert [one.step for one in story.letters()] == ["rappel", "relance"]


def test_a_payment_on_the_eve_of_the_letter_stops_it(story: Arrears) -> None:
    story.run(march(2))
    story.printed(march(2))
    a_payment(story.session, story.account, amount=Decimal(1200), received=date(2026, 3, 2))
    assert story.queue(march(3)) is None
    letter = story.letter()
    assert letter.state == "cancelled"
    assert "covered by payment" in letter.why
    assert story.items(story.run(march(3))) == {"Boulangerie Keller": "exception covered"}


def test_a_credit_a_promise_and_a_part_payment_stop_it_too(story: Arrears) -> None:
    story.run(march(2))
    story.printed(march(2))
    letter = story.letter()
    assert life.against(story.session, letter, now=march(3)) is None
    story.invoice.open_amount = Decimal("1100.00")
    story.session.flush()
    refusal = life.against(story.session, letter, now=march(3))
    assert refusal is not None
    assert "1200.00" in refusal.why
    story.invoice.open_amount = Decimal(1200)
    note = an_invoice(
        story.session, story.account, kind="credit_note", number="A1", credits="F1", open_amount=Decimal(-50)
    )
    assert life.against(story.session, letter, now=march(3)) is not None
    note.open_amount = Decimal(0)
    case = a_case(story.session, story.account, now=march(2), reason="promise_to_pay", waiting_on="customer")
    story.session.add(Promise(case_id=case.id, account_id=story.account.id, date=date(2026, 3, 6), created_at=march(2)))
    assert life.against(story.session, letter, now=march(3)) is not None
    assert life.against(story.session, letter, now=march(12)) is None, "the promise and its grace are over"


def test_a_dispute_between_approval_and_sending_stops_the_mail_at_the_last_moment(story: Arrears) -> None:
    story.run(march(2))
    story.printed(march(2))
    mail = story.queue(march(2))
    assert mail is not None
    case = a_case(story.session, story.account, now=march(2), waiting_on="customer")
    in_case(story.session, case, story.invoice, now=march(2), disputed=Decimal(200))
    assert outbox.claim(story.session, worker="w", now=march(2, 10), outbox_id=mail.id) is not None
    assert life.stop_if_covered(story.session, outbox_id=mail.id, now=march(2, 10))
    letter = story.letter()
    assert (mail.state, letter.state) == ("cancelled", "cancelled")
    assert "in dispute" in letter.why
    assert life.follow(story.session, now=march(2, 11)) == 0


def test_the_undisputed_rest_is_asked_for_with_the_exact_balance(story: Arrears) -> None:
    case = a_case(story.session, story.account, now=march(2), waiting_on="customer")
    in_case(story.session, case, story.invoice, now=march(2), disputed=Decimal(200))
    story.run(march(2))
    assert story.letter().totals == {"EUR": "1000.00"}
    assert '"reason":"disputed"' in story.letter().facts


def test_a_case_that_waits_on_us_and_a_block_are_exceptions_with_their_reason(story: Arrears) -> None:
    a_case(story.session, story.account, now=march(2), reason="status")
    blocked = an_account(story.session, story.entity, name="Café Bleu", address="1 quai\n13002 Marseille")
    an_invoice(story.session, blocked, due=date(2026, 2, 1))
    story.session.add(LetterBlock(account_id=blocked.id, reason="the director calls", until=None, by="x", at=march(2)))
    story.session.flush()
    assert story.items(story.run(march(2))) == {
        "Boulangerie Keller": "exception own_delay",
        "Café Bleu": "exception blocked",
    }
    assert story.letters() == []


def test_a_bounced_letter_climbed_no_level_and_goes_by_post_next(story: Arrears) -> None:
    sent(story, 2)
    first = story.letter()
    mail = story.session.get_one(Outgoing, first.outbox_id)
    mail.state, mail.last_error = "failed", "failed: 5.1.1 no such user"
    assert life.follow(story.session, now=march(3)) == 1
    assert (first.state, first.why) == ("bounced", "failed: 5.1.1 no such user")
    story.run(march(10))
    again = story.letter()
    assert (again.step, again.cycle, again.channel) == ("rappel", 1, "post")


def test_what_nobody_knows_is_uncertain_and_never_repeated(story: Arrears) -> None:
    story.run(march(2))
    story.printed(march(2))
    mail = story.queue(march(2))
    assert mail is not None
    outbox.claim(story.session, worker="w", now=march(2, 10), outbox_id=mail.id)
    outbox.record_uncertain(story.session, outbox_id=mail.id, error="the line broke", now=march(2, 10))
    life.follow(story.session, now=march(2, 10))
    assert story.letter().state == "uncertain"
    story.run(march(3))
    assert len(story.letters()) == 1
    actor = user_actor(story.ana.id)
    outbox.settle(story.session, outbox_id=mail.id, sent=True, actor=actor, now=march(3))
    life.follow(story.session, now=march(3))
    assert story.letter().state == "sent"


def test_above_the_limit_and_for_formal_notices_a_lead_approves(story: Arrears) -> None:
    story.invoice.gross = story.invoice.open_amount = Decimal(12_000)
    story.run(march(2))
    story.printed(march(2))
    letter = story.letter()
    assert letter.state == "checked"
    with pytest.raises(MayNotApprove):
        life.approve(story.session, letter_id=letter.id, user=story.ana, limit=LIMIT, actor=ACTOR, now=march(2))
    story.approve(march(2))
    assert letter.approved_by == f"user:{story.lea.id}"
    life.take_back(story.session, letter_id=letter.id, actor=ACTOR, now=march(2))
    life.reject(story.session, letter_id=letter.id, why="I call them", actor=ACTOR, now=march(2))
    with pytest.raises(LetterMoved):
        story.approve(march(2))


def test_edited_words_are_printed_and_approved_anew(story: Arrears) -> None:
    story.run(march(2))
    story.printed(march(2))
    letter = story.letter()
    before = letter.content_hash
    words = {"subject": letter.text["subject"], "body": letter.text["body"] + "\n\nA bientôt."}
    drafting.edit(
        story.session, letter_id=letter.id, **words, note="Merci de votre appel.", channel="post",
        version=letter.version, actor=ACTOR, now=march(2),
    )  # fmt: skip
    assert (letter.state, letter.content_hash, letter.channel) == ("drafted", None, "post")
    story.printed(march(2))
    assert letter.content_hash not in {None, before}
    assert "Merci de votre appel." in letter.facts


def test_a_run_can_be_trimmed_and_cancelled(story: Arrears) -> None:
    run_id = story.run(march(2), started=False)
    actor = user_actor(story.ana.id)
    runs.exclude(story.session, run_id=run_id, account_id=story.account.id, out=True, actor=actor, now=march(2))
    assert story.items(run_id) == {"Boulangerie Keller": "excluded"}
    runs.exclude(story.session, run_id=run_id, account_id=story.account.id, out=False, actor=actor, now=march(2))
    runs.start(story.session, run_id=run_id, actor=actor, now=march(2))
    runs.write_next(story.session, run_id=run_id, rules=letter_rules(story.session), now=march(2))
    assert runs.cancel(story.session, run_id=run_id, actor=actor, now=march(2)) == 1
    assert story.letter().state == "cancelled"
    assert runs.write_next(story.session, run_id=run_id, rules=letter_rules(story.session), now=march(2)) == 0


def test_facts_of_many_accounts_cost_the_same_number_of_queries(story: Arrears, queries: QueryRecorder) -> None:
    ids = [story.account.id]
    for _ in range(5):
        other = an_account(story.session, story.entity)
        an_invoice(story.session, other)
        ids.append(other.id)
    story.session.flush()
    with queries:
        owing(story.session, account_ids=ids[:1], now=march(2))
    one = queries.count
    with queries:
        owing(story.session, account_ids=ids, now=march(2) + timedelta(hours=1))
    assert queries.count == one
    assert one <= 15
