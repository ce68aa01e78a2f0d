"""Days named in a mail, in six languages, resolved forward from the day it was sent.

Business mail rarely writes a year and often no month ("le 24", "Friday week", "Ende Oktober"): the next such day
counts, for commitments and deadlines look ahead.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from disputes.tokens import DAY, INTEGER, MONEY, MONTHS, YEAR, Tokens, word_set

_WEEKDAYS = {
    name: number
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "mon tues wed thurs fri sat sun",
        "mon tue weds thur fri sat sun",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "lunes martes miercoles jueves viernes sabado domingo",
        "lunedi martedi mercoledi giovedi venerdi sabato domenica",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    )
    for number, name in enumerate(names.split())
} | {"sonnabend": 5, "thu": 3}
_ORDINAL_ENDS = word_set("st nd rd th er e eme o ste de")
_OF = word_set("of de di del d van")
_DAY_LEADS = word_set("le au am zum den bis el dia al il del dal entro op giorno jour")
_RELATIVE = {
    "today": 0, "tonight": 0, "aujourd": 0, "heute": 0, "hoy": 0, "oggi": 0, "vandaag": 0, "vanavond": 0,
    "vanmiddag": 0, "stasera": 0, "tomorrow": 1, "demain": 1, "morgen": 1, "manana": 1, "domani": 1, "domattina": 1,
    "morgenochtend": 1, "morgenmiddag": 1, "ubermorgen": 2, "overmorgen": 2, "dopodomani": 2,
}  # fmt: skip
_DAY_LATER = word_set("pasado apres after")
_A_MORNING = word_set("guten goede heute la esta am jeden gestern van den")
"""Before "morgen" or "mañana", which then mean the morning."""
_END = word_set("end fin ende finales final finals fine eind einde finale")
_MONTH_ENDS = word_set("monatsende mondatsende monthend maandeinde")
_MONTH_WORDS = word_set("month mois monats monat mes mese maand")
_WEEK_WORDS = word_set("week semaine woche semana settimana")
_WEEKS_WORDS = word_set("weeks semaines wochen semanas settimane weken week semaine woche semana settimana")
_NUMBERED_WEEK = word_set("kw kalenderwoche week wk semaine sem semana settimana")
_NEXT = word_set(
    "next prochain prochaine nachste nachster nachsten nachstes kommende kommenden proximo proxima prossimo prossima"
    " volgende komende viene entrante"
)
_FOLLOWING = word_set("next prochain prochaine nachste nachster nachsten nachstes prossimo prossima volgende")
"""Beside a weekday, these mean that of the next calendar week; "kommenden Freitag", "el próximo viernes" is the first
to come.
"""
_THIS = word_set("this cette diese dieser esta questa deze")
_FIRST = word_set("first premiere erste ersten primera prima eerste")
_WHEN = word_set("on in im am op le el il den of de la der della van des du del d")
_MIDDLE = word_set("mid mi mitte mediados meta medio half midden halverwege")
_COUNTS = {
    name: number
    for names in (
        "one two three four five six seven eight nine ten", "une deux trois quatre cinq six sept huit neuf dix",
        "einer zwei drei vier funf sechs sieben acht neun zehn", "una dos tres cuatro cinco seis siete ocho nueve diez",
        "una due tre quattro cinque sei sette otto nove dieci", "een twee drie vier vijf zes zeven acht negen tien",
    )
    for number, name in enumerate(names.split(), start=1)
} | {"a": 1, "fourteen": 14, "vierzehn": 14, "veertien": 14, "quinze": 15, "quince": 15, "quindici": 15}  # fmt: skip
_DAYS_WORDS = word_set("days jours tage tagen dias giorni dagen")
_FORTNIGHTS = {"fortnight": 14, "quinzaine": 15, "huitaine": 8}
_WITHIN = word_set("within in sous dans innerhalb binnen entro en dentro over fra tra")
_MORE = word_set("another autres altri altre weitere weiteren noch nog otros otras encore")
_RUNS = word_set(
    "run runs lauf zahllauf campagne lot virement virements giro remesa betaalrun betaling bonifici"
    " paiement paiements reglement reglements pago pagos pagamento pagamenti zahlung zahlungen"
)
_RUN_LEADS = word_set("of du vom des van de del")
_GLUE = word_set("of the this du de des der dieses ce del della van deze di questo este")
_STARTS = (
    _END | _MONTH_ENDS | {"month"} | _WEEK_WORDS | _NUMBERED_WEEK | _NEXT | _MIDDLE | _WITHIN | _MORE | _THIS | _FIRST
)
"""A day not told by a number, a weekday or a month starts with one of these: most words are passed at once."""
_DAY_BEFORE_ORDINAL = frozenset((word, "the") for word in ("on", "by", "until", "till", "before", "from", "for"))
_LAST_DAY, _LAST_MONTH, _LAST_WEEK, _MIDDLE_DAY = 31, 12, 53, 15
_WEEKS_LATELY = 8  # a week of a number that lies no further back is meant as past
_MOST_WEEKS = 12
_FRIDAY = 4
_EXACT_PARTS = 3
_CENTURY, _CENTURY_YEARS = 2000, 100
_LATELY = 3  # months: a day without a year that lies no further back is meant as past


@dataclass(frozen=True, slots=True)
class Mention:
    """A day named by tokens `first` up to but not including `last`. `named` is false for a bare weekday or "end of"."""

    day: date
    first: int
    last: int
    named: bool


def find_days(tokens: Tokens, sent: date) -> list[Mention]:
    """Every day named in the text, in order, each token used once."""
    mentions: list[Mention] = []
    i = 0
    while i < len(tokens):
        found = _mention(tokens, i, sent)
        if found is not None:
            mentions.append(found)
        i = found.last if found is not None else i + 1
    return mentions


def _mention(tokens: Tokens, i: int, sent: date) -> Mention | None:
    norm = tokens.norms[i]
    if tokens.shapes[i]:
        return _from_number(tokens, i, sent)
    if norm in _WEEKDAYS:
        return _from_weekday(tokens, i, sent)
    if norm in MONTHS and _int_at(tokens, i + 1) and tokens.shapes[i + 1] == INTEGER:
        return _month_then_day(tokens, i, sent)
    if norm in _RELATIVE:
        return _from_today(tokens, i, sent)
    if norm not in _STARTS:
        return None
    forms = (_time_on, _numbered_week, _from_end, _from_middle, _next_week, _this_week, _first_week)
    return next((found for form in forms if (found := form(tokens, i, sent)) is not None), None)


def _from_today(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """Today, tomorrow, the day after; "guten Morgen" and "por la mañana" name no day."""
    norm, before = tokens.norms[i], tokens.norms[i - 1] if i else ""
    if norm in {"morgen", "manana"} and before in _A_MORNING:
        return None
    days = _RELATIVE[norm] + (_RELATIVE[norm] == 1 and before in _DAY_LATER)
    return Mention(sent + timedelta(days=days), i, i + 1 + (norm == "aujourd"), named=False)


def _time_on(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """The day "in two weeks", "dans 2 semaines", "within a fortnight", "altri dieci giorni"."""
    unit = tokens.norms[i + 2] if i + 2 < len(tokens) else ""
    if tokens.norms[i] not in _WITHIN | _MORE:
        return None
    if tokens.norms[i] in _WITHIN and unit in _FORTNIGHTS:
        return Mention(sent + timedelta(days=_FORTNIGHTS[unit]), i, i + 3, named=False)
    count = _int_at(tokens, i + 1) or _COUNTS.get(tokens.norms[i + 1], 0) if unit else 0
    days = count * (7 if unit in _WEEKS_WORDS else unit in _DAYS_WORDS)
    return Mention(sent + timedelta(days=days), i, i + 3, named=False) if 0 < days <= _MOST_WEEKS * 7 else None


def _numbered_week(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """The Friday of a calendar week ("KW 45", "week 45"), this year's or, long past, next year's (ISO 8601)."""
    number = _int_at(tokens, i + 1) or 0
    if tokens.norms[i] not in _NUMBERED_WEEK or not 1 <= number <= _LAST_WEEK:
        return None
    year, now, _ = sent.isocalendar()
    year += number < now - _WEEKS_LATELY
    if number == _LAST_WEEK and date(year, 12, 28).isocalendar().week != _LAST_WEEK:
        return None
    return Mention(date.fromisocalendar(year, number, _FRIDAY + 1), i, i + 2, named=True)


def _from_middle(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """The fifteenth of a named month ("mid November", "Mitte November", "mi-novembre") or of this one ("metà mese")."""
    if tokens.norms[i] not in _MIDDLE:
        return None
    month = _month_at(tokens, i + 1)
    day = _dated(None, month[0], _MIDDLE_DAY, sent) if month else None
    if day and month:
        return Mention(day, i, month[1], named=True)
    at = _past(tokens, i + 1, _GLUE)
    in_month = tokens.norms[at : at + 1] and tokens.norms[at] in _MONTH_WORDS
    return _next_day_numbered(_MIDDLE_DAY, i, at + 1, sent) if in_month else None


def _next_week(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """Next week, so by its Friday ("next week", "la semaine prochaine"), or the weekday told beside it."""
    last = _after_next_week(tokens, i)
    if last is None:
        return None
    at = _past(tokens, last, _WHEN)
    if at < len(tokens) and tokens.norms[at] in _WEEKDAYS:
        return Mention(_in_next_week(_WEEKDAYS[tokens.norms[at]], sent), i, at + 1, named=False)
    return Mention(_in_next_week(_FRIDAY, sent), i, last, named=False)


def _after_next_week(tokens: Tokens, i: int) -> int | None:
    """The token after words that mean next week, where they stand here."""
    pair = tokens.norms[i : i + 2]
    if tokens.norms[i : i + 1] and tokens.norms[i] in _WEEK_WORDS and tokens.norms[i + 1 : i + 3] == ("que", "viene"):
        return i + 3
    before, after = [word in _NEXT for word in pair], [word in _WEEK_WORDS for word in pair]
    if [any(before), any(after)] != [True, True] or any(b and a for b, a in zip(before, after, strict=True)):
        return None
    return i + 2


def _in_next_week(weekday: int, sent: date) -> date:
    return sent + timedelta(days=7 - sent.weekday() + weekday)


def _this_week(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """Some time this week, so by its Friday."""
    if tokens.norms[i] not in _THIS or not tokens.norms[i + 1 : i + 2] or tokens.norms[i + 1] not in _WEEK_WORDS:
        return None
    return Mention(sent + timedelta(days=(_FRIDAY - sent.weekday()) % 7), i, i + 2, named=False)


def _first_week(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """The Friday of a month's first week, which is that of its fourth day (as ISO 8601 has it of a year's)."""
    if tokens.norms[i] not in _FIRST or not tokens.norms[i + 1 : i + 2] or tokens.norms[i + 1] not in _WEEK_WORDS:
        return None
    at = _past(tokens, i + 2, _WHEN)
    month = MONTHS.get(tokens.norms[at]) if at < len(tokens) else None
    fourth = _this_or_next_year(month, 4, sent) if month else None
    return Mention(fourth + timedelta(days=_FRIDAY - fourth.weekday()), i, at + 1, named=False) if fourth else None


def _past(tokens: Tokens, at: int, words: frozenset[str]) -> int:
    """The first place from `at` on without one of the words; two of them at most are passed."""
    return next(
        (here for here in (at, at + 1) if tokens.norms[here : here + 1] and tokens.norms[here] not in words), at + 2
    )


def _from_number(tokens: Tokens, i: int, sent: date) -> Mention | None:
    number, shape = tokens.norms[i], tokens.shapes[i]
    if not number.isdigit():
        day = _written_day(number, sent) if shape == DAY else None
        return Mention(day, i, i + 1, named=True) if day else None
    if shape not in (INTEGER, DAY, MONEY) or not 1 <= int(number) <= _LAST_DAY:
        return None
    at = i + 1
    ordinal = at < len(tokens) and tokens.norms[at] in _ORDINAL_ENDS and tokens.starts[at] == tokens.ends[i]
    at += ordinal
    month = _month_at(tokens, at)
    if month:
        return _day_of_month(tokens, i, month, sent)
    if _within(tokens, i):
        return Mention(sent + timedelta(days=int(number)), i - 1, i + 2, named=False)
    if ordinal:
        counts = _unit_follows(tokens, at) and tokens.norms[max(0, i - 2) : i] not in _DAY_BEFORE_ORDINAL
        return None if counts else _next_day_numbered(int(number), i, at, sent)
    led = i > 0 and shape == INTEGER and (tokens.norms[i - 1] in _DAY_LEADS or _of_a_run(tokens, i))
    return _next_day_numbered(int(number), i, at, sent) if led else None


def _of_a_run(tokens: Tokens, i: int) -> bool:
    """Whether a number is the day of a payment run ("la campagne du 15", "Zahllauf vom 15.")."""
    return i > 1 and tokens.norms[i - 1] in _RUN_LEADS and tokens.norms[i - 2] in _RUNS


def _unit_follows(tokens: Tokens, at: int) -> bool:
    """Whether an ordinal counts something else than days ("the 3rd reminder"); not across a comma."""
    beside = at < len(tokens) and tokens.starts[at] - tokens.ends[at - 1] == 1
    return beside and tokens.sentences[at] == tokens.sentences[at - 1] and len(tokens.norms[at]) > _EXACT_PARTS


def _within(tokens: Tokens, i: int) -> bool:
    return i > 0 and tokens.norms[i - 1] in _WITHIN and i + 1 < len(tokens) and tokens.norms[i + 1] in _DAYS_WORDS


def _month_at(tokens: Tokens, at: int) -> tuple[int, int] | None:
    """(month, token after it) where a month stands here, with or without a word for "of"."""
    for here in (at, at + 1):
        if here < len(tokens) and tokens.norms[here] in MONTHS:
            return MONTHS[tokens.norms[here]], here + 1
        if here >= len(tokens) or tokens.norms[here] not in _OF:
            return None
    return None


def _day_of_month(tokens: Tokens, i: int, month: tuple[int, int], sent: date) -> Mention | None:
    number, after = month
    here = after + 1 if after < len(tokens) and tokens.norms[after] in _OF else after
    year = _int_at(tokens, here) if here < len(tokens) and tokens.shapes[here] == YEAR else None
    day = _dated(year, number, int(tokens.norms[i]), sent)
    return Mention(day, i, here + 1 if year else after, named=True) if day else None


def _month_then_day(tokens: Tokens, i: int, sent: date) -> Mention | None:
    number = int(tokens.norms[i + 1])
    day = _dated(None, MONTHS[tokens.norms[i]], number, sent) if number <= _LAST_DAY else None
    return Mention(day, i, i + 2, named=True) if day else None


def _int_at(tokens: Tokens, i: int) -> int | None:
    return int(tokens.norms[i]) if i < len(tokens) and tokens.norms[i].isdigit() else None


def _from_weekday(tokens: Tokens, i: int, sent: date) -> Mention:
    """A weekday: with a number it is that day ("vendredi 30"), else the next one; "Friday week" is one later."""
    at = i + 1 + (tokens.norms[i + 1 : i + 2] == ("the",))
    number = _int_at(tokens, at)
    if number and tokens.shapes[at] in (INTEGER, DAY) and number <= _LAST_DAY:
        exact = _from_number(tokens, at, sent) or _next_day_numbered(number, i, at + 1, sent)
        if exact is not None:
            return exact
    following = _after_weekday_of_next_week(tokens, i)
    if following is not None:
        return Mention(_in_next_week(_WEEKDAYS[tokens.norms[i]], sent), i, following, named=False)
    ahead = (_WEEKDAYS[tokens.norms[i]] - sent.weekday()) % 7 or 7
    later = i + 1 < len(tokens) and tokens.norms[i + 1] == "week"
    later = later or tokens.norms[i + 1 : i + 3] == ("en", "huit")
    return Mention(sent + timedelta(days=ahead + 7 * later), i, i + 1 + later, named=False)


def _after_weekday_of_next_week(tokens: Tokens, i: int) -> int | None:
    """The token after a weekday of next week: "next Friday", "venerdì prossimo", "miércoles de la semana que viene"."""
    if i > 0 and tokens.norms[i - 1] in _FOLLOWING:
        return i + 1
    if tokens.norms[i + 1 : i + 2] and tokens.norms[i + 1] in _FOLLOWING and _after_next_week(tokens, i + 1) is None:
        return i + 2
    if tokens.norms[i + 1 : i + 3] == ("que", "viene"):
        return i + 3
    return _after_next_week(tokens, _past(tokens, i + 1, _WHEN))


def _from_end(tokens: Tokens, i: int, sent: date) -> Mention | None:
    """The end of this month, of a named month or of the week."""
    norm = tokens.norms[i]
    if norm in _MONTH_ENDS or tokens.norms[i : i + 2] == ("month", "end"):
        return Mention(_month_end(sent), i, i + 1 + (norm == "month"), named=False)
    if norm not in _END:
        return None
    at, following = i + 1, False
    while at < len(tokens) and tokens.norms[at] in _GLUE | _NEXT:
        following = following or tokens.norms[at] in _NEXT
        at += 1
    if at >= len(tokens):
        return None
    week = _numbered_week(tokens, at, sent)
    if week is not None:
        return week
    following = following or not _NEXT.isdisjoint(tokens.norms[at + 1 : at + 2])
    if following and tokens.norms[at] in _WEEK_WORDS:
        return Mention(_in_next_week(_FRIDAY, sent), i, at + 1, named=False)
    return _end_of(
        tokens.norms[at], i, at + 1, _next_month(sent) if following and tokens.norms[at] in _MONTH_WORDS else sent
    )


def _end_of(what: str, first: int, last: int, sent: date) -> Mention | None:
    if what in _MONTH_WORDS:
        return Mention(_month_end(sent), first, last, named=False)
    if what in _WEEK_WORDS:
        return Mention(sent + timedelta(days=(_FRIDAY - sent.weekday()) % 7), first, last, named=False)
    if what in MONTHS:
        month = MONTHS[what]
        return Mention(_month_end(date(sent.year + (month < sent.month), month, 1)), first, last, named=False)
    return None


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _next_day_numbered(number: int, first: int, last: int, sent: date) -> Mention | None:
    """The next day of the month with this number, today included."""
    month = sent.replace(day=1)
    for _ in range(3):
        if number <= monthrange(month.year, month.month)[1] and month.replace(day=number) >= sent:
            return Mention(month.replace(day=number), first, last, named=True)
        month = (month + timedelta(days=32)).replace(day=1)
    return None


def _written_day(number: str, sent: date) -> date | None:
    """A day in figures: 2026-10-31, 31/10/2026, 31.10.26 or 31.10; day before month, as in all six languages.

    Americans write the month first: 10/22 can be nothing else.
    """
    parts = [int(part) for part in number.replace("/", "-").replace(".", "-").split("-") if part.isdigit()]
    if len(parts) == _EXACT_PARTS and parts[0] > _LAST_DAY:
        return _dated(parts[0], parts[1], parts[2], sent)
    if len(parts) > 1 and parts[1] > _LAST_MONTH >= parts[0]:
        parts[:2] = parts[1], parts[0]
    if len(parts) == _EXACT_PARTS:
        return _dated(parts[2] + _CENTURY * (parts[2] < _CENTURY_YEARS), parts[1], parts[0], sent)
    return _dated(None, parts[1], parts[0], sent) if len(parts) == _EXACT_PARTS - 1 else None


def _dated(year: int | None, month: int, day: int, sent: date) -> date | None:
    """The day, in the year that brings it nearest to a quarter before `sent` or later, where none is written."""
    if month not in MONTHS.values() or not 1 <= day <= monthrange(year or sent.year, month)[1]:
        return None
    if year is not None:
        return date(year, month, day)
    if 0 < (sent.month - month) % 12 <= _LATELY:
        return date(sent.year - (month > sent.month), month, day)
    return _this_or_next_year(month, day, sent)


def _this_or_next_year(month: int, day: int, sent: date) -> date | None:
    year = sent.year + (month < sent.month)
    return date(year, month, day) if day <= monthrange(year, month)[1] else None
