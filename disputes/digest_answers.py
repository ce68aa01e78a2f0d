"""What an owner's answer to a digest means: commands a line, the rest is a note. Pure.

A person answers between two meetings, on a phone, in English or French, and above a quote of the whole digest. Only
what is sure is done: a line that begins like a command and goes on like something else is a note, and is asked about.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import re2

from disputes.digest_tokens import ACCEPT, CREDIT, NEED, NOT_MINE, REJECT

ABOVE = "##-"
"""Stands in the digest's first line: whatever is below it in an answer is the digest itself."""
MOST_CHARS = 20_000
MOST_LINES = 400
_TOP = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be done to one case. `text` is the reason, or what is needed; `currency` is as written, may be ""."""

    case_id: int
    action: str
    text: str = ""
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Words to keep as a note. `case_id` None: nobody can tell of which case. `unclear`: they may be an instruction."""

    case_id: int | None
    text: str
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """All an answer says, in its order."""

    commands: tuple[Command, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def unclear(self) -> tuple[Remark, ...]:
        """What the owner has to be asked about."""
        return tuple(one for one in self.remarks if one.unclear)


def understood(text: str, *, cases: Sequence[int]) -> Answer:
    """What the new text of an answer says about the cases its digest told of.

    A case's number may be left out where there was only one.
    """
    commands: list[Command] = []
    remarks: list[Remark] = []
    for block in _blocks(_own_lines(text), cases):
        for case_id in block.cases or (cases if len(cases) == 1 else (None,)):
            said = _said(block, case_id)
            if isinstance(said, Command):
                commands.append(said)
            elif said is not None:
                remarks.append(said)
    return _without_contradictions(commands, remarks)


_SUBJECT = re2.compile(r"^(?:\[?#|(?:case|dossier|cas) (?:no?\.? ?|n° ?|#)?)(\d{1,18})(?:[\]\s:.,;–—-]|$)")


def numbered_subject(subject: str) -> int | None:
    """The case a subject begins with, once marks of answers and forwards are taken off: "#123", "Dossier n° 123"."""
    found = _SUBJECT.search(_folded(subject[:200].strip()))
    return int(found.group(1)) if found is not None else None


# --- Lines and blocks ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Block:
    """Lines that belong together: of the named cases, the first beginning with a command or not."""

    cases: tuple[int, ...]
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()


_PHONE = re2.compile(
    r"^(?:envoye (?:de|depuis)|sent (?:from|via)|gesendet (?:von|mit)|get outlook|obtenir outlook|telecharger outlook|"
    r"telechargez outlook|von meinem|provenance :)"
)
_PLEASANT = re2.compile(
    r"^(?:bonjour|bonsoir|salut|hello|hi|hey|dear|good (?:morning|afternoon)|cher|chere|merci|mille mercis|thanks|"
    r"thank you|many thanks|thx|best|cheers|bonne journee|bonne soiree|have a (?:nice|good) day|svp|please)"
    r"(?: [\w'.-]+){0,3}[\s,.!:;-]*$"
)
_CLOSING = re2.compile(
    r"^(?:(?:bien |tres )?cordialement|bien a (?:vous|toi)|cdlt|cdt|crdt|(?:sinceres |meilleures )?salutations|"
    r"(?:(?:kind|best|warm|with kind) )?regards|best wishes|sincerely|--)[\s,.!-]*$"
)
"""Below it stands a name, however the mail's own reading took it."""


def _own_lines(text: str) -> list[str]:
    """The lines the owner wrote: nothing quoted, nothing of the digest below its mark, no phone's advertisement."""
    kept: list[str] = []
    for line in text[:MOST_CHARS].replace("\r", "\n").split("\n")[:MOST_LINES]:
        bare = line.strip()
        if ABOVE in bare and not bare.startswith(">"):
            break
        if kept and _CLOSING.search(_folded(bare)) is not None:
            break
        if not bare.startswith((">", "|")) and not _PHONE.search(_folded(bare)):
            kept.append(bare)
    return kept


def _blocks(lines: Sequence[str], cases: Sequence[int]) -> Iterator[_Block]:
    block = _Block(())
    for line in lines:
        numbers, rest = _numbered(line, cases)
        begins = numbers or (_command(rest) is not None and _is_new(block))
        if begins and block.text:
            yield block
        if begins:
            block = _Block(numbers or (() if len(cases) == 1 else block.cases))
        block.lines.append(rest)
    if block.text:
        yield block


def _is_new(block: _Block) -> bool:
    """Whether a command without a number begins something: below a number alone, it is that case's."""
    return bool(block.text) or not block.cases


_NUMBER = r"(?:(?:cases?|dossiers?|cas|no|nr|n°|no\.|nr\.|n\.) ?)*#? ?\d{1,18}"
_NUMBERS = re2.compile(rf"^[-*• ]*({_NUMBER}(?: ?(?:,|;|\+|&|/| and | et ) ?{_NUMBER})*)(?:[\s:.,;)=>–—-]+|$)")
_ONE = re2.compile(r"(#?) ?(\d{1,18})")
_NAMED = ("#", "case", "dossier", "cas ", "n°")


def _numbered(line: str, cases: Collection[int]) -> tuple[tuple[int, ...], str]:
    """The cases a line begins with, and its rest. A bare number counts only where the digest told of that case."""
    folded = _folded(line)
    found = _NUMBERS.search(folded)
    if found is None:
        return (), line
    head = found.group(1)
    numbers = tuple(dict.fromkeys(int(one.group(2)) for one in _ONE.finditer(head)))
    if not any(mark in head for mark in _NAMED) and not set(numbers) <= set(cases):
        return (), line
    return numbers, line[found.end() :].strip()


# --- Commands --------------------------------------------------------------------------------------

_COMMANDS = {
    NOT_MINE: """not mine / not for me / not for us / not my case / not my job / not my area / not me / wrong person
        it's not mine / it is not mine / this is not mine / this is not for me / it is not for me / it's not for me
        pas pour moi / pas pour nous / pas a moi / pas de mon ressort / pas mon dossier / ce n'est pas pour moi
        ce n'est pas a moi / c'est pas pour moi / ce n'est pas mon dossier / ce n'est pas de mon ressort""",
    REJECT: """reject / rejected / rejects / refuse / refused / decline / declined / deny / denied / disagree
        not accepted / do not accept / don't accept / cannot accept / can't accept
        refuser / refusez / refusons / refusee / refus / rejeter / rejete / rejetee / rejette / rejetons / non accepte
        pas d'accord / n'accepte pas / n'acceptons pas / ne suis pas d'accord / ne sommes pas d'accord""",
    ACCEPT: """accept / accepted / approve / approved / agree / agreed / ok for me / ok for us / ok with me
        fine for me / fine with me / fine by me / good for me / ok by me
        accepte / accepter / acceptee / acceptez / acceptons / d'accord / suis d'accord / sommes d'accord / valide
        valider / validons / bon pour accord / ok pour moi / ok pour nous / bon pour moi / c'est bon pour moi""",
    CREDIT: """credit / credit note / a credit / a credit note / issue a credit note / issue a credit / give a credit
        avoir / un avoir / faire un avoir / faites un avoir / fais un avoir / emettre un avoir / etablir un avoir
        crediter / credite / creditez / note de credit""",
    NEED: """need / needs / needed / still need / missing / require / required / requires
        besoin / ai besoin / avons besoin / aurais besoin / manque / il manque / il me manque / il nous manque
        il faut / il me faut / il nous faut / il me faudrait / en attente de""",
}  # fmt: skip
"""How people begin to say each, without accents; the first that fits counts."""
_WHO = "i / we / je / j' / nous / on / please / merci de / ok / ok,"


def _phrases(words: str) -> str:
    """The phrases as alternatives of an expression, longer ones first."""
    found = (" ".join(one.split()) for line in words.splitlines() for one in line.split(" / "))
    return "|".join(re2.escape(one) for one in sorted((one for one in found if one), key=len, reverse=True))


_LEXICON = tuple(
    (action, re2.compile(rf"^[-*• ]*((?:(?:{_phrases(_WHO)}) ?)?(?:{_phrases(words)}))(?:[\s:.,;!()=>?–—-]|$)"))
    for action, words in _COMMANDS.items()
)
_MAYBE = re2.compile(r"^(?:ok|okay|oui|yes|yep|non|no|nope|vu|noted?|bien|good)[\s.!]*$")
_NARROWS = (
    r"but|except|only|unless|if|however|part|partly|partial|partially|half|once|provided|mais|sauf|seulement|uniquement|"
    r"si|hors|partie|partiel|partielle|partiellement|moitie|condition|reserve|toutefois|cependant|excepte"
)
_RESERVED = re2.compile(rf"\b(?:{_NARROWS}|not|no|pas|non|when|until|quand|lorsque)\b|\d|%")
"""What makes it doubtful whether all is accepted, wherever it stands."""
_RESERVED_REASON = re2.compile(rf"\b(?:{_NARROWS})\b|^(?:not|no|pas|non)\b|^[\d€$£]|^.{{0,12}}%")
"""The same in a reason, which follows a colon: there a figure or a "not" may well explain."""
_ALL = re2.compile(
    r"^(?:of |de |pour |for )?(?:all|everything|in full|full|total|totale?ment|en totalite|la totalite|tout)[\s.!]*$"
)
_WHY = re2.compile(
    r"^(?:because|since|as|due to|per|given|car|parce que|parce qu'|puisque|vu|suite a|selon|motif|raison|reason)[\s:]+"
)
_OF = re2.compile(r"^(?:of|de|d'|du|des|the|a|an|le|la|les|un|une|en)\b ?")


def _command(line: str) -> tuple[str, str] | None:
    """The command a line begins with and what follows it; None where it begins with other words."""
    folded = _folded(line)
    for action, pattern in _LEXICON:
        found = pattern.search(folded)
        if found is not None:
            return action, line[found.end(1) :].strip()
    return None


def _said(block: _Block, case_id: int | None) -> Command | Remark | None:
    """The command or the remark of a block; None where it is nothing but pleasantries."""
    first = next((line for line in block.lines if line and not _PLEASANT.search(_folded(line))), "")
    if not first:
        return None
    found = _command(first)
    told = "\n".join(block.lines[block.lines.index(first) :]).strip()
    if found is None or case_id is None:
        return Remark(case_id, told, unclear=case_id is None or _MAYBE.search(_folded(told)) is not None)
    action, rest = found
    below = "\n".join(line for line in block.lines[block.lines.index(first) + 1 :])
    command = _complete(case_id, action, rest, _without_pleasantries(below))
    return command or Remark(case_id, told, unclear=True)


def _complete(case_id: int, action: str, rest: str, below: str) -> Command | None:
    """The whole command; None where what follows it makes it doubtful."""
    words = rest.strip(" \t:.,;!=>–—-()")
    told = "\n".join(part for part in (words, below) if part)
    if "?" in rest or (action == NEED and not told):
        return None
    if action == CREDIT:
        return _credit(case_id, words, below)
    if action == NEED:
        return Command(case_id, NEED, _after(_OF, told))
    polite = _PLEASANT.search(_folded(words)) is not None
    if action == NOT_MINE or polite or not words:
        reserved = action == ACCEPT and _RESERVED.search(_folded(below)) is not None
        return None if reserved else Command(case_id, action, below if polite else told)
    return _decided(case_id, action, told, after=rest.lstrip()[:1])


def _decided(case_id: int, action: str, told: str, *, after: str) -> Command | None:
    """Accepted or refused with words: a reason, unless they narrow what is accepted or refused. `after` is the first
    character behind the command.

    "Accept the discount": what follows at once is what is accepted, and only a person knows what remains.
    """
    reason = _after(_WHY, told)
    if after.isalnum() and reason == told:
        return None
    reserved = _RESERVED_REASON if after == ":" else _RESERVED
    if action == ACCEPT and reserved.search(_folded(told)) is not None:
        return None
    return Command(case_id, action, reason if action == REJECT else told)


def _credit(case_id: int, words: str, below: str) -> Command | None:
    if _ALL.search(_folded(words)) is not None:
        return Command(case_id, ACCEPT, below)
    found = amounts_in(words)
    if len(found) != 1:
        return None
    (amount, currency) = found[0]
    return Command(case_id, CREDIT, below, amount, currency)


def _after(pattern: Any, text: str) -> str:
    found = pattern.search(_folded(text))
    return (text[found.end() :] if found is not None else text).strip()


def _without_pleasantries(text: str) -> str:
    lines = (line for line in text.split("\n") if line and not _PLEASANT.search(_folded(line)))
    return "\n".join(lines).strip()


def _without_contradictions(commands: Sequence[Command], remarks: Sequence[Remark]) -> Answer:
    """Two different commands for one case are none: both become questions. The same one twice is one."""
    said: dict[int, list[Command]] = {}
    for one in dict.fromkeys(commands):
        said.setdefault(one.case_id, []).append(one)
    clear = tuple(few[0] for few in said.values() if len(few) == 1)
    doubtful = [
        Remark(one.case_id, _spelled(one), unclear=True) for few in said.values() if len(few) > 1 for one in few
    ]
    return Answer(clear, (*remarks, *doubtful))


def _spelled(command: Command) -> str:
    amount = f" {command.amount} {command.currency}".rstrip() if command.amount is not None else ""
    return f"{command.action}{amount}{': ' if command.text else ''}{command.text}"


# --- Amounts ---------------------------------------------------------------------------------------

_SIGN = r"eur|euros?|€|gbp|£|pounds?|usd|\$|chf"
_AMOUNT = re2.compile(rf"(?:({_SIGN}) ?)?(\d[\d .,']*)(?:({_SIGN}))?")
_CURRENCY = {"€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "pound": "GBP"}
_CURRENCY |= {"pounds": "GBP", "$": "USD", "usd": "USD", "chf": "CHF"}
_PLAIN = re2.compile(r"^\d{1,9}(?:[.,]\d{1,2})?$")
_GROUPED = re2.compile(
    r"^\d{1,3}(?:[ ']\d{3})+(?:[.,]\d{1,2})?$|^\d{1,3}(?:,\d{3})+\.\d{1,2}$|^\d{1,3}(?:\.\d{3})+,\d{1,2}$"
)


def amounts_in(text: str) -> list[tuple[Decimal, str]]:
    """The sums a text names, each with its currency ("" where none is written). Raises nothing.

    1.234 may be a thousand or little more than one: such a sum makes the list hold two, so that nobody takes it.
    """
    found: list[tuple[Decimal, str]] = []
    for one in _AMOUNT.finditer(_folded(text)):
        written = one.group(2).strip(" .,'")
        currency = _CURRENCY.get(one.group(1) or one.group(3) or "", "")
        value = _value(written)
        found += [(value, currency)] if value is not None else [(Decimal(0), ""), (Decimal(0), "")]
    return found


def _value(written: str) -> Decimal | None:
    if _PLAIN.search(written) is None and _GROUPED.search(written) is None:
        return None
    _, mark, cents = written.replace(",", ".").rpartition(".")
    decimals = len(cents) if mark and len(cents) < 3 else 0  # noqa: PLR2004 - three digits after a mark are thousands
    digits = "".join(char for char in written if char.isdigit())
    value = Decimal(int(digits)).scaleb(-decimals)
    return value if 0 < value < _TOP else None


def _folded(text: str) -> str:
    """Lower case without accents, character by character, so that places stay the same."""
    return "".join(_fold(char) for char in text)


def _fold(char: str) -> str:
    if char in "’‘`´":
        return "'"
    if char.isspace() and char != "\n":
        return " "
    return unicodedata.normalize("NFD", char)[0].lower()[:1] or char
