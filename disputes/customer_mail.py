"""Mails to customers from templates: status, question, resolution, apology, satisfaction, signature. Pure.

Wordings are data, one file a language in messages/; a deployment overrides one per language and entity with a policy
(family "message_template"). Templates are Jinja cut down to what words need: names, conditions, nothing that runs.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel.dates import format_date
from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from pydantic import Field, field_validator

from app.core.money import shown
from disputes.reading import LANGUAGES
from disputes.replies import one_line
from disputes.rulebook import Rules, read
from disputes.tokens import word_set

FAMILY = "message_template"
"""The family of policies that override wordings; keys are "status/fr" and, for one entity, "status/fr/FR01"."""
KINDS = ("status", "question", "resolution", "apology", "satisfaction", "signature")
OWN_KINDS = ("acknowledgement", *KINDS)
"""What a deployment may word itself; the acknowledgement ships in its own file (acknowledgement.py)."""
NAMES = word_set(
    "name case subject seller agent invoices many amount day with_us about question outcome credited why link"
)
"""What a template may name."""
LONGEST_TEMPLATE = 10_000
LONGEST_MAIL = 50_000
_LONGEST_NAME = 40
_MOST_INVOICES = 10
_LOCALES = {"en": "en_GB"}
_FOLDER = Path(__file__).with_name("messages")
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.Const),
    *(nodes.Not, nodes.And, nodes.Or),
)
_JINJA = SandboxedEnvironment(autoescape=False)  # plain text, which escaping would spoil


class Wording(Rules):
    """One template: `subject` may be empty, which means the thread's own."""

    subject: str = Field(default="", max_length=300)
    body: str = Field(min_length=1, max_length=LONGEST_TEMPLATE)

    @field_validator("subject", "body")
    @classmethod
    def _can_be_used(cls, text: str) -> str:
        _compiled(text)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """What a mail may say: all plain values. `amount` is what is in dispute, `day` when the customer hears next.

    `with_us` is False while a third party has the word. `resolution` is a way to end a case, `credited` what of it is
    credited, `why` words for the customer (never an internal note), `link` where they say how content they are.
    """

    case_id: int
    language: str
    name: str = ""
    subject: str = ""
    seller: str = ""
    agent: str = ""
    invoices: Sequence[str] = ()
    amount: Decimal | None = None
    credited: Decimal | None = None
    currency: str = ""
    day: date | None = None
    with_us: bool = True
    question: str = ""
    resolution: str = ""
    why: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """Subject and words of a mail, before signature and quotation."""

    subject: str
    body: str


def wording(content: Mapping[str, Any], *, what: str) -> Wording:
    """A deployment's own template. Raises BadPolicy saying what is wrong with it."""
    return read(Wording, content, what=what)


def shipped(kind: str, language: str) -> Wording:
    """The wording that comes with the program; English where we do not write the language."""
    texts = _texts(spoken(language))
    return Wording(subject="" if kind == "signature" else texts["words"]["subject"], body=texts[kind]["body"])


def spoken(language: str) -> str:
    """The language we write to someone who reads that one."""
    return language if language in LANGUAGES else "en"


def compose(facts: CustomerFacts, words: Wording) -> Composed:
    """The mail's subject and body with its facts filled in; foreign text cannot begin a header or be run."""
    values = _values(facts)
    body = _filled(words.body, values)
    greeting = _filled(_texts(spoken(facts.language))["words"]["greeting"], values)
    subject = one_line(_filled(words.subject, values)) if words.subject else ""
    return Composed(subject[:200], f"{greeting}\n\n{body.strip()}"[:LONGEST_MAIL])


def signature(facts: CustomerFacts, words: Wording) -> str:
    """How the mail ends: per entity and language, with the name of whoever writes it."""
    return _filled(words.body, _values(facts)).strip()


def _values(facts: CustomerFacts) -> dict[str, Any]:
    texts = _texts(spoken(facts.language))
    named = [one_line(one) for one in facts.invoices][:_MOST_INVOICES]
    name = one_line(facts.name)
    values: dict[str, Any] = {
        "name": "" if "@" in name or len(name) > _LONGEST_NAME else name,
        "case": facts.case_id,
        "subject": one_line(facts.subject)[:150],
        "seller": one_line(facts.seller),
        "agent": one_line(facts.agent),
        "invoices": ", ".join(named),
        "many": len(named) > 1,
        "amount": _money(facts.amount, facts),
        "credited": _money(facts.credited, facts),
        "day": _day(facts),
        "with_us": facts.with_us,
        "question": facts.question.strip(),
        "why": facts.why.strip(),
        "link": one_line(facts.link),
    }
    outcomes = texts["outcomes"]
    values["about"] = _filled(texts["words"]["about"], values)
    ended = "accepted" if facts.resolution == "credited" else facts.resolution
    values["outcome"] = _filled(outcomes.get(ended, outcomes["other"]), values)
    return values


def _money(amount: Decimal | None, facts: CustomerFacts) -> str:
    return shown(amount, facts.currency, spoken(facts.language)) if amount and facts.currency else ""


def _day(facts: CustomerFacts) -> str:
    language = spoken(facts.language)
    return format_date(facts.day, format="full", locale=_LOCALES.get(language, language)) if facts.day else ""


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return _compiled(text).render(values)


@lru_cache(maxsize=500)
def _compiled(text: str) -> Template:
    """The template, once every node of it is known to be harmless. Raises ValueError in words a person can use."""
    if len(text) > LONGEST_TEMPLATE:
        raise ValueError(f"longer than {LONGEST_TEMPLATE:,} characters")
    try:
        tree = _JINJA.parse(text)
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.message}") from error
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            raise ValueError(  # noqa: TRY004 - pydantic turns a ValueError into words on the field
                f"line {node.lineno}: {type(node).__name__} is not allowed in a wording"
            )
        if isinstance(node, nodes.Name) and node.name not in NAMES:
            raise ValueError(f"line {node.lineno}: there is no {node.name!r}; use {', '.join(sorted(NAMES))}")
    return _JINJA.from_string(text)


@cache
def _texts(language: str) -> Mapping[str, Mapping[str, str]]:
    return MappingProxyType(tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8")))
