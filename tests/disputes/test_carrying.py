"""A mail that names nothing is about what its case is about."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from disputes.carrying import CarryPolicy, carry, without_guesses
from disputes.matter import Matter
from disputes.reading import Understanding
from disputes.threading import Action, Candidate, Proposal, ThreadDecision
from matching.facts import AccountChoice, LinkDecision, MatchDecision, MatchPolicy
from tests.disputes.meanings import meant

NOW = datetime(2026, 5, 4, tzinfo=UTC)
POLICY = CarryPolicy()


def a_case(invoices: dict[int, float], case_id: int = 7) -> Candidate:
    return Candidate(
        case_id=case_id, account_id=1, matter=Matter(invoices=invoices), first_at=NOW, last_at=NOW, reason="price"
    )


def a_match(*links: LinkDecision, sure: float = 0.99) -> MatchDecision:
    return MatchDecision(AccountChoice(1, sure, ()), links, review=False, references=(), policy=MatchPolicy())


def joined(probability: float = 1.0, action: Action = "join") -> ThreadDecision:
    return ThreadDecision(action, "same matter", 7, probability=probability)


def test_a_chaser_that_surely_joins_a_case_means_its_invoices() -> None:
    match = carry(a_match(), joined(0.99), [a_case({11: 1.0, 12: 1.0, 13: 0.1})], POLICY)
    assert [(link.invoice_id, link.state) for link in match.likely] == [(11, "auto"), (12, "auto")]
    assert not match.review
    assert match.links[0].evidence[0].what == "case"


@pytest.mark.parametrize(("probability", "sure"), [(0.7, 0.99), (0.99, 0.6)])
def test_an_unsure_case_or_sender_is_asked_about(probability: float, sure: float) -> None:
    match = carry(a_match(sure=sure), joined(probability), [a_case({11: 1.0})], POLICY)
    assert [(link.invoice_id, link.state) for link in match.likely] == [(11, "propose")]
    assert match.review


def test_what_the_mail_itself_means_stands() -> None:
    own = LinkDecision(99, 0.995, "auto", ())
    assert carry(a_match(own), joined(), [a_case({11: 1.0})], POLICY).links == (own,)


def test_a_weak_guess_of_the_mail_gains_from_its_case() -> None:
    weak = LinkDecision(11, 0.2, "propose", ())
    (link,) = carry(a_match(weak), joined(0.99), [a_case({11: 1.0})], POLICY).links
    assert (link.invoice_id, link.state, link.best_guess) == (11, "auto", True)


def test_a_case_that_is_only_proposed_gives_a_guess_where_it_leads() -> None:
    asked = ThreadDecision("propose", "a case may fit", proposals=(Proposal(7, 0.5, ()), Proposal(8, 0.1, ())))
    close = ThreadDecision("propose", "two cases fit", proposals=(Proposal(7, 0.4, ()), Proposal(8, 0.35, ())))
    cases = [a_case({11: 1.0}), a_case({12: 1.0}, 8)]
    assert [link.invoice_id for link in carry(a_match(), asked, cases, POLICY).likely] == [11]
    assert not carry(a_match(), close, cases, POLICY).likely


def test_new_matters_and_cases_of_everything_carry_nothing() -> None:
    everything = a_case(dict.fromkeys(range(40), 1.0))
    assert not carry(a_match(), ThreadDecision("new", "another matter"), [a_case({11: 1.0})], POLICY).links
    assert not carry(a_match(), joined(), [everything], POLICY).links


GUESS = LinkDecision(11, 0.98, "auto", (), best_guess=True, unnamed=True)


def test_a_statement_is_asked_of_the_account_not_of_its_likeliest_invoice() -> None:
    match = without_guesses(a_match(GUESS), meant(("statement", 0.9)), POLICY)
    assert not match.likely
    assert not match.review
    assert carry(match, joined(0.3, "propose"), [a_case({11: 1.0})], POLICY, of_account=True) == match


@pytest.mark.parametrize(
    ("link", "reading"),
    [
        (replace(GUESS, unnamed=False), meant(("statement", 0.9))),
        (GUESS, meant(("copy_invoice", 0.9))),
        (GUESS, meant(("statement", 0.4))),
    ],
)
def test_what_is_named_or_asked_of_an_invoice_stays(link: LinkDecision, reading: Understanding) -> None:
    match = a_match(link)
    assert without_guesses(match, reading, POLICY) is match


def test_a_statement_asked_in_a_case_is_of_its_invoices() -> None:
    match = carry(a_match(), joined(0.99), [a_case({11: 1.0})], POLICY, of_account=True)
    assert [link.invoice_id for link in match.likely] == [11]


def test_a_faint_hint_at_another_invoice_is_asked_about() -> None:
    hint = LinkDecision(99, 0.2, "propose", ())
    match = carry(a_match(hint), joined(0.99), [a_case({11: 1.0})], POLICY)
    assert [(link.invoice_id, link.state) for link in match.likely] == [(11, "propose")]
    assert match.review


def test_a_guess_gives_way_to_what_the_case_is_about() -> None:
    match = carry(a_match(GUESS), joined(0.99), [a_case({12: 1.0})], POLICY)
    assert [(link.invoice_id, link.state) for link in match.likely] == [(12, "auto")]
    assert carry(a_match(GUESS), joined(0.4, "propose"), [a_case({12: 1.0})], POLICY) == a_match(GUESS)
