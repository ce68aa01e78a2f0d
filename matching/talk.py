"""What a mail as a whole talks about, in the words of six languages, where that makes invoices likelier or not."""

from collections.abc import Iterable

import re2

_LEDGER_TALK = re2.compile(
    r"\b(?:STATEMENTS?|STMT|RELEVES?|EXTRAITS?|KONTOAUSZUG|SALDEN\w*|EXTRACTOS?|ESTRATTO|REKENINGOVERZICHT|SALDO\w*|SOLDES?"
    r"|BALANCE|RECONCIL\w*|CONCILIA\w*|RAPPROCHEMENT|AUDIT\w*|PRUFUNG|RIB|IBAN|BANK DETAILS|BANKVERBINDUNG)\b"
)
_MASTER_DATA_TALK = re2.compile(
    r"\b(?:PEPPOL|XRECHNUNG|ZUGFERD|FACTUR-X|CHORUS|SDI|PEC|E-?INVOIC\w*|E-?FACTU\w*|E-?RECHNUNG\w*|EDI|ONBOARDING"
    r"|(?:BILLING|INVOICE|NEW|POSTAL) ADDRESS|ADRESSE DE FACTURATION|NOUVELLE ADRESSE|RECHNUNGSADRESSE|RECHNUNGSEINGANG"
    r"|STAMMDATEN|FACTUURADRES|DATI ANAGRAFICI|DATOS DE FACTURACION|DEMENAG\w*|UMZUG|MOVED|VERHUI\w*|CHANGE OF)\b"
)
_CREDIT_TALK = re2.compile(
    r"\b(?:CREDITS?|CREDIT NOTES?|AVOIRS?|GUTSCHRIFT\w*|GUTHABEN|ABONOS?|RECTIFICATIVAS?|NOTA DI CREDITO|STORNO"
    r"|CREDITNOTA\w*|REFUNDS?|REMBOURS\w*|ERSTATTUNG|REEMBOLSO|RIMBORSO|TERUGBETALING)\b"
)
_LATEST_TALK = re2.compile(
    r"\b(?:LAST|LATEST|MOST RECENT|DERNIERE|LETZTEN?|NEUESTEN?|JUNGSTEN?|ULTIM[AO]|LAATSTE|NIEUWSTE|MAS RECIENTE)"
    r" (?:INVOICE|BILL|FACTURE|RECHNUNG|FACTURA|FATTURA|FACTUUR|REKENING)\b"
)
_CONTRAST = re2.compile(
    r"\b(?:EXCEPT|APART FROM|INSTEAD|WHEREAS|ONLY|TWICE|THE (?:OTHER|FIRST|SECOND|LAST)|(?:IS|ARE) (?:OK|FINE|RIGHT)"
    r"|(?:IS|ARE) CORRECT|SAUF|HORMIS|EN REVANCHE|PAR CONTRE|SEULE?S?|SEULEMENT"
    r"|(?:LA|L')? ?(?:PREMIERE|SECONDE|DEUXIEME|AUTRE)|DEUX FOIS"
    r"|AUSSER|HINGEGEN|DAGEGEN|NUR|(?:DIE|DER) (?:ERSTE|ZWEITE|ANDERE|LETZTE)N?|PASST|IN ORDNUNG|DOPPELT|ZWEIMAL"
    r"|BEHALVE|ALLEEN|DE (?:EERSTE|TWEEDE|ANDERE|LAATSTE)|IS GOED|IN ORDE|DUBBEL|TWEE KEER"
    r"|TRANNE|INVECE|SOLO|LA (?:PRIMA|SECONDA)|L'ALTRA|VA BENE|DUE VOLTE"
    r"|SALVO|EXCEPTO|MENOS|EN CAMBIO|LA (?:PRIMERA|SEGUNDA|OTRA)|ESTA BIEN|DOS VECES|DUPLICAD[AO])\b"
)
_REPLY = re2.compile(r"^\s*(?:RE|AW|ANTW|ANTWORT|R|RV|SV|RES|REF|ODP|TR|FW|FWD|WG|I|RIF)\s*(?:\[\d+\])?\s*:")
_FORWARD = re2.compile(r"^\s*(?:FW|FWD|WG|TR|RV|I|INOLTRO|DOORST|ENC|VS)\s*(?:\[\d+\])?\s*:")
_OTHER_TALK = re2.compile(
    r"\b(?:(?:DIFFERENT|ANOTHER|OTHER|SEPARATE) (?:THING|MATTER|ISSUE|POINT|SUBJECT|QUESTION|ONE)|SEPARATELY|UNRELATED"
    r"|BY THE WAY|WHILE I'M (?:HERE|AT IT)|HIT(?:TING)? REPLY|(?:USING|JUMPING ON) THIS (?:THREAD|EMAIL|MAIL)"
    r"|AUTRE (?:CHOSE|SUJET|QUESTION|POINT|AFFAIRE)|PAR AILLEURS|RIEN A VOIR"
    r"|AU PASSAGE|J'EN PROFITE|JE PROFITE DE (?:CE|VOTRE)|BEI DER GELEGENHEIT|NUTZE DIESE (?:E-?MAIL|NACHRICHT)"
    r"|ETWAS ANDERES|ANDERE[RSN]? (?:THEMA|SACHE|ANLIEGEN|PUNKT|FRAGE)|IETS ANDERS"
    r"|ANDER (?:ONDERWERP|PUNT)|ANDERE (?:VRAAG|KWESTIE)|OTRO (?:ASUNTO|TEMA)"
    r"|OTRA (?:COSA|CUESTION|CONSULTA)|APROVECHO|ALTRA (?:QUESTIONE|COSA)"
    r"|ALTRO (?:ARGOMENTO|TEMA|PUNTO)|APPROFITTO)\b"
)


def turns_to_another(folded: str) -> bool:
    """Whether the writer says, in folded text, that they come to another matter than the mails before."""
    return _OTHER_TALK.search(folded) is not None


def talk_of(texts: Iterable[str]) -> dict[str, float]:
    """Which talk occurs in folded texts: of ledger, master data, another matter, credit notes, the latest, contrast."""
    every = tuple(texts)
    patterns = {"ledger": _LEDGER_TALK, "master": _MASTER_DATA_TALK, "other": _OTHER_TALK, "credit": _CREDIT_TALK}
    patterns |= {"latest": _LATEST_TALK, "contrast": _CONTRAST}
    return {name: float(any(pattern.search(text) for text in every)) for name, pattern in patterns.items()}


def is_reply(subject: str) -> bool:
    """Whether a folded subject begins with a reply's or forward's mark: it was written for another mail."""
    return _REPLY.search(subject) is not None


def is_forward(subject: str) -> bool:
    """Whether a folded subject begins with a forward's mark."""
    return _FORWARD.search(subject) is not None
