"""What a trained model understands of mails it has not seen; the model is trained once, on a part of what ships."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from disputes.classifier import Example, ensure_model, load_model, save_model, shipped_examples, train
from disputes.examples import account_key, load_examples
from disputes.model_file import Model
from disputes.reading import FLAGS, LANGUAGES, NO_FACTS, SENTIMENTS, CaseFacts, MailText
from disputes.reasons import REASONS
from disputes.training.build import build
from disputes.understanding import understand

SENT = datetime(2026, 10, 7, 11, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def model() -> Model:
    return train(shipped_examples()[::3])


def mail(text: str, subject: str = "", **more: object) -> MailText:
    return MailText(subject=subject, new_text=text, sent_at=SENT, **more)  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("text", "language", "kind", "reason"),
    [
        ("The agreed price was 4.35 a kilo and you have charged 4.85. Please correct it.", "en", "dispute", "price"),
        (
            "Il manque 12 cartons sur les 40 facturés, nous n'en avons reçu que 28.",
            "fr",
            "dispute",
            "quantity",
        ),
        ("Die Ware ist beschädigt angekommen, drei Pumpen sind defekt.", "de", "dispute", "quality"),
        ("¿Podrían enviarnos una copia de la factura? No la encontramos.", "es", "query", "copy_invoice"),
        (
            "Perché il sollecito? La fattura è già stata pagata il mese scorso, controllate i vostri conti.",
            "it",
            "dispute",
            "already_paid",
        ),
        ("Kunt u ons een actueel rekeningoverzicht met alle openstaande posten sturen?", "nl", "query", "statement"),
    ],
)
def test_the_matter_is_understood_in_six_languages(
    model: Model, text: str, language: str, kind: str, reason: str
) -> None:
    understood = understand(mail(text), NO_FACTS, model)
    assert (understood.language, understood.kind, understood.reason) == (language, kind, reason)
    assert understood.decided_by == "model"
    assert understood.model_version == model.version


def test_the_ranking_is_a_distribution_over_all_reasons(model: Model) -> None:
    understood = understand(mail("Where is the credit note you promised?"), NO_FACTS, model)
    assert {reason for reason, _ in understood.ranking} == set(REASONS)
    assert sum(chance for _, chance in understood.ranking) == pytest.approx(1)
    assert [c for _, c in understood.ranking] == sorted((c for _, c in understood.ranking), reverse=True)
    assert understood.ranking[0] == (understood.reason, understood.confidence)


def test_the_words_that_decided_stand_where_they_say(model: Model) -> None:
    text = "Hello,\nthe chairs arrived damaged and scratched.\nAnn"
    understood = understand(mail(text, subject="Damaged chairs"), NO_FACTS, model)
    texts = {"new": text, "subject": "Damaged chairs"}
    assert understood.words
    for span in understood.words:
        assert texts[span.source][span.start : span.end] == span.text
    assert any("damaged" in span.text.lower() for span in understood.words)


def test_only_what_is_newly_written_decides(model: Model) -> None:
    asked = mail("Could you send us a copy of the invoice, please?", signature="We ship damaged goods back at once.")
    plain = understand(replace(asked, signature=""), NO_FACTS, model)
    assert understand(asked, NO_FACTS, model) == plain


def test_a_promise_to_pay_carries_its_day(model: Model) -> None:
    understood = understand(mail("We will pay the 1,057.08 on 31 October, sorry for the delay."), NO_FACTS, model)
    assert understood.reason == "promise_to_pay"
    assert understood.promise is not None
    assert str(understood.promise.date) == "2026-10-31"


def test_machines_are_overruled_by_rule_and_never_promise(model: Model) -> None:
    away = mail("I am away. We will pay on 31 October.", subject="Automatic reply: Reminder")
    understood = understand(away, NO_FACTS, model)
    assert (understood.kind, understood.reason) == ("other", "auto_reply")
    assert understood.decided_by == "rule:automatic_wording"
    assert understood.promise is None
    assert sum(chance for _, chance in understood.ranking) == pytest.approx(1)


def test_a_colleague_is_never_a_machine(model: Model) -> None:
    colleague = mail("", subject="Read: the invoice", direction="internal")
    assert understand(colleague, NO_FACTS, model).decided_by == "model"


def test_the_language_of_the_account_decides_where_the_mail_says_little(model: Model) -> None:
    assert understand(mail("4711, 4712"), CaseFacts(account_language="nl"), model).language == "nl"
    assert understand(mail("4711, 4712"), CaseFacts(account_language="es"), model).language == "es"
    wrong_account = CaseFacts(account_language="es")
    assert understand(mail("We have not received the goods yet."), wrong_account, model).language == "en"


def test_a_thread_goes_on_about_its_matter() -> None:
    turns = [
        Example(language="en", reason="quality", text="Still broken", earlier=("quality",), account="A1"),
        Example(language="en", reason="price", text="Still dear", earlier=("price",), account="A2"),
        Example(language="en", reason="status", text="Any news", earlier=("price",), account="A2"),
    ]
    model = train([*turns, *shipped_examples()[::40]])
    text = mail("As I said before, this is not what we agreed.")
    alone = dict(understand(text, NO_FACTS, model).ranking)
    within = dict(understand(text, CaseFacts(earlier=(("dispute", "quality"),)), model).ranking)
    assert within["quality"] > alone["quality"]


def test_a_model_is_saved_and_loaded_whole(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    text = mail("The price is wrong.")
    assert understand(text, NO_FACTS, loaded) == understand(text, NO_FACTS, model)
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_training_twice_gives_the_same_model() -> None:
    examples = shipped_examples()[::60]
    one, two = train(examples), train(list(examples))
    assert one.version == two.version
    assert np.array_equal(one.weights, two.weights)
    assert train(examples[1:]).version != one.version


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the trainings, each on a small part of what ships."""
    trainings: list[int] = []

    def few() -> list[Example]:
        trainings.append(1)
        return shipped_examples()[::60]

    monkeypatch.setattr("disputes.classifier.shipped_examples", few)
    return trainings


def test_the_shipped_model_is_trained_once_and_a_broken_file_is_never_used(
    tmp_path: Path, trained_on: list[int]
) -> None:
    first = ensure_model(tmp_path / "models")
    again = ensure_model(tmp_path / "models")
    assert first.version == again.version
    assert len(trained_on) == 1
    [stored] = (tmp_path / "models").iterdir()
    stored.write_bytes(b"not a model")
    assert ensure_model(tmp_path / "models").version == first.version
    assert len(trained_on) == 2


def test_shipped_examples_are_labelled_with_known_words() -> None:
    for example in shipped_examples():
        assert example.reason in REASONS
        assert example.language in LANGUAGES
        assert example.sentiment in SENTIMENTS
        assert example.flags <= FLAGS


def test_a_fold_leaves_out_the_mails_of_its_accounts() -> None:
    accounts = {example.account for example in shipped_examples() if example.account}
    left_out = frozenset(sorted(accounts)[:5])
    rest = shipped_examples(left_out)
    assert not left_out & {example.account for example in rest}
    assert len(rest) < len(shipped_examples())


def test_no_two_corpora_share_a_customers_account() -> None:
    keys = [
        {example.account for example in load_examples(path)}
        for path in sorted(Path("disputes/training").glob("*-mails.jsonl"))
    ]
    keys = [{key for key in found if key} for found in keys]
    seen: set[str] = set()
    for found in keys:
        assert not seen & found, "a fold of one corpus would leave mails of another out"
        seen |= found


@pytest.mark.parametrize("name", ["de-ch", "en-es", "fr-be", "it-es", "nl-en"])
def test_what_ships_of_a_corpus_is_what_is_built_from_it(name: str) -> None:
    built = {row["text"] for row in build(Path("tests/corpora") / name)}
    assert built == {example.text for example in load_examples(Path(f"disputes/training/{name}-mails.jsonl"))}


def test_figures_by_folds_are_not_flattered_by_examples_written_after_reading_the_corpus() -> None:
    added = {example.text for example in load_examples(Path("disputes/training/more-mails.jsonl"))}
    assert added <= {example.text for example in shipped_examples()}
    some = next(example.account for example in shipped_examples() if example.account)
    assert not added & {example.text for example in shipped_examples(frozenset({some}))}


def test_strangers_go_by_their_address() -> None:
    assert account_key("C1", "a@b.example") == "C1"
    assert account_key(None, "A@B.example") == "from:a@b.example"


def test_examples_are_read_from_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "corrections.jsonl"
    path.write_text('{"lang": "en", "reason": "price", "text": "Too dear", "flags": ["partial"]}\n\n', encoding="utf-8")
    [example] = load_examples(path)
    assert (example.reason, example.flags, example.account) == ("price", frozenset({"partial"}), "")


def test_the_same_words_contest_a_reminder_or_tell_of_a_payment(model: Model) -> None:
    words = "Transferred on 2 October: 1,240.00 EUR for invoice 2026-118."
    reminder = "Invoice 2026-118 of 1,240.00 EUR has been due since 1 September. Please pay it."
    asked = mail(words, "Re: Reminder: invoice 2026-118", quoted_text=reminder)
    assert understand(asked, NO_FACTS, model).reason == "already_paid"
    assert understand(mail(words, "Payment"), NO_FACTS, model).reason == "remittance"


def test_money_that_came_makes_a_claim_of_payment_likelier_and_nothing_else(model: Model) -> None:
    text = mail("We paid this on the 2nd. Why do you block our order of pumps?", "Re: our order", quoted_text="...")
    without, fitting = (understand(text, CaseFacts(payment_fits=known), model) for known in (False, True))
    before, after = dict(without.ranking), dict(fitting.ranking)
    assert after["already_paid"] > before["already_paid"]
    changed = {reason for reason, chance in before.items() if after[reason] != pytest.approx(chance)}
    assert changed == {"already_paid", "remittance"}
    assert sum(after.values()) == pytest.approx(1)
