"""What an agent may narrow the list of cases by; every value comes from the address of the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select

from app.auth import Team, User
from disputes.bank_holds import held_cases
from disputes.models import Case, CaseClock, CaseInvoice, Promise
from disputes.reasons import MARK
from invoices.models import Account, Entity, Invoice
from matching.references import number_keys

STATES_OPEN = ("new", "in_progress", "waiting")
STATES_DONE = ("resolved", "closed", "merged")
MAX_TEXT = 100


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Empty fields do not narrow. `state` is a state, "open", "done" or "all"; `owner` is me, nobody or a user's id.

    `reason` finds its special forms too. `standing` is whom a case waits on (customer, us, third_party), held, late or
    at_risk (with what we promised), promised or promise_broken (by the customer).
    """

    state: str = "open"
    kind: str = ""
    reason: str = ""
    team: str = ""
    owner: str = ""
    entity: str = ""
    account: int | None = None
    tone: str = ""
    urgent: bool = False
    overdue: bool = False
    standing: str = ""
    text: str = ""

    def conditions(self, user: User, *, now: datetime) -> list[ColumnElement[bool]]:
        """The conditions this filter adds to a query over Case joined with Account."""
        found: list[ColumnElement[bool]] = [*self._states(), *self._owners(user), *self._equalities()]
        if self.urgent:
            found.append(Case.urgent.is_(True))
        if self.overdue:
            found.append(standing_condition("late", now=now))
        if self.standing:
            found.append(standing_condition(self.standing, now=now))
        if self.text.strip():
            found.append(_about(self.text.strip()[:MAX_TEXT]))
        return found

    def _states(self) -> list[ColumnElement[bool]]:
        if self.state == "all":
            return []
        named = {"open": STATES_OPEN, "done": STATES_DONE}.get(self.state, (self.state,))
        return [Case.state.in_(named)]

    def _owners(self, user: User) -> list[ColumnElement[bool]]:
        if not self.owner:
            return []
        if self.owner == "nobody":
            return [Case.owner_id.is_(None)]
        if self.owner == "me":
            return [Case.owner_id == user.id]
        return [Case.owner_id == int(self.owner) if self.owner.isdecimal() else false()]

    def _equalities(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        pairs: tuple[tuple[Any, Any], ...] = (
            (Case.kind, self.kind),
            (Case.sentiment, self.tone),
            (Case.account_id, self.account),
        )
        found.extend(column == value for column, value in pairs if value)
        if self.reason:
            forms = Case.reason.startswith(f"{self.reason}{MARK}", autoescape=True)
            found.append(or_(Case.reason == self.reason, forms))
        if self.team:
            found.append(Case.team_id.in_(select(Team.id).where(Team.key == self.team)))
        if self.entity:
            found.append(Case.entity_id.in_(select(Entity.id).where(Entity.code == self.entity)))
        return found


def standing_condition(standing: str, *, now: datetime) -> ColumnElement[bool]:
    """Cases that stand so: waiting on somebody, held, late with what we promised or soon to be, or with a promise of
    the customer's that is open or was not kept.
    """
    if standing in _WAITS_ON:
        return Case.waiting_on == standing
    if standing == "held":
        return or_(Case.hold_until > now, held_cases())
    if standing in _PROMISED_BY_US:
        running = (CaseClock.met_at.is_(None), CaseClock.paused_at.is_(None))
        return Case.id.in_(select(CaseClock.case_id).where(*running, *_PROMISED_BY_US[standing](now)))
    states = {"promised": ("open",), "promise_broken": ("broken", "partly_kept")}.get(standing, ())
    return Case.id.in_(select(Promise.case_id).where(Promise.state.in_(states)))


_WAITS_ON = frozenset({"customer", "us", "third_party"})
_PROMISED_BY_US: Mapping[str, Callable[[datetime], tuple[ColumnElement[bool], ...]]] = MappingProxyType(
    {
        "late": lambda now: (CaseClock.due_at <= now,),
        "at_risk": lambda now: (CaseClock.warn_at <= now, CaseClock.due_at > now),
    }
)


def _about(text: str) -> ColumnElement[bool]:
    """Cases whose title or account holds the text, whose number it is, or that are about an invoice of that number."""
    like = f"%{_escaped(text)}%"
    found: list[ColumnElement[bool]] = [
        Case.title.ilike(like, escape="\\"),
        Account.name.ilike(like, escape="\\"),
        Account.number.ilike(f"{_escaped(text)}%", escape="\\"),
    ]
    digits = text.removeprefix("#")
    if digits.isdecimal() and len(digits) < 18:  # noqa: PLR2004 - ids are 64-bit
        found.append(Case.id == int(digits))
    if (numbers := numbered(text)) is not None:
        found.append(
            Case.id.in_(select(CaseInvoice.case_id).join(Invoice, Invoice.id == CaseInvoice.invoice_id).where(numbers))
        )
    return or_(*found)


def numbered(text: str) -> ColumnElement[bool] | None:
    """Invoices that `text` may be the number of, by their look-up keys (matching.md); None when it holds no digits."""
    keys = number_keys(text)
    pairs = ((Invoice.kd, keys.kd), (Invoice.kc, keys.kc), (Invoice.ks, keys.ks))
    found: list[ColumnElement[bool]] = [column == key for column, key in pairs if key is not None]
    return or_(*found) if found else None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """The column holds the text, in any case; the text's own wildcards count as themselves."""
    found: ColumnElement[bool] = column.ilike(f"%{_escaped(text)}%", escape="\\")
    return found


def begins(column: Any, text: str) -> ColumnElement[bool]:
    """The column begins with the text, in any case."""
    found: ColumnElement[bool] = column.ilike(f"{_escaped(text)}%", escape="\\")
    return found
