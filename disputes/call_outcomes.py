"""How a courtesy call ended, each with one key, and what follows from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from app.core.errors import BadInput
from disputes.workhours import Calendar, add_business_days, add_business_time, hours

N_ = str  # marks a msgid for babel's extraction; translated where it is shown

Follow = Literal["playbook", "call_again", "send_copy", "ask_owner", "watch_payment", "keep_promise"]
MOST_TRIES = 3
"""After so many calls nobody answered, writing is kinder than ringing on: the call counts as made."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a call can end: its key on the keyboard, its label (a msgid), whether a person was reached, what follows
    and after how many working days.
    """

    name: str
    key: str
    label: str
    reached: bool
    follow: Follow
    days: int


_ROWS = (
    Outcome("reached", "1", N_("Reached, all is said"), reached=True, follow="playbook", days=0),
    Outcome("voicemail", "2", N_("Left a message"), reached=False, follow="call_again", days=1),
    Outcome("unreachable", "3", N_("Nobody answered"), reached=False, follow="call_again", days=0),
    Outcome("invoice_not_received", "4", N_("Has not received the invoice"), reached=True, follow="send_copy", days=0),
    Outcome("waiting_approval", "5", N_("Waits for their approval"), reached=True, follow="call_again", days=3),
    Outcome("disputes", "6", N_("Disputes it"), reached=True, follow="ask_owner", days=0),
    Outcome("in_payment", "7", N_("Payment is on its way"), reached=True, follow="watch_payment", days=3),
    Outcome("promised", "8", N_("Promised to pay"), reached=True, follow="keep_promise", days=0),
)
OUTCOMES: Mapping[str, Outcome] = MappingProxyType({row.name: row for row in _ROWS})
"""Name -> outcome, in the order they are offered."""


class UnknownOutcome(BadInput):
    """A call cannot end like this."""


@dataclass(frozen=True, slots=True)
class AfterCall:
    """What is booked next. `counts`: the customer was called, so that written steps may follow (Progress.called_at).

    `needs` names what the agent must still say: the promise's date. `why` in words.
    """

    follow: Follow
    at: datetime
    counts: bool
    why: str
    needs: tuple[str, ...] = ()


def after_call(outcome: str, *, tries: int, now: datetime, calendar: Calendar) -> AfterCall:
    """What follows from a call. `tries` is how many calls, this one included, reached nobody. Raises UnknownOutcome."""
    found = OUTCOMES.get(outcome)
    if found is None:
        raise UnknownOutcome(f"{outcome!r} is no outcome of a call; use one of {', '.join(OUTCOMES)}")
    if found.reached:
        needs = ("date", "amount") if found.follow == "keep_promise" else ()
        return AfterCall(found.follow, _at(found, now, calendar), counts=True, why=found.label, needs=needs)
    if tries >= MOST_TRIES:
        return AfterCall("playbook", now, counts=True, why=f"called {tries} times without reaching anybody: write")
    return AfterCall("call_again", _at(found, now, calendar), counts=False, why=f"{found.label}: try {tries + 1}")


def _at(outcome: Outcome, now: datetime, calendar: Calendar) -> datetime:
    """Nobody answered: three office hours later is another part of the day. Else working days later, or now."""
    if outcome.name == "unreachable":
        return add_business_time(now, hours(3), calendar)
    return add_business_days(now, outcome.days, calendar) if outcome.days else now
