"""Stories of mails finding their case (mail.md M6-M12): decisions alone, no database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from disputes.matter import MailParts, Matter, matter_of, together
from disputes.threading import Candidate, Incoming, ThreadPolicy, decide

POLICY = ThreadPolicy()
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACME, OTHER = 1, 2
INVOICE, ANOTHER = 100, 101
ANN = "ann@acme.example"


def about(
    subject: str = "Your invoice",
    text: str = "",
    *,
    invoices: tuple[int, ...] = (),
    reason: str = "price",
    quoted: str = "",
    sender: str = ANN,
) -> Matter:
    parts = MailParts(subject=subject, new_text=text, quoted_text=quoted, people=(sender,))
    reasons = {reason: 0.9, "other_query": 0.1}
    return matter_of(parts, invoices=dict.fromkeys(invoices, 1.0), reasons=reasons, named=frozenset(invoices))


def mail(matter: Matter, *, reason: str = "price", kind: str = "dispute", at: datetime = MONDAY) -> Incoming:
    return Incoming(
        matter=matter,
        direction="in",
        kind=kind,
        reason=reason,
        sent_at=at,
        account_id=ACME,
        account_sure=True,
        known_sender=True,
        sender=ANN,
    )


def case(number: int, matter: Matter, *, reason: str = "price", days_ago: int = 10) -> Candidate:
    at = MONDAY - timedelta(days=days_ago)
    return Candidate(case_id=number, account_id=ACME, matter=matter, first_at=at, last_at=at, reason=reason)


def test_m6_a_reply_joins_the_case_of_what_it_answers() -> None:
    known = replace(case(7, about(invoices=(INVOICE,))), tie="in_reply_to", newest=True)
    decision = decide(mail(about(text="As discussed, see below.")), [known], POLICY)
    assert (decision.action, decision.case_id, decision.rule) == ("join", 7, "header: in_reply_to")
    assert decision.evidence[0].what == "header"


def test_m6_without_headers_a_shared_invoice_and_the_same_matter_join() -> None:
    known = case(7, about(text="The chairs were billed at 80.00", invoices=(INVOICE,)))
    decision = decide(mail(about("chairs", "Still 80.00 for the chairs?", invoices=(INVOICE,))), [known], POLICY)
    assert (decision.action, decision.case_id, decision.rule) == ("join", 7, "same matter")
    assert {"shared_invoice", "same_amount", "same_words"} <= {part.what for part in decision.evidence}


def test_m6_nothing_in_common_opens_a_new_case() -> None:
    known = case(7, about(text="The chairs were billed too high", invoices=(INVOICE,)))
    fresh = about("PO number", "Please put our reference on it", invoices=(ANOTHER,), reason="missing_reference")
    decision = decide(mail(fresh, reason="missing_reference"), [known], POLICY)
    assert decision.action == "new"


def test_m6_a_reply_whose_headers_were_lost_is_known_by_what_it_quotes() -> None:
    words = "We looked into the delivery of your forty shelves and found the missing pallet in Leeds."
    known = case(7, about(text=words))
    lost = about("shelves", "When will it come?", quoted=f"> {words}")
    assert decide(mail(lost), [known], POLICY).case_id == 7


def test_m12_a_reply_that_says_it_comes_to_another_matter_only_borrows_the_headers() -> None:
    known = replace(case(7, about(invoices=(INVOICE,))), tie="in_reply_to", newest=True)
    other = about(
        text="Thanks. On a different matter: one of the sacks came torn.", invoices=(ANOTHER,), reason="quality"
    )
    decision = decide(mail(other, reason="quality"), [known], POLICY)
    assert decision.action != "join"
    assert "turns" in {part.what for part in decision.evidence}
    for words in ("Aprovecho el hilo para otro asunto.", "J'en profite :", "Noch etwas anderes:", "Nog iets anders:"):
        assert about(text=words).turns, words
    assert not about(text="The other invoice is right, this one is not.").turns


def test_m6_an_answer_to_a_mail_of_elsewhere_is_rather_about_that_mail() -> None:
    known = case(
        7, about("Copy please", invoices=(INVOICE,), reason="copy_invoice"), reason="copy_invoice", days_ago=50
    )
    reminded = about("RE: Reminder", "Already paid.", invoices=(INVOICE,), reason="already_paid")
    seen = mail(reminded, reason="already_paid")
    joined, apart = (decide(one, [known], POLICY) for one in (seen, replace(seen, answers_unseen=True)))
    assert "answers_other" in {part.what for part in apart.evidence}
    assert apart.probability <= joined.probability
    same_subject = replace(mail(about("RE: Copy please", "Still no copy.")), answers_unseen=True)
    assert "answers_other" not in {part.what for part in decide(same_subject, [known], POLICY).evidence}


def test_m11_another_accounts_case_is_never_joined_by_an_invoice_number() -> None:
    foreign = replace(case(7, about(invoices=(INVOICE,))), account_id=OTHER)
    decision = decide(mail(about(invoices=(INVOICE,))), [foreign], POLICY)
    assert decision.action == "new"


def test_m11_two_cases_that_fit_go_to_a_person() -> None:
    first = case(7, about(text="chairs", invoices=(INVOICE,)))
    second = case(8, about(text="chairs", invoices=(INVOICE,)))
    decision = decide(mail(about(text="chairs", invoices=(INVOICE,))), [first, second], POLICY)
    assert decision.action == "propose"
    assert decision.review
    assert {proposal.case_id for proposal in decision.proposals} == {7, 8}


def test_m9_a_strangers_reply_is_proposed_and_joins_nothing() -> None:
    known = replace(case(7, about(invoices=(INVOICE,))), tie="in_reply_to", newest=True)
    stranger = replace(mail(about(invoices=(INVOICE,), sender="eve@evil.example")), known_sender=False)
    stranger = replace(stranger, sender="eve@evil.example")
    decision = decide(stranger, [known], POLICY)
    assert (decision.action, decision.case_id) == ("propose", None)
    assert decision.proposals[0].case_id == 7


def test_m9_whoever_already_takes_part_in_the_case_is_of_the_party() -> None:
    known = replace(case(7, about(invoices=(INVOICE,), sender="desk@agency.example")), tie="references", newest=True)
    agency = replace(mail(about(invoices=(INVOICE,))), known_sender=False, sender="desk@agency.example")
    assert decide(agency, [known], POLICY).case_id == 7


def test_m12_a_reply_that_names_another_invoice_and_matter_gets_its_own_case() -> None:
    known = replace(
        case(7, about(text="Payment goes out today", invoices=(INVOICE,), reason="remittance"), reason="remittance"),
        tie="in_reply_to",
        newest=True,
    )
    other = about("RE: Payment today", "The shredders are broken", invoices=(ANOTHER,), reason="quality")
    decision = decide(mail(other, reason="quality"), [known], POLICY)
    assert decision.action in {"new", "propose"}
    assert decision.case_id is None


def test_a_chaser_without_reference_goes_to_the_only_open_case() -> None:
    known = case(7, about(text="chairs", invoices=(INVOICE,)))
    chaser = mail(about("Any news?", "Have you got anywhere?", reason="status"), kind="query", reason="status")
    assert decide(chaser, [known], POLICY).case_id == 7


def test_m16_an_automatic_reply_joins_what_it_answers_and_opens_nothing() -> None:
    known = replace(case(7, about()), tie="outbox", newest=True)
    absent = replace(mail(about("Out of office"), kind="other", reason="auto_reply"), machine=True)
    assert decide(absent, [known], POLICY).case_id == 7
    assert decide(absent, [case(8, about())], POLICY).action == "none"


def test_m17_a_bounce_never_opens_a_case() -> None:
    bounce = replace(mail(about("Undeliverable"), kind="other", reason="bounce"), machine=True)
    assert decide(bounce, [], POLICY).action == "none"


def test_m30_our_own_mail_opens_no_case() -> None:
    reminder = replace(mail(about("Reminder", invoices=(INVOICE,))), direction="out")
    assert decide(reminder, [], POLICY).action == "none"


def test_m8_a_parent_that_arrives_late_gathers_the_case_its_reply_opened() -> None:
    first = replace(case(7, about(text="chairs", invoices=(INVOICE,))), tie="in_reply_to", newest=True)
    early = replace(case(8, about(text="chairs", invoices=(INVOICE,))), tie="answered", absorbable=True)
    decision = decide(mail(about(text="chairs", invoices=(INVOICE,))), [first, early], POLICY)
    assert (decision.action, decision.case_id, decision.absorb) == ("join", 7, (8,))


def test_m8_a_case_a_person_worked_is_not_gathered_in_silence() -> None:
    first = replace(case(7, about(text="chairs", invoices=(INVOICE,))), tie="in_reply_to", newest=True)
    worked = replace(case(8, about(text="chairs", invoices=(INVOICE,))), tie="answered", absorbable=False)
    decision = decide(mail(about(text="chairs", invoices=(INVOICE,))), [first, worked], POLICY)
    assert (decision.action, decision.absorb) == ("propose", ())


def test_a_case_is_the_union_of_its_messages() -> None:
    whole = together([about("Chairs", invoices=(INVOICE,)), about("Desks", invoices=(ANOTHER,), reason="quality")])
    assert set(whole.invoices) == {INVOICE, ANOTHER}
    assert whole.subjects == {"chairs", "desks"}
    assert whole.reasons["price"] == whole.reasons["quality"]


def test_the_newest_mail_named_counts_most() -> None:
    old = replace(case(7, about()), tie="references")
    new = replace(case(8, about()), tie="in_reply_to", newest=True)
    assert decide(mail(about(text="ok")), [old, new], POLICY).case_id == 8
