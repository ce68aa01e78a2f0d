"""Flags of a message: the model's margins, each with the threshold its cost asks for, and fixed wordings."""

from collections.abc import Mapping
from functools import cache

from disputes.concepts import Concepts
from disputes.passages import Passage, Passages
from disputes.reading import FLAGS
from disputes.tokens import IBAN

_DIVERSION, _THREAT = "payment_diversion", "legal_threat"
_WITH_WORDS, _SURE = -0.8, 0.6
_WITH_LAWYERS = -0.7
_HURRY = 0.15

_THRESHOLDS: Mapping[str, float] = {
    # missing a diverted payment or a lawyer costs more than a look too many
    "payment_diversion": -0.35,
    "legal_threat": 0.4,
    "callback_requested": -0.2,
    "delivery_block": 0.2,
    "insolvency": 0.4,
    "partial": -0.2,
}
_UNHURRIED = frozenset({"remittance", "already_paid", "promise_to_pay", "acknowledgement", "spam"})
_PRESSING = frozenset({"legal_threat", "insolvency", "delivery_block"})


def flags_of(tones: Mapping[str, float], passages: Passages) -> frozenset[str]:
    """The flags whose margin passes their threshold; `tones` holds the model's margin for each flag.

    A changed account to pay to needs words of one, or the account itself: asking for our details is not that. Words of
    a lawyer or a court of the sender's own are a threat unless the model is against it (insolvencies speak of courts).
    """
    flags = frozenset(flag for flag in FLAGS if tones.get(flag, -1.0) > _THRESHOLDS[flag])
    margin = tones.get(_DIVERSION, -1.0)
    changed, given = _says(passages, _DIVERSION), _gives_account(passages.new)
    diverts = margin > (_WITH_WORDS if changed else _THRESHOLDS[_DIVERSION]) and (changed or given or margin > _SURE)
    threatens = tones.get(_THREAT, -1.0) > _WITH_LAWYERS and _says(passages, _THREAT)
    flags |= {_THREAT} if threatens else frozenset()
    return flags | {_DIVERSION} if diverts else flags - {_DIVERSION}


def _gives_account(new: Passage) -> bool:
    norms, shapes = new.tokens.norms, new.tokens.shapes
    codes = (i for i in range(2, len(norms)) if shapes[i] and norms[i - 2 : i] == ("sort", "code"))
    return IBAN in shapes or next(codes, None) is not None


def _says(passages: Passages, flag: str) -> bool:
    """Whether the new text or the subject has a fixed wording of a flag: another account, a lawyer."""
    found = (hit for passage in (passages.new, passages.subject) for hit in _wordings().find(passage.tokens))
    return any(hit.concept == flag for hit in found)


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


_THREATENS = """
my solicitor*; our solicitor*; a solicitor s; my lawyer*; our lawyer*; my attorney*; our attorney*; solicitor* name
our legal ~ team; our legal department; legal action; issue proceedings; legal proceedings; start proceedings
begin proceedings; small claims; county court; trading standards; we act for; acting for; instructed by; instructed us
our client has; our client s; take you to court; hear from ~ solicitor*; hear from ~ lawyer*; letter before claim
letter before action; solicitors ~ llp; desist from; mon avocat*; notre avocat*; nos avocats; un avocat
avocat au barreau; notre cliente; notre client; ma cliente; mon client; saisirai; saisirons; saisir le tribunal
saisir le juge; conciliateur de justice; un huissier; huissier de justice; voie judiciaire; poursuites judiciaires
assigner; assignation; action en justice; porter plainte; dgccrf; expert judiciaire; constat d huissier; mein* anwalt*
unser* anwalt*; unser* rechtsanwalt*; vom anwalt; zum anwalt; anwalt ist; anwalt einschalten; anwalt ein; rechtsanwalt
rechtsanwaltin; rechtsanwalte; rechtsabteilung; mandantin; mandantschaft; mandanten; klage erheben; klage ~ erhoben
zur klage; klage raten; feststellungsklage; gerichtlich* schritte; rechtliche schritte; rechtlichen schritten
gerichtsweg; vor gericht; verbraucherzentrale; behalte ich mir ~ schritte; rechtsweg; mi abogad*; mis abogados
nuestr* abogad*; nuestros abogados; los abogados; un abogado; contestara ~ abogado; manos de ~ abogad*
acciones legales; acciones judiciales; via judicial; interpondremos; interponer demanda; demanda ante
burofax ~ abogad*; mi cliente; mi representada; de consumo; los tribunales; al juzgado; mio avvocato; nostro avvocato
nostri avvocati; nostro legale; mio legale; all avvocato; un avvocato; vie legali; vie giudiziarie; azioni legali
azione legale; mia assistita; mio assistito; conferito mandato; adire; adiremo; in tribunale; in difetto; avv
studio legale scrivente; passiamo ~ avvocato; mijn advocaat; onze advocaat; een advocaat; onze jurist*; mijn jurist*
rechtsbijstand; raadsman; mijn client; mijn cliente; clienten; gerechtelijke stappen; juridische stappen; in rechte
naar de rechter; dagvaard*; dagvaarding; deurwaarder op; kort geding; in gebreke; ingebrekestelling; consumentenbond
geschillencommissie
"""


@cache
def _wordings() -> Concepts:
    tables = ((_DIVERSION, _CHANGED_ACCOUNT), (_THREAT, _THREATENS))
    rows = [(flag, row.strip()) for flag, table in tables for row in table.replace("\n", ";").split(";")]
    return Concepts((flag, row) for flag, row in rows if row)


def is_urgent(tones: Mapping[str, float], flags: frozenset[str], reason: str) -> bool:
    """Whether somebody waits by the hour: the flags say so (lawyers, courts, a lorry held back), or the model does.

    Mails about a payment name today and tomorrow without hurry, and spam shouts at everybody.
    """
    return bool(flags & _PRESSING) or (tones["urgent"] > _HURRY and reason not in _UNHURRIED)
