"""Mail from machines and mail about nothing: decided by headers, sender and fixed wordings before any model.

Sources: RFC 3834 (automatic responses), RFC 3464 and 3798/8098 (delivery reports, read receipts), and the subjects
mail programs in six languages write themselves.
"""

import re2

from disputes.passages import Passage
from disputes.reading import CaseFacts, MailText
from disputes.tokens import IBAN, MONEY, REFERENCE, fold, word_set

_AUTO_SUBJECTS = re2.compile(
    "^(?:"
    "automatic reply|auto reply|autoreply|auto response|autoresponse|automatic response|out of (?:the )?office|"
    "reponse automatique|absence du bureau|absent du bureau|message d absence|"
    "automatische antwort|abwesenheitsnotiz|abwesenheit|automatische abwesenheits\\w*|"
    "respuesta automatica|fuera de (?:la )?oficina|ausencia|"
    "risposta automatica|fuori (?:sede|ufficio)|assenza|"
    "automatisch antwoord|automatisch bericht|afwezigheid\\w*|afwezig|niet aanwezig|"
    "read|lu|gelesen|leido|letto|gelezen|not read|non lu|ungelesen gelost|"
    "read receipt|accuse de lecture|lesebestatigung|confirmacion de lectura|conferma di lettura|leesbevestiging"
    ")(?: |$)"
)
_AWAY_BEFORE_REPLY = re2.compile(
    "^(?:absente?|absence|conges|away|on leave|abwesend|urlaub|ausente|vacaciones|assente|ferie|afwezig|vakantie)"
    " (?:.{0,40} )?(?:re|aw|r|antw) "
)
_COLON_SUBJECTS = frozenset({"read", "lu", "gelesen", "leido", "letto", "gelezen", "absence", "ausencia", "assenza"})
_BOUNCE_SUBJECTS = re2.compile(
    "^(?:"
    "undeliver\\w*|returned mail|mail delivery (?:failed|failure|subsystem)|"
    "delivery (?:status notification|failure|failed)|"
    "failure notice|message (?:undeliverable|not delivered)|warning message still undelivered|could not send message|"
    "non remis|non distribu\\w*|echec de (?:la )?(?:remise|distribution|livraison du message)|message non distribu\\w*|"
    "unzustellbar\\w*|nicht zustellbar|zustellung fehlgeschlagen|unzustellbare nachricht|"
    "no se puede entregar|no entregado|mensaje no entregado|no se pudo entregar|error de entrega|"
    "impossibile recapitare|mancata consegna|avviso di mancata consegna|mancato recapito|non recapitabile|"
    "onbestelbaar\\w*|niet bezorgd|kan niet worden bezorgd|bezorging mislukt"
    ")(?: |$)"
)
_CONFIRMS_REQUEST = re2.compile(
    "(?:thank you for contacting|we have received your (?:request|e ?mail|message|enquiry|query)|"
    "(?:request|ticket|case) .{0,60}has been (?:created|opened|logged|registered|raised)|"
    "votre (?:demande|message|requete) a (?:bien )?ete (?:enregistree?|recue?|prise? en compte)|"
    "ihre (?:anfrage|nachricht|e ?mail|mail) (?:ist bei uns eingegangen|wurde .{0,30}(?:erfasst|registriert))|"
    "(?:su|tu) (?:solicitud|consulta|mensaje) (?:ha sido|se ha) (?:registrad|recibid)|"
    "hemos recibido (?:su|tu) solicitud|"
    "(?:sua|vostra) richiesta e stata (?:registrata|presa in carico|ricevuta|aperta)|"
    "uw (?:aanvraag|bericht|vraag|e ?mail|verzoek) (?:is|werd) (?:goed )?(?:ontvangen|geregistreerd|aangemaakt))"
)
_CASE_NUMBER = re2.compile(
    "(?:ticket|vorgangsnummer|request|case|reference|dossier|demande|solicitud|pratica|richiesta|zaaknummer|aanvraag)"
    "(?: number| nummer| numero| no| nr| n| id)? ?(?:[a-z]+ ?)?[0-9]{3}"
)
_DEVICE_LINE = re2.compile(
    "(?:sent from|get outlook|envoye (?:de|depuis)|gesendet (?:mit|von)|von meinem|enviado desde|inviato da|"
    "verstuurd vanaf|verzonden (?:vanaf|met)).{0,60}"
)
_MAILERS = ("mailer-daemon@", "postmaster@", "microsoftexchange", "mail-daemon@", "mdaemon@")
_OPENING = 600
_EVERYBODY = word_set(
    "all everyone everybody folks team zusammen alle allen kollegen kolleginnen tous toutes tutti todos chicos chicas"
    " collega collegae colleagues collegues colleghi companeros equipe equipo iedereen ragazzi"
)
_GREETING = 4


def machine_rule(mail: MailText) -> tuple[str, str] | None:
    """The reason (auto_reply, bounce; spam for an empty mail) and the rule's name; None where a person may write."""
    if mail.is_bounce:
        return "bounce", "rule:delivery_report"
    if _bounces(mail):
        return "bounce", "rule:undeliverable_wording"
    if mail.is_auto_reply or _auto_submitted(mail):
        return "auto_reply", "rule:automatic_header"
    if _automatic_subject(mail.subject):
        return "auto_reply", "rule:automatic_wording"
    if _confirms_request(mail):
        return "auto_reply", "rule:request_confirmed"
    return ("spam", "rule:empty_mail") if _is_empty(mail) else None


def stranger_rule(new: Passage, facts: CaseFacts, flags: frozenset[str]) -> tuple[str, str] | None:
    """Spam, where somebody unknown gives an account to pay to: the commonest fraud on receivables mailboxes.

    Somebody known who doubts such a mail, or asks about one, is never caught: that is what `sender_known` is for.
    """
    gives_account = IBAN in new.tokens.shapes or "sort code" in " ".join(new.tokens.norms)
    if facts.sender_known is False and "payment_diversion" in flags and gives_account:
        return "spam", "rule:stranger_with_new_account"
    return None


def colleague_rule(mail: MailText, new: Passage) -> tuple[str, str] | None:
    """Not for receivables, where a colleague writes to everybody and names no amount and no number: cake, keys, drills.

    All six such mails of six corpora were that, and no other was.
    """
    names = any(shape in {MONEY, REFERENCE} for shape in new.tokens.shapes)
    greets = not _EVERYBODY.isdisjoint(new.tokens.norms[:_GREETING])
    return ("not_ar", "rule:colleague_to_all") if mail.direction == "internal" and greets and not names else None


def _bounces(mail: MailText) -> bool:
    sender = mail.from_email.lower()
    if sender.startswith(_MAILERS[0]):
        return True
    return bool(_BOUNCE_SUBJECTS.match(fold(mail.subject))) and ("@" not in sender or _is_machine(sender))


def _is_machine(sender: str) -> bool:
    return sender.startswith((*_MAILERS, "noreply@", "no-reply@", "posta-certificata@"))


def _auto_submitted(mail: MailText) -> bool:
    values = [value.strip().lower() for value in mail.headers.get("auto-submitted", ())]
    return any(value.startswith("auto-replied") for value in values)


def _automatic_subject(subject: str) -> bool:
    """Whether the subject is one a mail program writes; a single word needs the colon the program puts after it."""
    folded = fold(subject)
    if _AWAY_BEFORE_REPLY.match(folded):
        return True
    match = _AUTO_SUBJECTS.match(folded)
    if match is None:
        return False
    words = match.group().strip()
    return words not in _COLON_SUBJECTS or ":" in subject[: len(words) + 3]


def _confirms_request(mail: MailText) -> bool:
    """Whether a ticket system confirms that a mail of ours came in: its set phrase, and the number it gave."""
    text = fold(f"{mail.subject}\n{mail.new_text[:_OPENING]}")
    return bool(_CONFIRMS_REQUEST.search(text)) and bool(_CASE_NUMBER.search(text))


def _is_empty(mail: MailText) -> bool:
    """No text but a device's line, no attachment and a subject that says nothing (empty or a bare reply mark)."""
    if len(mail.new_text) > _OPENING:
        return False
    text = fold(mail.new_text)
    said = "" if _DEVICE_LINE.fullmatch(text) else text
    rest = mail.quoted_text + "".join(mail.attachment_names)
    return not said and not rest.strip() and len(fold(mail.subject).split()) <= 1
