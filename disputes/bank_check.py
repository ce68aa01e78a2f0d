"""Changed bank details, ours or theirs: released by two people after a call-back and a cooling-off (S15, M15). Pure.

One person says what a call to a number known before the mail brought; another one confirms it. Whoever spoke first is
never second, whatever their role. Nothing here, or anywhere after it, changes a bank detail or an address.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["open", "asked", "released", "fraud"]
"""Nobody spoke yet; somebody did and another must confirm; both found it genuine; both found it a fraud."""
Outcome = Literal["genuine", "fraud", "not_reached"]
OUTCOMES: tuple[Outcome, ...] = ("genuine", "fraud", "not_reached")
PENDING: tuple[State, ...] = ("open", "asked")
GROUNDS = ("changed_details", "not_authentic", "known_fraud", "raised")
"""Why a mail is checked: it speaks of changed bank details, DMARC failed by our own server's word, its sender was found
to be a fraud before, a colleague doubts it.
"""
Refusal = Literal["ended", "said_already", "nothing_said", "same_person", "too_early", "number", "note"]
_LEAST_DIGITS = 6
_COMPARED = 9
"""Digits that tell numbers apart however they are written, as invoices.models.Contact.phone_digits."""
_WITHIN_NUMBERS = frozenset(" .-/()+\u00a0\u202f")


@dataclass(frozen=True, slots=True)
class BankCheckPolicy:
    """Between the mail and the release at least `cooling` passes: pressure is what such frauds live from."""

    cooling: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Check:
    """How a check stands. `first` is the user whose word waits or stood, `second` the one who confirmed it."""

    state: State
    cool_until: datetime
    first: int | None = None
    outcome: str = ""
    second: int | None = None


@dataclass(frozen=True, slots=True)
class CallBack:
    """What somebody says of a call-back. `on_file` are the numbers that stood in the ledger when the mail came,
    `mail_text` everything the mails said; `source` is where a number that is on no file is known from.
    """

    outcome: Outcome
    number: str = ""
    source: str = ""
    note: str = ""
    on_file: tuple[str, ...] = ()
    mail_text: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The check as it is now. `refused` says why nothing changed, "" where something did; `why` the same in words."""

    check: Check
    why: str
    refused: Refusal | Literal[""] = ""


def opened(policy: BankCheckPolicy, now: datetime) -> Decision:
    """A mail is checked from now on."""
    return Decision(Check("open", now + policy.cooling), "a mail may be a payment diversion: two people look")


def mailed(check: Check, policy: BankCheckPolicy, now: datetime) -> Decision:
    """Another such mail came into the check: what was said before did not know it, and the time begins again."""
    if check.state not in PENDING:
        return _refused(check, "ended", "the check is decided: a new one begins")
    return Decision(Check("open", now + policy.cooling), "another such mail came: what was said before is void")


def say(check: Check, call: CallBack, *, person: int) -> Decision:
    """The first person says what the call-back brought. Not reaching anybody is noted and changes nothing."""
    if check.state not in PENDING:
        return _refused(check, "ended", "the check is decided")
    if check.state == "asked":
        return _refused(check, "said_already", "somebody said what they found: confirm it or send it back")
    if (fault := _fault(call)) is not None:
        return _refused(check, *fault)
    if call.outcome == "not_reached":
        return Decision(check, "nobody was reached: the hold stays")
    said = replace(check, state="asked", first=person, outcome=call.outcome, second=None)
    return Decision(said, f"found {call.outcome}: another person confirms")


def _fault(call: CallBack) -> tuple[Refusal, str] | None:
    if not call.note.strip():
        return "note", "say what was asked and answered"
    if call.outcome == "genuine" or call.number.strip():
        return _bad_number(call)
    return None


def _bad_number(call: CallBack) -> tuple[Refusal, str] | None:
    digits = digits_of(call.number)
    if len(digits) < _LEAST_DIGITS:
        return "number", "choose the number that was called"
    if digits in {digits_of(one) for one in call.on_file}:
        return None
    if digits in _numbers_run_together(call.mail_text):
        return "number", "the number stands in the mail: call one that was known before"
    if not call.source.strip():
        return "number", "the number is on no file: say where it is known from"
    return None


def confirm(check: Check, *, person: int, now: datetime) -> Decision:
    """The second person agrees. A release waits for the end of the cooling-off; a fraud need not."""
    if check.state not in PENDING:
        return _refused(check, "ended", "the check is decided")
    if check.state != "asked" or check.first is None:
        return _refused(check, "nothing_said", "nobody said yet what the call-back brought")
    if person == check.first:
        return _refused(check, "same_person", "who said it cannot confirm it: a second person must")
    if check.outcome == "fraud":
        return Decision(replace(check, state="fraud", second=person), "two people found a fraud")
    if now < check.cool_until:
        return _refused(check, "too_early", "the cooling-off is not over")
    return Decision(replace(check, state="released", second=person), "two people found it genuine")


def send_back(check: Check, *, note: str) -> Decision:
    """Somebody does not agree, or takes back what they said: it is checked again from the beginning."""
    if check.state not in PENDING:
        return _refused(check, "ended", "the check is decided")
    if check.state != "asked":
        return _refused(check, "nothing_said", "nobody said yet what the call-back brought")
    if not note.strip():
        return _refused(check, "note", "say why it is not so")
    return Decision(Check("open", check.cool_until), "sent back: the call-back is made again")


def _refused(check: Check, refused: Refusal, why: str) -> Decision:
    return Decision(check, why, refused)


def digits_of(number: str) -> str:
    """The end of a telephone number, by which two ways of writing it are the same."""
    return "".join(one for one in number if one.isdecimal())[-_COMPARED:]


def _numbers_run_together(text: str) -> str:
    """The text's digits, numbers apart from each other and free of what is written inside them."""
    return "".join(one if one.isdecimal() else " " for one in text if one not in _WITHIN_NUMBERS)


def grounds_of(*, flagged: bool, authentic: bool, known_fraud: bool, machine: bool) -> tuple[str, ...]:
    """Why a mail of the customer's side is checked; () where it need not be. Machines' reports often fail DMARC."""
    found: Iterable[tuple[str, bool]] = (
        ("changed_details", flagged),
        ("not_authentic", not authentic and not machine),
        ("known_fraud", known_fraud),
    )
    return tuple(name for name, true in found if true)
