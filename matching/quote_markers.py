"""What the lines of a mail body can be: the vocabulary behind `matching.quotes`.

Every pattern runs on google-re2 and on a bounded slice of a line, so that no body makes it slow
(S11, M21): each public Python splitter but one hangs on a crafted line of 200 KB.
"""

import unicodedata

import re2

LINE_LIMIT = 500
"""Characters of one line that are looked at; mail clients wrap far below it."""

SHORT_LINE, LONG_LINE = 60, 200
"""Longer lines than these are no closing bracket or forward's announcement, and no attribution or signature."""

INVISIBLE = "\u1427\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\ufeff"
"""Marks without a shape, Gmail's tracking sign U+1427 among them; a line of them is blank."""

_SPACES = {0xA0: " ", 0x202F: " ", 0x2009: " ", 0x3000: " "}

HEADER_ROLES = {
    "from": "from de von da van från fra od",
    "date": "sent date envoyé envoyé_le envoye date_d'envoi gesendet datum gesendet_am enviado enviado_el enviado_em"
    " enviada enviada_em fecha inviato inviato_il data verzonden verzonden_op skickat dato sendt message_du"
    " wysłano wysłane",
    "to": "to à a an para per aan till til do destinataire destinataires",
    "cc": "cc bcc cci copie copie_à kopie kopia copia ccn copia_a",
    "subject": "subject objet sujet betreff asunto oggetto onderwerp ämne emne assunto temat",
    "reply": "reply-to répondre_à antwort_an risposta responder_a rispondi_a beantwoorden_aan reply_to",
    "other": "importance priority attachments pièces_jointes anlagen wichtigkeit importanza priorité prioriteit"
    " bijlagen allegati adjuntos importancia organization organisation",
}
"""Header names of quoted header blocks, by the part they play, in the languages our customers' clients speak."""

_ROLE_OF = {name.replace("_", " "): role for role, names in HEADER_ROLES.items() for name in names.split()}

_ORIGINAL = (
    "original message|original email|message d[’']origine|message original|message initial"
    "|urspr(?:ü|ue)ngliche (?:nachricht|e-?mail|mail)"
    "|original-?nachricht|originalnachricht|mensaje original|correo original|messaggio originale|messaggio original"
    "|oorspronkelijk bericht|origineel bericht|oorspronkelijke bericht|originalmeddelande|ursprungligt meddelande"
    "|oprindelig (?:besked|meddelelse)|opprinnelig melding|opprinnelig meddelelse|mensagem original"
    "|wiadomość oryginalna|oryginalna wiadomość|alkuperäinen viesti|исходное сообщение|reply message|reply separator"
)
_FORWARDED = (
    "forwarded message|forwarded by .*|begin forwarded message|original forwarded message"
    "|message transf(?:é|e)r(?:é|e)|transf(?:é|e)r(?:é|e) par .*|message r(?:é|e)exp(?:é|e)di(?:é|e)"
    "|courriel transf(?:é|e)r(?:é|e)|d(?:é|e)but du message (?:transf(?:é|e)r(?:é|e)|r(?:é|e)exp(?:é|e)di(?:é|e))"
    "|weitergeleitete (?:nachricht|e-?mail|mail)|weitergeleitet von .*|anfang der weitergeleiteten (?:nachricht|e-mail)"
    "|mensaje (?:reenviado|remitido)|inicio del mensaje reenviado|reenviado por .*"
    "|messaggio inoltrato|inizio messaggio inoltrato|inoltrato da .*"
    "|doorgestuurd bericht|begin doorgestuurd bericht|doorgestuurd door .*|doorgestuurde bericht"
    "|vidarebefordrat meddelande|videresendt (?:besked|melding|meddelelse)|mensagem encaminhada"
    "|początek przekazywanej wiadomości|wiadomość przekazana(?: dalej)?|przekazana wiadomość|пересылаемое сообщение"
)
_SEPARATOR = re2.compile(rf"(?i)^[*\s]*[-_=—–]{{2,}}\s*\*?(?:{_ORIGINAL}|({_FORWARDED}))\s*:?\*?\s*[-_=—–]*[*\s]*$")
_REPLY_ABOVE = re2.compile(
    r"(?i)(?:above this line|au-dessus de cette ligne|(?:oberhalb|über) dieser (?:linie|zeile)"
    r"|(?:encima|arriba) de esta l[íi]nea|sopra questa (?:riga|linea)|boven deze (?:regel|lijn))"
)
_BEGIN_FORWARD = re2.compile(
    r"(?i)^(?:begin forwarded message|d(?:é|e)but du message (?:transf|r(?:é|e)exp)\S+"
    r"|anfang der weitergeleiteten (?:nachricht|e-mail)|inicio del mensaje reenviado|inizio messaggio inoltrato"
    r"|begin doorgestuurd bericht|vidarebefordrat brev|videresendt besked)\s*:?$"
)

_VERB = (
    r"(?:wrote|writes|a [ée]crit|a r[ée]pondu|schrieb|hat (?:.{0,160}\s)?geschrieben|ha scritto|escribi[óo]"
    r"|ha escrito|va escriure|schreef|heeft (?:.{0,160}\s)?geschreven|het volgende geschreven|skrev|kirjoitti"
    r"|napisał(?:\(a\)|a)?|pisze|napsal(?:\(a\)|a)?|escreveu|написал(?:\(а\)|а)?|пише|пишет|írta|yazdı|a scris"
    r"|写道|寫道|のメール)"
)
_HAS_VERB = re2.compile(rf"(?i)(?:^|[\s>)\"'，,]){_VERB}(?:$|[\s:：.])")
_ENDS_WITH_VERB = re2.compile(
    rf"(?i)(?:(?:^|[\s>)\"'，,]){_VERB}|写道|寫道)(?:\s+(?:the following|ce qui suit|folgendes|lo siguiente))?"
    r"\s*(?:[:：]|-{3,})?\s*[*_]?$"
)
_TIME = r"\b\d{1,2}\s?[:h.]\s?\d{2}\b"
_DATE = (
    r"\b(?:19|20)\d{2}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\b\d{4}年"
    r"|\b\d{1,2}(?:st|nd|rd|th|er)?\.?\s+(?:de\s+)?\pL{3,}"
)
_HAS_DATE = re2.compile(rf"(?:{_DATE})|{_TIME}")
_HAS_ADDRESS = re2.compile(r"[^\s<>@]@[\w-]+\.")
_STARTS_ATTRIBUTION = re2.compile(
    r"(?i)^(?:-{2,}\s*)?(?:on|at|le|am|el|il|op|den|em|às|no dia|dnia|w dniu|in data|dne|på|a|în|в|在)\s+"
    r"(?:[^\s]+\s+){0,4}?[^\s]*\d"
)
_ENDS_WITH_ADDRESS = re2.compile(r"<\s*(?:mailto:)?[^<>]*@[^<>]*>{1,2}\s*:?$")
_STARTS_WITH_DATE = re2.compile(
    r"(?i)^(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{4}年|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}:\d{2}|\pL{2,12}\.?,?\s+\d{1,2}"
    r"|\d{1,2}\.?\s+\pL{3,})"
)
_DATE_AND_TIME = re2.compile(rf"(?:\b(?:19|20)\d{{2}}\b|\b\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}\b).*{_TIME}")
_QUOTING = re2.compile(
    r"(?i)^(?:quoting|zitat von|citation de|citando a?|quotando|citeren|wiadomość napisana przez)\s.{0,160}@.{0,160}:$"
)
_GMAIL_BARE = re2.compile(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}\s+\d{1,2}:\d{2}\s+(?:GMT|UTC)[+-]?[\d:]*\s+\S.{0,80}$")
_DANGLING = re2.compile(r"(?i)(?:[<(]|<[^<>]*|,|\"|wrote|schrieb am .*|" + _TIME + r".*)$")

_MOBILE = re2.compile(
    r"(?i)^[<(\s*_]*(?:"
    r"sent (?:from|via|by|with|using) .{1,80}|get (?:\[)?outlook for .{1,60}|from my i(?:phone|pad).{0,40}"
    r"|someone from mobile"
    r"|envoy[ée] (?:depuis|de|à partir de|avec|par|via) .{1,80}|t[ée]l[ée]chargez? outlook pour .{1,60}"
    r"|obtenez outlook pour .{1,60}|von meinem .{1,60} gesendet.{0,20}|gesendet (?:von|mit|über) .{1,80}"
    r"|diese nachricht wurde von (?:meinem|mein) .{1,60}gesendet\.?|outlook für .{1,60} beziehen"
    r"|holen sie sich outlook.{1,60}"
    r"|enviado (?:desde|con|de) .{1,80}|obtener outlook para .{1,60}|inviato (?:da|con|dal) .{1,80}"
    r"|scarica outlook per .{1,60}|ottieni outlook per .{1,60}|verzonden (?:vanaf|met|via|vanuit) .{1,80}"
    r"|verstuurd (?:vanaf|met) .{1,80}|outlook voor .{1,60} downloaden|sendt fra .{1,60}|skickat från .{1,60}"
    r"|lähetetty .{1,60}|wysłane z .{1,60}|從我的 .{1,20} 傳送|发自我的.{1,20}|отправлено с .{1,60}"
    r")[>)\s*_]*$"
)
_MOBILE_STARTS = (
    *("sent", "get ", "from my", "someone", "envoy", "télé", "tele", "obten", "von meinem", "gesendet", "diese nach"),
    *("outlook", "holen", "enviado", "inviato", "scarica", "ottieni", "verzonden", "verstuurd", "sendt", "skickat"),
    *("lähetetty", "wysłane", "從我的", "发自我的", "отправлено"),
)
_FULL_SENTENCE = re2.compile(
    r"(?i)\b(?:the|to you|facture|invoice|rechnung|factura|fattura|factuur|order|you on|ihnen|vous)\b"
)
_RULE_SIGNS = "-_=*#~+—–"
_DASH_NAME = re2.compile(r"^-{1,2}\p{Lu}[\pL.'’]*(?:\s\p{Lu}[\pL.'’]*){0,3}$")

_DISCLAIMER = re2.compile(
    r"(?i)^\W*(?:(?:confidentiality|disclaimer|legal notice|avertissement|confidentialité|vertraulichkeit\S*"
    r"|aviso legal|avviso di riservatezza|vertrouwelijkheid)\b"
    r"|(?:this|the information (?:contained )?in this|the contents? of this) "
    r"(?:e-?mail|message|communication|transmission)(?:,? (?:message|transmission))?s?"
    r"(?: and| including|,? (?:is|may|contains?|are)| \(including)"
    r"|ce (?:message|courriel|mail|courrier)(?: électronique)?(?:,? et| est| peut| \(|,? ainsi| contient)"
    r"|les informations contenues dans ce|diese (?:e-?mail|nachricht|mail) (?:und|enthält|kann|ist|einschließlich)"
    r"|der inhalt dieser e-?mail|este (?:mensaje|correo)(?: electrónico)?"
    r"(?:,? y| contiene| puede|,? incluyendo| se dirige| está)"
    r"|la información contenida en este|le informazioni contenute|questo messaggio(?:,? e| è| di posta| può| contiene)"
    r"|questa e-?mail|dit (?:e-?mail)?bericht (?:en|is|kan|bevat|inclusief)|deze e-?mail (?:en|is|kan|bevat)"
    r"|de informatie in (?:dit|deze)|please consider the environment|pensez à l[’']environnement"
    r"|avant d[’']imprimer|n[’']imprimez ce|if you are not the intended recipient"
    r"|si vous n[’']êtes pas le destinataire)"
)

_DISCLAIMER_STARTS = (
    *("confid", "disclaim", "legal", "avert", "vertrau", "vertrouw", "aviso", "avviso", "this", "the ", "ce ", "les "),
    *("diese", "der inh", "este", "la inf", "le inf", "questo", "questa", "dit ", "deze", "de inf", "please", "pensez"),
    *("avant", "n'imp", "n’imp", "if you", "si vous"),
)

_POINTS_BELOW = re2.compile(
    r"(?i)\b(?:below|inline|in-line|between the lines|beneath|ci-dessous|plus bas|ci-après|en rouge|en bleu|in red"
    r"|in blue|siehe unten|weiter unten|unten|nachstehend|más abajo|abajo|a continuación|(?:qui )?sotto|di seguito"
    r"|hieronder|onderaan)\b"
)


def squeezed(line: str) -> str:
    """The line as it is looked at: bounded, invisible and directional marks dropped, white space at the ends off."""
    short = line[:LINE_LIMIT]
    if not short.isascii():
        short = unicodedata.normalize("NFC", short.translate(_SPACES))
    return short.strip(INVISIBLE + " \t\r\n")


def unquoted(line: str) -> str:
    """The line without its quote marks: `>> > text` becomes `text`."""
    return line.lstrip("> |\t")


def header_role(line: str) -> str | None:
    """The part a header line plays (from, date, to, cc, subject, reply, other), or None for no header line."""
    colon = line.find(":", 0, 26)
    if colon < 1:
        return None
    return _ROLE_OF.get(line[:colon].strip("* \t\xa0_").lower())


def header_value(line: str) -> str:
    """What stands after the header's name, without markdown stars."""
    return line.partition(":")[2].strip("* \t\xa0_")


def is_quote(line: str) -> bool:
    """Whether the line is quoted by a mark at its start; a table row between bars is none."""
    if line[0] == ">":
        return True
    if line[0] == "|":
        return not (line.count("|") > 1)
    mark = line.find(">", 1, 21)
    return mark > 0 and line[:mark].isalnum() and line[mark + 1 : mark + 2] in {"", " "}


def separator(line: str) -> str | None:
    """`forward` or `original` when the line announces another mail ("-----Original Message-----"), else None."""
    if line[0] in _RULE_SIGNS:
        found = _SEPARATOR.search(line)
        if found is None:
            return "original" if _REPLY_ABOVE.search(line) else None
        return "forward" if found.group(1) else "original"
    return "forward" if line[-1] in ":eét" and len(line) < SHORT_LINE and _BEGIN_FORWARD.search(line) else None


def is_framed(line: str) -> bool:
    """Whether the line is a few words between drawn lines, which above headers announce a mail in any language."""
    return line[:3] in {"---", "===", "___"} and line[-3:] == line[:3] and len(line) < LONG_LINE


def may_open_attribution(line: str) -> bool:
    """A cheap test for lines that may begin "On ... wrote:", perhaps wrapped over the following lines."""
    if not any(character.isdigit() for character in line[:LONG_LINE]) and "@" not in line:
        return line[-1] in ":：" and _ENDS_WITH_VERB.search(line) is not None
    if line[-1] in ":：-" or _STARTS_ATTRIBUTION.search(line) or _GMAIL_BARE.search(line):
        return True
    return _STARTS_WITH_DATE.search(line) is not None or "@" in line or _HAS_VERB.search(line) is not None


def starts_attribution(line: str) -> bool:
    """Whether a line begins as attributions do, with "On" and a date or with the date itself."""
    return _STARTS_ATTRIBUTION.search(line) is not None or _STARTS_WITH_DATE.search(line) is not None


def may_go_on(line: str) -> bool:
    """Whether an attribution that is not complete yet can go on in the next line."""
    return _DANGLING.search(line) is not None or _HAS_DATE.search(line) is not None


def is_attribution(line: str, *, before_quote: bool) -> bool:
    """Whether a (joined) line says who wrote what follows, as mail clients put it above a quote.

    `before_quote` says that quoted lines follow, which is enough to believe a line without date and address.
    """
    if len(line) > 3 * LINE_LIMIT:
        return False
    if _GMAIL_BARE.search(line):
        return True
    dated, addressed = _HAS_DATE.search(line) is not None, _HAS_ADDRESS.search(line) is not None
    if _ENDS_WITH_VERB.search(line):
        opened = dated and _STARTS_ATTRIBUTION.search(line) is not None
        return opened or addressed or (before_quote and len(line) < LONG_LINE) or (dated and line[-1] == "-")
    if line[-1] in ":：" and _HAS_VERB.search(line) and (dated or addressed):
        opened = _STARTS_ATTRIBUTION.search(line) is not None and _DATE_AND_TIME.search(line) is not None
        return addressed or before_quote or (opened and len(line) < LONG_LINE)
    if _QUOTING.search(line):
        return True
    ends = addressed and dated and _STARTS_WITH_DATE.search(line) and _ENDS_WITH_ADDRESS.search(line)
    return bool(ends and (line[-1] == ":" or before_quote or line[:4].isdigit()))


def is_mobile_signature(line: str) -> bool:
    """Whether a line is "Sent from my phone" or its kin. A sentence that only begins like one is none."""
    begins = line[:20].lstrip("<(*_ ").lower()
    may_be = begins.startswith(_MOBILE_STARTS) and len(line) < LONG_LINE
    return may_be and _MOBILE.search(line) is not None and _FULL_SENTENCE.search(line) is None


def is_signature_dashes(line: str) -> bool:
    """The delimiter of RFC 3676 4.3 ("-- "), its trailing blank often lost on the way."""
    return line in {"--", "—", "––"}


def is_rule(line: str) -> bool:
    """A line drawn of one kind of sign, which may end a text, head a quote or rule a table."""
    return len(line) > 1 and not line.strip(_RULE_SIGNS)


def is_dash_name(line: str) -> bool:
    """Whether a line is a name signed behind a dash, as in "-Anna Weiss"."""
    return line[0] == "-" and len(line) < SHORT_LINE and _DASH_NAME.search(line) is not None


def opens_disclaimer(line: str) -> bool:
    """Whether a line begins legal small print."""
    begins = line[:12].lstrip("*_([\"'-–—• ").lower()
    return begins.startswith(_DISCLAIMER_STARTS) and _DISCLAIMER.search(line) is not None


def points_below(text: str) -> bool:
    """Whether the writer says that answers stand further down ("see below", "ci-dessous")."""
    return _POINTS_BELOW.search(text[-2000:]) is not None
