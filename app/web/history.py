"""An event of a case as one line for people: what happened, who did it and why, what it was before and is now."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from app.core.events import Event
from app.core.i18n import Words
from app.web import labels
from disputes.clocks import KINDS

N_ = str  # marks a msgid for extraction


@dataclass(frozen=True, slots=True)
class Change:
    """A thing that changed: its name, what it was and what it is; an empty side was nothing."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in a line. `by` is person, erp or program; `cause` why the program did it, `place` where that is shown.

    `about` says which thing it was about: an invoice's number, an address, another case.
    """

    icon: str
    words: str
    by: str
    who: str
    at: datetime
    cause: str
    place: str
    about: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and what the numbers in events stand for: users, teams, invoices, links.

    `reasons` names a reason.
    """

    words: Words
    zone: tzinfo
    names: Mapping[int, str]
    teams: Mapping[int, str]
    invoices: Mapping[int, tuple[str, str]]
    links: Mapping[int, int]
    reasons: Callable[[str], str]

    def say(self, text: str) -> str:
        """A word of the interface in the reader's language."""
        return self.words.gettext(text)


Show = Callable[[Any, Reader], str]
"""Tells a value as events keep it."""


def happening(event: Event, reader: Reader) -> Happening:
    """The event in the reader's words."""
    icon, words = labels.happened(event.verb)
    by, who = _actor(event.actor, reader)
    cause, place = _cause(event, reader)
    return Happening(
        icon=icon,
        words=reader.say(words),
        by=by,
        who=who,
        at=event.at,
        cause=cause,
        place=place,
        about=_about(event, reader),
        changes=tuple(_changes(event, reader)),
    )


def _actor(actor: str, reader: Reader) -> tuple[str, str]:
    kind, _, number = actor.partition(":")
    if kind == "user":
        name = reader.names.get(int(number), "") if number.isdecimal() else ""
        return "person", name or reader.say(N_("A colleague who left"))
    if kind == "token" or number in _OUTSIDE:
        return "erp", reader.say(N_("ERP"))
    if kind == "customer":
        return "person", reader.say(N_("The customer"))
    return "program", reader.say(N_("Automatically"))


_OUTSIDE = frozenset({"erp", "erp folder", "ledger"})
_CAUSES: Mapping[str, str] = {
    "message": N_("because of a mail"),
    "push": N_("because of what the ERP told"),
    "step": N_("by the playbook"),
    "playbook": N_("by the playbook"),
    "policy": N_("because rules were changed"),
    "outbox": N_("because of a mail of ours"),
    "outgoing": N_("because of a mail of ours"),
    "task": N_("because of a task"),
    "call": N_("because of a call"),
    "digest": N_("by an answer to a digest"),
}


def _cause(event: Event, reader: Reader) -> tuple[str, str]:
    """Why, in words, and the place on the page that shows it."""
    kind, _, number = event.cause.partition(":")
    words = reader.say(_CAUSES.get(kind, ""))
    return words, f"#message-{number}" if kind == "message" and number.isdecimal() else ""


def _about(event: Event, reader: Reader) -> str:
    after = event.after or {}
    if event.subject == "link":
        return reader.invoices.get(reader.links.get(event.subject_id or 0, 0), ("", ""))[0]
    if event.subject == "task" and "kind" in after:
        return reader.say(labels.label(labels.TASKS, str(after["kind"])))
    if event.subject == "outgoing" and after.get("to"):
        return str(after["to"])
    number = after.get("target_id") or (after.get("case_id") if event.subject in {"case", "message"} else None)
    if isinstance(number, int):
        return f"#{number}"
    return ""


def _changes(event: Event, reader: Reader) -> Iterable[Change]:
    """What changed, where a reader understands it."""
    before, after = event.before or {}, event.after or {}
    if event.verb in _SNAPSHOTS:
        return
    for name, (title, show) in _fields(event).items():
        if name in after and before.get(name) != after[name]:
            old = show(before[name], reader) if name in before else ""
            told = Change(reader.say(title), old, show(after[name], reader))
            if told.before or told.after:
                yield told
    yield from _money(before, after, reader)


def _fields(event: Event) -> Mapping[str, tuple[str, Show]]:
    """The fields a reader understands: states and kinds of other things than cases are told by the verb already."""
    if event.subject == "case":
        return _SHOWN
    return {"why": _SHOWN["why"]} if event.actor.startswith("user:") else {}


_SNAPSHOTS = frozenset({"case merged"})
"""Their event keeps whole cases, to undo them exactly."""


def _money(before: Mapping[str, Any], after: Mapping[str, Any], reader: Reader) -> Iterable[Change]:
    """Amounts by invoice id: what was in dispute of each, and what is."""
    for key in {**before, **after}:
        if key.isdecimal() and (known := reader.invoices.get(int(key))) is not None:
            number, currency = known
            amounts = [_amount(side[key], currency, reader) if key in side else "" for side in (before, after)]
            if amounts[0] != amounts[1]:
                yield Change(number, *amounts)


def _amount(value: Any, currency: str, reader: Reader) -> str:
    try:
        return reader.words.money(Decimal(str(value)), currency)
    except InvalidOperation:
        return str(value)


def _text(value: Any, _reader: Reader) -> str:
    return "" if value is None else str(value)


def _reason(value: Any, reader: Reader) -> str:
    return reader.reasons(str(value)) if value else ""


def _kind(value: Any, reader: Reader) -> str:
    return reader.say(labels.kind(str(value))) if value else ""


def _owner(value: Any, reader: Reader) -> str:
    return reader.names.get(value, "") if isinstance(value, int) else reader.say(labels.NOBODY)


def _team(value: Any, reader: Reader) -> str:
    return reader.say(labels.team(reader.teams.get(value, ""))) if isinstance(value, int) else ""


def _moment(value: Any, reader: Reader) -> str:
    """A moment or a day in the reader's time and language."""
    try:
        text = str(value or "")
        if "T" not in text:
            return reader.words.day(date.fromisoformat(text)) if text else ""
        return reader.words.moment(datetime.fromisoformat(text), reader.zone)
    except ValueError:
        return str(value)


def _rating(value: Any, _reader: Reader) -> str:
    return f"{value}/5" if value else ""


def _of(table: Mapping[str, str]) -> Show:
    return lambda value, reader: reader.say(labels.label(table, str(value))) if value else ""


_SHOWN: Mapping[str, tuple[str, Show]] = {
    "state": (N_("State"), _of(labels.STATES)),
    "kind": (N_("Kind"), _kind),
    "reason": (N_("Reason"), _reason),
    "sentiment": (N_("Tone"), _of(labels.TONES)),
    "owner_id": (N_("Owner"), _owner),
    "team_id": (N_("Team"), _team),
    "waiting_on": (N_("Waiting"), _of(labels.WAITING)),
    "waiting_until": (N_("Until"), _moment),
    "hold_until": (N_("Held until"), _moment),
    "hold_reason": (N_("Why"), _text),
    "resolution": (N_("Outcome"), _of(labels.RESOLUTIONS)),
    "resolution_note": (N_("Note"), _text),
    "clock": (N_("What we promised"), _of(KINDS)),
    "next_step": (N_("Next step"), _of(labels.STEPS)),
    "due_at": (N_("Due"), _moment),
    "cause": (N_("Cause"), _text),
    "satisfaction": (N_("Rating"), _rating),
    "comment": (N_("Comment"), _text),
    "why": (N_("Why"), _text),
    "step": (N_("Step"), _of(labels.STEPS)),
}
"""Field -> its name and how its values are told; the rest of an event is for the program."""
