"""Flags of a message: the model's margins, each with the threshold its cost asks for, and fixed wordings."""

from collections.abc import Mapping
from functools import cache

from disputes.concepts import Concepts
from disputes.passages import Passage, Passages
from disputes.reading import FLAGS
from disputes.tokens import IBAN

_DIVERSION = "payment_diversion"
_WITH_WORDS, _SURE = -0.8, 0.4

_THRESHOLDS: Mapping[str, float] = {
    # missing a diverted payment or a lawyer costs more than a look too many
    "payment_diversion": -0.35,
    "legal_threat": -0.2,
    "callback_requested": -0.2,
    "delivery_block": 0.2,
    "insolvency": 0.4,
    "partial": -0.2,
}
_UNHURRIED = frozenset({"remittance", "already_paid", "promise_to_pay", "acknowledgement", "spam"})
_PRESSING = frozenset({"legal_threat", "insolvency", "delivery_block"})


def flags_of(tones: Mapping[str, float], passages: Passages) -> frozenset[str]:
    """The flags whose margin passes their threshold; `tones` holds the model's margin for each flag.

    A changed account to pay to needs words of one, or the account itself: asking for our details is not that.
    """
    flags = frozenset(flag for flag in FLAGS if tones.get(flag, -1.0) > _THRESHOLDS[flag])
    margin = tones.get(_DIVERSION, -1.0)
    changed, given = _account_changes(passages), _gives_account(passages.new)
    diverts = margin > (_WITH_WORDS if changed else _THRESHOLDS[_DIVERSION]) and (changed or given or margin > _SURE)
    return flags | {_DIVERSION} if diverts else flags - {_DIVERSION}


def _gives_account(new: Passage) -> bool:
    norms, shapes = new.tokens.norms, new.tokens.shapes
    codes = (i for i in range(2, len(norms)) if shapes[i] and norms[i - 2 : i] == ("sort", "code"))
    return IBAN in shapes or next(codes, None) is not None


def _account_changes(passages: Passages) -> bool:
    """Whether the new text or the subject speaks of an account to pay to that is new or another one."""
    return any(_wordings().find(passage.tokens) for passage in (passages.new, passages.subject))


_CHANGED_ACCOUNT = """
changed bank*; change* ~ bank; bank ~ changed; moved to ~ bank; new bank; new account; new beneficiary; new remittance
new business account; alternative account; another account; updated remittance; updated bank*; updated beneficiary
updated account; change of bank; change of account; paying ~ different account
everything ~ on to a; pay ~ to a ~ account; ending ~ whereas
nouvelles coordonnees; nouveau rib; nouvel iban; nouveau compte; change* de banque; changement de rib
changement de coordonnees; changement d iban; changement de banque; changement de compte; autre rib; autre iban
compte ci dessous; compte ~ suspendu; neue bankverbindung; neuen bankverbindung; geanderte bankverbindung
neue kontoverbindung; bankverbindung ~ geandert; neue bankdaten; geanderte bankdaten; neues konto; neuen konto
neue iban; andere iban; kontowechsel; bankwechsel; bank gewechselt; anderes konto; cambiado de banco; cambio de banco
nueva cuenta; nuevos datos bancarios; cambio de cuenta; cambio de datos bancarios; nuevo iban; otro iban; otra cuenta
cambiado ~ cuenta; cambio coordinate; cambio ~ iban; nuove coordinate; cambiato banca; cambiato ~ conto; nuovo iban
nuovo conto; altro iban; altro conto; conto sotto indicato; nieuw rekeningnummer; nieuwe bankrekening; nieuwe rekening
gewijzigd rekeningnummer; rekeningnummer ~ gewijzigd; van bank veranderd; nieuwe iban; ander rekeningnummer
nieuwe bankgegevens; gewijzigde bankgegevens; andere rekening
"""


@cache
def _wordings() -> Concepts:
    rows = [row.strip() for row in _CHANGED_ACCOUNT.replace("\n", ";").split(";")]
    return Concepts((_DIVERSION, row) for row in rows if row)


def is_urgent(tones: Mapping[str, float], flags: frozenset[str], reason: str) -> bool:
    """Whether somebody waits by the hour: the flags say so (lawyers, courts, a lorry held back), or the model does.

    Mails about a payment name today and tomorrow without hurry, and spam shouts at everybody.
    """
    return bool(flags & _PRESSING) or (tones["urgent"] > 0 and reason not in _UNHURRIED)
