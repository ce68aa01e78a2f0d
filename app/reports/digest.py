"""A digest as a mail: plain text, and the same with buttons, in its reader's language. Pure.

What it tells comes from disputes/digests.py and disputes/queries; where its links go is given.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core.i18n import Words, words
from disputes.clocks import KINDS as CLOCKS
from disputes.digest_answers import ABOVE
from disputes.digest_tokens import ACCEPT, CREDIT, NEED, NOT_MINE, REJECT
from disputes.digests import DigestMail, InvoiceFact, Item, Load, Sections, TeamDay
from disputes.own_reasons import Reasons
from disputes.reasons import DISPUTE, TEAMS
from disputes.replies import one_line

N_ = str  # marks a msgid for extraction
MOST_INVOICES = 5
MOST_CASES = 40
"""Cases told with all their facts, the most pressing first: more would be cut off by mail programs at 100 KB."""
_FOLDER = Path(__file__).with_name("templates")
ASKS: Mapping[str, str] = MappingProxyType(
    {
        "owner_answer": N_("Your decision is asked for."),
        "approve_credit": N_("A credit waits for your approval."),
        "check_delivery": N_("A proof of delivery is needed from you."),
        "courtesy_call": N_("The customer expects a call."),
        "callback": N_("The customer asked to be called back."),
        "escalation": N_("This case was escalated to you."),
        "mention": N_("A colleague mentions you in a note."),
        "answer": N_("The customer must be answered."),
        "document_arrived": N_("The document that was missing is there."),
        "credit_decided": N_("The credit you asked for was decided."),
    }
)
"""What a task in a case asks of its person."""
ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        ACCEPT: N_("Accept"),
        REJECT: N_("Refuse"),
        CREDIT: N_("Credit a part"),
        NEED: N_("Something is missing"),
        NOT_MINE: N_("Not mine"),
    }
)
EXAMPLES = (N_("accept"), N_("refuse: the price was agreed"), N_("credit 120.00"), N_("need: proof of delivery"))
"""What may be answered by mail, as disputes/digest_answers.py reads it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a digest is for."""

    name: str
    language: str
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Links:
    """Where a digest's links go; an action without an address is shown and leads nowhere (the preview)."""

    case: Callable[[int], str]
    task: Callable[[int], str]
    act: Callable[[int, str], str]
    mine: str
    settings: str


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest tells. `urgent`: it is about one case and came at once; `reasons` name what cases are about."""

    cases: Sections
    team: TeamDay | None = None
    urgent: bool = False
    reasons: Reasons = field(default_factory=Reasons)

    @property
    def worth_a_mail(self) -> bool:
        """Nothing new and nothing due: no mail."""
        return self.urgent or self.cases.worth_a_mail or (self.team is not None and self.team.worth_a_mail)


class _Action(NamedTuple):
    label: str
    url: str
    main: bool


class _Breach(NamedTuple):
    case_id: int
    url: str
    rest: str
    words: str


def asked_of(item: Item) -> list[str]:
    """What is asked, each once. Of who decides a dispute it is the decision: the answer to the customer comes of it."""
    decision = item.kind == DISPUTE and item.can_decide
    kinds = ("owner_answer" if kind == "answer" and decision else kind for kind in item.asks if kind in ASKS)
    return list(dict.fromkeys(kinds))


def compose(digest: Digest, *, reader: Reader, links: Links, now: datetime) -> DigestMail:
    """The mail's subject, text and HTML."""
    writer = _Writer(_plain(digest), reader, links, now, words(reader.language))
    context = writer.context()
    spoken = writer.words.language
    text = _environment(spoken).get_template("digest.txt").render(context)
    html = _environment(spoken).get_template("digest.html").render(context)
    return DigestMail(writer.subject, f"{text.strip()}\n", html)


def _plain(digest: Digest) -> Digest:
    """Foreign words on one line each: no mail of a customer may look like a part of ours."""

    def plain(items: tuple[Item, ...]) -> tuple[Item, ...]:
        return tuple(
            replace(
                one,
                title=one_line(one.title),
                customer=one_line(one.customer),
                said=one_line(one.said),
                said_by=one_line(one.said_by),
            )
            for one in items
        )

    cases = digest.cases
    return replace(
        digest, cases=Sections(plain(cases.overdue), plain(cases.due), plain(cases.new), plain(cases.waiting))
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """What the templates call."""

    digest: Digest
    reader: Reader
    links: Links
    now: datetime
    words: Words

    def _(self, message: str, **values: object) -> str:
        found = self.words.gettext(message)
        return found % values if values else found

    def colon(self, what: str, told: str) -> str:
        """What, and what is told of it, as the language sets its colons."""
        return self._("%(what)s: %(told)s", what=what, told=told)

    def context(self) -> dict[str, Any]:
        """Everything a template names."""
        groups = list(self._groups())
        answer_above = self._("Answer above this line")
        return {
            "language": self.words.language,
            "subject": self.subject,
            "greeting": self._("Hello %(name)s,", name=one_line(self.reader.name)),
            "summary": self._summary(),
            "sections": self.digest.cases,
            "groups": [(heading, items) for heading, items, _ in groups],
            "looks": groups,
            "above": f"{ABOVE} {answer_above} -##",
            "how_to_answer": self._how_to_answer(),
            "examples": self._examples(),
            "settings_url": self.links.settings,
            "more_cases": self._more_cases(),
            "list_url": self.links.mine,
            "most_invoices": MOST_INVOICES,
            "number": self.words.number,
            **self._of_cases(),
            **self._of_team(),
        }

    def _of_cases(self) -> dict[str, Any]:
        return {
            "reason": self._reason,
            "by": self.by,
            "marks": self.marks,
            "invoice_words": self.invoice_words,
            "colon": self.colon,
            "more_invoices": self._more_invoices,
            "said": self.said,
            "wants": lambda item: [self._(ASKS[kind]) for kind in asked_of(item)],
            "case_url": self._url,
            "actions": lambda item: list(self.actions(item)),
        }

    def _of_team(self) -> dict[str, Any]:
        team = self.digest.team
        return {
            "team": team,
            "queue_of": self._queue,
            "age": lambda at: self.words.age(at, now=self.now) if at else "",
            "load_lines": [self._load_line(load) for load in team.loads] if team else [],
            "age_line": self._age_line(team) if team else "",
            "breach_heading": self._breach_heading(team.breached) if team else "",
            "breach_lines": [self._breach(*breach) for breach in team.breaches] if team else [],
            "uncertain_lines": [self.colon(to, one_line(subject)) for _, to, subject in team.uncertain] if team else [],
        }

    def _groups(self) -> Iterator[tuple[str, tuple[Item, ...], str]]:
        cases = self.digest.cases
        if self.digest.urgent:
            yield self._("Urgent"), cases.every, "late"
            return
        titles = (N_("Late"), N_("Due today"), N_("New"), N_("Waiting for you"))
        looks = ("late", "today", "", "")
        for title, items, look in zip(titles, (cases.overdue, cases.due, cases.new, cases.waiting), looks, strict=True):
            if items:
                yield self._(title), items, look

    @property
    def subject(self) -> str:
        """What it is about, in a line."""
        every = self.digest.cases.every
        if self.digest.urgent and every:
            who = every[0].customer or every[0].title
            return self._("Urgent: %(who)s (case #%(number)s)", who=who, number=every[0].case_id)
        return self._summary() if every else self._("Your team today")

    def _summary(self) -> str:
        cases = self.digest.cases
        if self.digest.urgent:
            return self._("This cannot wait for your next digest.")
        if not cases.every:
            return self._("Nothing waits for you yourself.")
        count = self.words.ngettext("%(num)s case waits for you", "%(num)s cases wait for you", len(cases.every))
        told = [
            (cases.overdue, self.words.ngettext("%(num)s late", "%(num)s late", len(cases.overdue))),
            (cases.due, self.words.ngettext("%(num)s due today", "%(num)s due today", len(cases.due))),
            (self._new, self.words.ngettext("%(num)s new", "%(num)s new", len(self._new))),
        ]
        parts = ", ".join(part for items, part in told if items)
        return self.colon(count, parts) if parts else count

    @property
    def _new(self) -> tuple[Item, ...]:
        return tuple(item for item in self.digest.cases.every if item.new)

    def by(self, item: Item) -> str:
        """By when, in the reader's time."""
        if item.due_at is None:
            return ""
        moment = self.words.moment(item.due_at, self.reader.zone)
        return (
            self._("was due %(moment)s", moment=moment)
            if item.due_at < self.now
            else self._("by %(moment)s", moment=moment)
        )

    def marks(self, item: Item) -> str:
        """What to notice."""
        told = ((item.new, N_("New")), (item.urgent, N_("Urgent")), (item.angry, N_("Angry")))
        return ", ".join(self._(word) for holds, word in told if holds)

    def invoice_words(self, invoice: InvoiceFact) -> str:
        """What is in dispute of an invoice, and the customer's own figure beside it."""
        money = self.words.money
        if not invoice.disputed and not invoice.open_amount:
            return self._("nothing open")
        if not invoice.disputed:
            return self._("%(amount)s open", amount=money(invoice.open_amount, invoice.currency))
        disputed = self._("%(amount)s in dispute", amount=money(invoice.disputed, invoice.currency))
        if invoice.claimed is None or invoice.claimed == invoice.disputed:
            return disputed
        claimed = self._("the customer says %(amount)s", amount=money(invoice.claimed, invoice.currency))
        return f"{disputed}, {claimed}"

    def _more_cases(self) -> str:
        """How many are not told one by one."""
        count = len(self.digest.cases.every) - MOST_CASES
        return self.words.ngettext("and %(num)s more case", "and %(num)s more cases", count) if count > 0 else ""

    def _reason(self, item: Item) -> str:
        """What it is about; what a deployment called a reason is not translated."""
        own = self.digest.reasons.own.get(item.reason)
        return own.label(self.words.language) if own else self._(self.digest.reasons.label(item.reason, "en"))

    def _url(self, item: Item) -> str:
        """The case's page; for who is only asked for one thing in it, the page of that."""
        return self.links.case(item.case_id) if item.task_id is None else self.links.task(item.task_id)

    def _more_invoices(self, item: Item) -> str:
        count = len(item.invoices) - MOST_INVOICES
        return self.words.ngettext("and %(num)s more invoice", "and %(num)s more invoices", count)

    def said(self, item: Item) -> str:
        """The customer's words, and whose they are."""
        return self._("%(who)s: “%(words)s”", who=item.said_by, words=item.said) if item.said_by else f"“{item.said}”"

    def actions(self, item: Item) -> Iterator[_Action]:
        """What one click may do; a query needs no accepting."""
        if not item.can_decide:
            return
        names = (ACCEPT, REJECT, CREDIT, NEED, NOT_MINE) if item.kind == DISPUTE else (NEED, NOT_MINE)
        for name in names:
            yield _Action(self._label(name, item), self.links.act(item.case_id, name), name == ACCEPT)

    def _label(self, name: str, item: Item) -> str:
        asked = item.asked_amount
        if name == CREDIT and asked is not None and asked != item.amount:
            return self._("Credit %(amount)s", amount=self.words.money(*asked))
        return self._(ACTIONS[name])

    def _how_to_answer(self) -> str:
        if len(self.digest.cases.every) == 1:
            return self._("Or answer this mail with one of these, or in your own words:")
        return self._("Or answer this mail, one line a case, or in your own words after the number:")

    def _examples(self) -> list[str]:
        """Lines of an answer: of the one case, or of the first ones, each with its number. In quotation marks, so
        that nobody does what they say when the whole mail comes back as if its reader had written it.
        """
        every = self.digest.cases.every
        said = [self._(one) for one in EXAMPLES]
        if len(every) > 1:
            said = [f"#{every[at % len(every)].case_id} {one}" for at, one in enumerate(said)]
        return [f"“{one}”" for one in said]

    def _queue(self, load: Load) -> str:
        """Nobody's cases lie in their team's queue."""
        team = self._(TEAMS.get(load.team.lower(), load.team))
        return self._("Nobody yet (%(team)s)", team=team) if load.team else self._("Nobody yet")

    def _load_line(self, load: Load) -> str:
        parts = [self.words.ngettext("%(num)s open", "%(num)s open", load.open)]
        if load.overdue:
            parts.append(self.words.ngettext("%(num)s late", "%(num)s late", load.overdue))
        if load.oldest:
            parts.append(self._("oldest %(age)s", age=self.words.age(load.oldest, now=self.now)))
        return self.colon(load.name or self._queue(load), ", ".join(parts))

    def _age_line(self, team: TeamDay) -> str:
        if not any(count for _, count in team.ageing):
            return ""
        told = []
        for days, count in team.ageing:
            band = self._("up to %(days)s days", days=days) if days is not None else self._("older")
            told.append(self.colon(band, self.words.number(count)))
        return self.colon(self._("Age of the open cases"), " · ".join(told))

    def _breach_heading(self, count: int) -> str:
        return self.words.ngettext("%(num)s promised time missed", "%(num)s promised times missed", count)

    def _breach(self, case_id: int, customer: str, clock: str, at: datetime) -> _Breach:
        moment = self.words.moment(at, self.reader.zone)
        promised = self._("%(what)s was due %(moment)s", what=self._(CLOCKS.get(clock, clock)), moment=moment)
        rest = f"{one_line(customer)} · {promised}" if customer else promised
        return _Breach(case_id, self.links.case(case_id), rest, f"#{case_id} {rest}")


@cache
def _environment(language: str) -> Environment:
    """The templates of one language: environments share no translations."""
    found = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_translations(words(language).catalog, newstyle=True)  # type: ignore[attr-defined] # by the extension
    return found
