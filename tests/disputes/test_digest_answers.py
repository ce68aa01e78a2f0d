"""Answers to digests as people write them: what is sure is done, the rest is a note, what may be either is asked."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.digest_answers import ABOVE, Answer, Command, amounts_in, understood
from disputes.digest_tokens import ACTIONS

ONE = (123,)
THREE = (123, 124, 125)

SURE_OF_ONE: tuple[tuple[str, str, str, str | None], ...] = (
    ("accept", "accept", "", None),
    ("Accept.", "accept", "", None),
    ("#123 accept", "accept", "", None),
    ("123: accept", "accept", "", None),
    ("- accept", "accept", "", None),
    ("Accepted, thank you", "accept", "", None),
    ("We accept.", "accept", "", None),
    ("Approved: see mail of Monday's meeting", "accept", "see mail of Monday's meeting", None),
    ("accept: the quote of February says 72.00", "accept", "the quote of February says 72.00", None),
    ("accepter : le devis dit 72,00 et pas 80,00", "accept", "le devis dit 72,00 et pas 80,00", None),
    ("accepter", "accept", "", None),
    ("Accepté", "accept", "", None),
    ("ACCEPTÉE !", "accept", "", None),
    ("J'accepte.", "accept", "", None),
    ("J’accepte.", "accept", "", None),
    ("Nous acceptons, merci.", "accept", "", None),
    ("ok pour moi", "accept", "", None),
    ("OK pour moi, merci\n\nEnvoyé de mon iPhone", "accept", "", None),
    ("D’accord", "accept", "", None),
    ("Bonjour,\n\nBon pour accord.\n\nCordialement,\nPaul Roux\nTarification", "accept", "", None),
    ("Hello,\nfine with me.\n\nBest regards,\nPaul", "accept", "", None),
    ("credit all", "accept", "", None),
    ("avoir en totalité", "accept", "", None),
    ("reject: the price was agreed", "reject", "the price was agreed", None),
    ("Refuse", "reject", "", None),
    ("Rejected because the contract says so", "reject", "the contract says so", None),
    ("refuser : le prix était convenu", "reject", "le prix était convenu", None),
    ("Refusé, car le prix est celui du contrat 2026", "reject", "le prix est celui du contrat 2026", None),
    ("refus\nLe client a signé le bon de commande.", "reject", "Le client a signé le bon de commande.", None),
    ("I don't accept: delivered in full", "reject", "delivered in full", None),
    ("Je ne suis pas d'accord", "reject", "", None),
    ("Pas d'accord, la remise était échue", "reject", "la remise était échue", None),
    ("not mine", "not-mine", "", None),
    ("Wrong person, ask logistics", "not-mine", "ask logistics", None),
    ("Ce n'est pas pour moi", "not-mine", "", None),
    ("pas pour moi : voir la logistique", "not-mine", "voir la logistique", None),
    ("need: proof of delivery", "need", "proof of delivery", None),
    ("We need the proof of delivery", "need", "proof of delivery", None),
    ("besoin : bon de livraison", "need", "bon de livraison", None),
    ("J'ai besoin du bon de livraison signé", "need", "bon de livraison signé", None),
    ("Il me faut la commande d'origine", "need", "commande d'origine", None),
    ("credit 120.00", "credit", "", "120.00"),
    ("Credit note of 120 EUR", "credit", "", "120"),
    ("credit £1,234.56", "credit", "", "1234.56"),
    ("avoir 120,00", "credit", "", "120.00"),
    ("Avoir de 1 234,56 €", "credit", "", "1234.56"),
    ("faire un avoir de 99,5", "credit", "", "99.5"),
    ("avoir : 120,00 €\nDeux palettes au prix du contrat.", "credit", "Deux palettes au prix du contrat.", "120.00"),
    (f"accept\n\n{ABOVE} Answer above this line -##\n#123 reject: no", "accept", "", None),
    ("> Paul, #123 waits for you\n> “#123 refuse”\naccept", "accept", "", None),
)  # fmt: skip

DOUBTFUL = (
    "ok",
    "Oui.",
    "yes",
    "accept but only half",
    "accepter\nmais sans le transport",
    "accept 120",
    "accept: 120",
    "accept: 50 %",
    "accept: not the freight",
    "accept: but only half",
    "accepter : sauf les frais",
    "accept the discount",
    "accepter sauf les frais",
    "accept?",
    "D'accord sous réserve du bon de livraison",
    "refuser partiellement",
    "reject the first invoice",
    "credit",
    "avoir à voir avec le client",
    "credit 100 or 120",
    "credit 1.234",
    "credit 0",
    "need",
    "accept\nreject",
)

NOTES = (
    "Je regarde demain avec le fournisseur.",
    "I am waiting for the carrier, will know on Friday.",
    "Le client a raison, mais le chef de secteur doit valider.",
    "Pouvez-vous me rappeler ?",
    "Il y a deux palettes de retour, je vérifie.",
)


@pytest.mark.parametrize(("text", "action", "words", "amount"), SURE_OF_ONE)
def test_what_is_sure_is_understood(text: str, action: str, words: str, amount: str | None) -> None:
    answer = understood(text, cases=ONE)
    assert answer.remarks == ()
    (command,) = answer.commands
    assert (command.case_id, command.action, command.text) == (123, action, words)
    assert command.amount == (Decimal(amount) if amount else None)


@pytest.mark.parametrize("text", DOUBTFUL)
def test_what_is_doubtful_is_kept_and_asked_about(text: str) -> None:
    answer = understood(text, cases=ONE)
    assert answer.commands == ()
    assert answer.unclear
    assert all(one.case_id == 123 for one in answer.remarks)


@pytest.mark.parametrize("text", NOTES)
def test_words_of_ones_own_are_a_note(text: str) -> None:
    answer = understood(text, cases=ONE)
    assert answer.commands == ()
    assert [(one.case_id, one.text, one.unclear) for one in answer.remarks] == [(123, text, False)]


def test_a_line_a_case() -> None:
    text = (
        "Bonjour,\n\n#123 accepter\n#124 refuser : le prix était convenu\net signé par eux\n\n"
        "125 : avoir 120,50 €\n\nMerci,\nPaul"
    )
    answer = understood(text, cases=THREE)
    assert answer.commands == (
        Command(123, "accept"),
        Command(124, "reject", "le prix était convenu\net signé par eux"),
        Command(125, "credit", "Paul", Decimal("120.50"), "EUR"),
    )
    assert answer.remarks == ()


@pytest.mark.parametrize(
    "text", ["#123, #124 accept", "#123 et #124 : accepter", "123 & 124 accept", "Dossiers #123 + #124: d'accord"]
)
def test_several_cases_in_a_line(text: str) -> None:
    assert understood(text, cases=THREE).commands == (Command(123, "accept"), Command(124, "accept"))


def test_a_number_alone_heads_what_follows() -> None:
    answer = understood("#123\naccept\n\n#124\nJe vérifie encore.", cases=THREE)
    assert answer.commands == (Command(123, "accept"),)
    assert [(one.case_id, one.text) for one in answer.remarks] == [(124, "Je vérifie encore.")]


def test_without_a_number_nobody_knows_which_of_several() -> None:
    answer = understood("accept", cases=THREE)
    assert answer.commands == ()
    assert [(one.case_id, one.unclear) for one in answer.remarks] == [(None, True)]
    assert understood("120 accept", cases=THREE).commands == (), "120 is none of the cases, and may be an amount"
    assert understood("#120 accept", cases=THREE).commands == (Command(120, "accept"),), "named: they may see it"


def test_nothing_but_politeness_is_nothing() -> None:
    assert understood("Merci !\n\nCordialement,\nPaul Roux", cases=ONE) == Answer()
    assert understood("", cases=THREE) == Answer()


def test_two_commands_for_one_case_are_a_question_and_one_twice_is_one() -> None:
    doubled = understood("#123 accept\n#123 accept", cases=THREE)
    assert doubled.commands == (Command(123, "accept"),)
    torn = understood("#123 accept\n#124 accept\n#123 refuse", cases=THREE)
    assert torn.commands == (Command(124, "accept"),)
    assert [(one.case_id, one.text) for one in torn.unclear] == [(123, "accept"), (123, "reject")]


def test_nothing_below_the_mark_counts_unless_marks_of_quoting_tell_it_apart() -> None:
    top = f"#123 accept\n\n{ABOVE} x -##\n#124 accept\nNew: #125 accept"
    assert understood(top, cases=THREE).commands == (Command(123, "accept"),)
    between = f"> {ABOVE} x -##\n> #123 Keller\n#123 accept\n> #124 Brook\n#124 refuse: late"
    assert understood(between, cases=THREE).commands == (Command(123, "accept"), Command(124, "reject", "late"))


@given(text=st.text(max_size=400), cases=st.lists(st.integers(1, 999), max_size=4, unique=True))
def test_any_text_is_read_calmly(text: str, cases: list[int]) -> None:
    answer = understood(text, cases=cases)
    for command in answer.commands:
        assert command.action in ACTIONS
        assert (command.action == "credit") == (command.amount is not None)
        assert command.case_id in cases or str(command.case_id) in text


WORDS = st.sampled_from(
    ["accept", "refuse", "credit", "avoir", "120,00", "#123", "#124", "but", "mais", "ok", "pour", "moi", ":", ".", "?",
     "\n", "not", "pas", "need", "besoin", "de", ">", "1.234", "€", "le", "the", "merci"]
)  # fmt: skip


@given(words=st.lists(WORDS, max_size=12))
def test_a_reservation_is_never_accepted(words: list[str]) -> None:
    answer = understood(" ".join(words), cases=ONE)
    for command in answer.commands:
        if command.action == "accept":
            assert not {"but", "mais", "?"} & set(command.text.split())
            assert not command.text.startswith(("not", "pas", "1"))


@given(cents=st.integers(1, 10**9), style=st.sampled_from(["fr", "en", "plain", "comma"]))
def test_amounts_come_back_as_they_were_written(cents: int, style: str) -> None:
    value = Decimal(cents).scaleb(-2)
    grouped = f"{value:,.2f}"
    written = {
        "fr": grouped.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",") + " €",
        "en": f"€{grouped}",
        "plain": str(value),
        "comma": str(value).replace(".", ","),
    }[style]
    assert amounts_in(written) == [(value, "EUR" if style in {"fr", "en"} else "")]
    (command,) = understood(f"avoir {written}", cases=ONE).commands
    assert command.amount == value


def test_a_long_hostile_answer_is_bounded() -> None:
    answer = understood("#1 accept " * 20_000 + "\n#2 accept" * 20_000, cases=())
    assert len(answer.commands) <= 2
