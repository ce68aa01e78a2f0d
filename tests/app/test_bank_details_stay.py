"""S15: no mail changes bank details or addresses, ours or theirs, in any of the six languages. M15: it is held."""

from typing import Any

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.core.settings import Intake
from app.workflows.intake import Tools, work_message
from disputes.bank_holds import is_held
from disputes.classifier import Model, shipped_examples, train
from disputes.models import BankCheck, Case, Message, Outgoing
from invoices.models import Account, AccountName, Contact, Entity
from tests.databases import QueryRecorder
from tests.fixtures_pipeline import Deliver, Ledger, mail, take_in
from tests.fixtures_progress import march

IBAN, ADDRESS = "GB33BUKB20201555555555", "12 Harbour Row, Leeds LS1 4AP"
MAILS = {
    "en": (
        "Change of bank details",
        (
            "Please note that our bank details have changed. From now on use IBAN {iban} for refunds and update our "
            "address to {address}. Our new accounts e-mail is billing@acme-payments.example, phone 020 7946 0999."
        ),
    ),
    "fr": (
        "Changement de coordonnées bancaires",
        (
            "Nous avons changé de banque. Merci d'utiliser désormais notre nouvel IBAN {iban} et de mettre à jour "
            "notre adresse : {address}. Nouveau contact : billing@acme-payments.example, tél. 020 7946 0999."
        ),
    ),
    "de": (
        "Neue Bankverbindung",
        (
            "Unsere Bankverbindung hat sich geändert. Bitte nutzen Sie ab sofort unsere neue IBAN {iban} und ändern "
            "Sie unsere Anschrift in {address}. Neuer Kontakt: billing@acme-payments.example, Telefon 020 7946 0999."
        ),
    ),
    "es": (
        "Cambio de datos bancarios",
        (
            "Hemos cambiado de banco. A partir de ahora utilicen nuestra nueva cuenta, IBAN {iban}, y actualicen "
            "nuestra dirección: {address}. Nuevo contacto: billing@acme-payments.example, teléfono 020 7946 0999."
        ),
    ),
    "it": (
        "Nuove coordinate bancarie",
        (
            "Abbiamo cambiato banca. Vi preghiamo di usare da ora il nostro nuovo IBAN {iban} e di aggiornare il "
            "nostro indirizzo: {address}. Nuovo contatto: billing@acme-payments.example, telefono 020 7946 0999."
        ),
    ),
    "nl": (
        "Nieuwe bankgegevens",
        (
            "Wij zijn van bank veranderd. Gebruik voortaan ons nieuwe rekeningnummer, IBAN {iban}, en pas ons adres "
            "aan: {address}. Nieuw contact: billing@acme-payments.example, telefoon 020 7946 0999."
        ),
    ),
}
OURS = (
    "A colleague of yours told us that your bank account has changed and that we must pay INV-2026-0101 to the new "
    "account {iban} from now on. Please confirm your new bank details."
)
_WRITES = ("INSERT INTO", "UPDATE", "DELETE FROM")
_TABLES = tuple(model.__tablename__ for model in (Account, Contact, Entity, AccountName))


@pytest.fixture(scope="module")
def six_languages() -> Model:
    """Trained on every shipped statement about bank accounts, and on some of everything else."""
    shipped = [one for one in shipped_examples() if not one.account]
    chosen = [one for at, one in enumerate(shipped) if "payment_diversion" in one.flags or at % 4 == 0]
    return train(chosen)


def details(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Every column of everybody, ours and theirs."""
    session.expire_all()
    found = {}
    for model in (Account, Contact, Entity, AccountName):
        rows = session.scalars(select(model)).all()
        found[model.__tablename__] = sorted((_values(row) for row in rows), key=repr)
    return found


def _values(row: object) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}


def touched(queries: QueryRecorder) -> list[str]:
    """Statements that write to the tables of who is who."""
    writes = (" ".join(one.split()) for one in queries.statements if one.lstrip().startswith(_WRITES))
    return [one for one in writes if any(f"{verb} {table}" in one for verb in _WRITES for table in _TABLES)]


def worked(session: Session, tools: Tools, raw: bytes, queries: QueryRecorder) -> Message:
    received = take_in(session, tools, raw, at=march(2))
    with queries:
        work_message(session, message_id=received.message_id, tools=tools, now=march(2))
        session.flush()
    return session.get_one(Message, received.message_id)


@pytest.mark.parametrize("language", sorted(MAILS))
def test_a_mail_with_new_details_is_held_and_changes_nobody(
    session: Session, tools: Tools, ledger: Ledger, six_languages: Model, queries: QueryRecorder, language: str
) -> None:
    tools = Tools(settings=tools.settings, blobs=tools.blobs, model=six_languages, weights=tools.weights)
    subject, text = MAILS[language]
    before = details(session)
    raw = mail(text.format(iban=IBAN, address=ADDRESS), at=march(2), subject=subject)
    message = worked(session, tools, raw, queries)
    assert touched(queries) == []
    assert details(session) == before
    assert "payment_diversion" in message.flags
    case = session.get_one(Case, message.case_id)
    assert is_held(session, case_id=case.id, account_id=ledger.acme.id)
    assert session.scalars(select(Outgoing.id)).all() == []


def test_claims_about_our_own_bank_are_held_too(
    session: Session, tools: Tools, ledger: Ledger, six_languages: Model, queries: QueryRecorder
) -> None:
    tools = Tools(settings=tools.settings, blobs=tools.blobs, model=six_languages, weights=tools.weights)
    before = details(session)
    message = worked(session, tools, mail(OURS.format(iban=IBAN), at=march(2), subject="Your new account"), queries)
    assert (touched(queries), details(session)) == ([], before)
    assert is_held(session, case_id=message.case_id, account_id=ledger.acme.id)


VERDICT = "mx.seller.example; dmarc={} header.from=acme.example"


@pytest.mark.parametrize(
    ("server", "header", "held"),
    [
        ("mx.seller.example", VERDICT.format("fail"), True),
        ("mx.seller.example", VERDICT.format("pass"), False),
        ("mx.other.example", VERDICT.format("fail"), False),
        (None, VERDICT.format("fail"), False),
    ],
)
def test_only_our_own_servers_word_on_the_sender_holds_a_mail(
    session: Session,
    tools: Tools,
    ledger: Ledger,
    queries: QueryRecorder,
    server: str | None,
    header: str,
    *,
    held: bool,
) -> None:
    settings = tools.settings.model_copy(update={"intake": Intake(authentication_server=server)})
    tools = Tools(settings=settings, blobs=tools.blobs, model=tools.model, weights=tools.weights)
    text = "The price of INV-2026-0101 is wrong, it should be 800.00. Please send a credit note."
    raw = mail(text, at=march(2), headers={"Authentication-Results": header})
    message = worked(session, tools, raw, queries)
    assert is_held(session, case_id=message.case_id, account_id=ledger.acme.id) == held
    checks = session.scalars(select(BankCheck)).all()
    assert [one.grounds for one in checks] == ([["not_authentic"]] if held else [])
    assert bool(session.scalars(select(Outgoing.id)).all()) != held, "acknowledged, unless it is held"


def test_nothing_more_is_acknowledged_to_an_account_while_it_is_checked(session: Session, deliver: Deliver) -> None:
    deliver(MAILS["en"][1].format(iban=IBAN, address=ADDRESS), at=march(2), subject=MAILS["en"][0])
    calm = deliver(
        "The parcel for INV-2026-0102 never arrived. Where is it?", at=march(3), sender="Bob Fry <bob@acme.example>"
    )
    assert calm.decision is not None
    assert calm.decision.action == "new"
    assert session.scalars(select(Outgoing.id)).all() == []
