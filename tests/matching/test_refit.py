"""What people correct teaches matching: new weights are used only where they do better on mails they have not seen."""

from collections.abc import Iterator
from dataclasses import replace

from matching.facts import AccountFacts, InvoiceFacts, MatchPolicy, ThreadFacts
from matching.fit import Example, calibrate
from matching.matcher import investigate
from matching.memory import MemoryIndex
from matching.refit import figures, refit
from matching.scoring import Weights, default_weights, from_json, to_json
from tests.matching.ledger import BAKER, a_mail, the_accounts, the_invoices

POLICY = MatchPolicy()
CUSTOMERS = 24


def many_customers() -> tuple[list[AccountFacts], list[InvoiceFacts]]:
    """Copies of the bakery under other names, each with one invoice of the sequence."""
    bakery = next(account for account in the_accounts() if account.id == BAKER)
    accounts = [
        replace(bakery, id=500 + n, number=f"C2{n:04d}", emails=frozenset({f"ap@customer{n}.example"}))
        for n in range(CUSTOMERS)
    ]
    invoices = [each._replace(account_id=500 + n % CUSTOMERS) for n, each in enumerate(the_invoices())]
    return accounts, invoices


def corrected() -> Iterator[Example]:
    """Customers who name their invoice by its PO; the person confirmed it."""
    accounts, invoices = many_customers()
    index = MemoryIndex(accounts, invoices, [])
    for invoice in invoices:
        sender = f"ap@customer{invoice.account_id - 500}.example"
        trial = investigate(
            a_mail("question", f"about {invoice.po}", from_email=sender),
            index,
            weights=default_weights(),
            thread=ThreadFacts(),
        )
        yield Example(trial, invoice.account_id, frozenset({invoice.id}))


def test_weights_that_forgot_the_po_are_mended_and_promoted() -> None:
    shipped = default_weights()
    blunt = Weights({**shipped.invoice, "po": 0.0, "only_named": 0.0}, shipped.account, shipped.calibration)
    result = refit(list(corrected()), blunt, policy=POLICY)
    assert result.better, result.why
    assert result.weights.invoice["po"] > 0.5
    assert result.after.loss < result.before.loss
    assert result.after.mails == result.before.mails > 0


def test_what_people_say_against_all_evidence_is_not_promoted_blindly() -> None:
    examples = [replace(each, invoice_ids=frozenset()) if n % 2 else each for n, each in enumerate(corrected())]
    result = refit(examples, default_weights(), policy=POLICY)
    if not result.better:
        assert result.why.startswith("it ")
    assert result.after.wrong_auto <= result.before.wrong_auto or not result.better


def test_without_anybody_to_judge_by_nothing_is_promoted() -> None:
    result = refit([], default_weights(), policy=POLICY)
    assert (result.better, result.why) == (False, "no account is left to judge by")


def test_figures_count_wrong_automatic_links() -> None:
    examples = list(corrected())
    right = figures(examples, default_weights(), POLICY)
    wrong = figures([replace(each, invoice_ids=frozenset()) for each in examples], default_weights(), POLICY)
    assert (right.exact, right.wrong_auto) == (1.0, 0)
    assert wrong.wrong_auto == len(examples)


def test_calibration_is_learned_for_each_kind_of_evidence_and_travels() -> None:
    weights = calibrate(list(corrected()))
    assert "alone" in weights.calibration
    assert from_json(to_json(weights)) == weights
