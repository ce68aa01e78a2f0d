"""A digest's words, in both languages: what stands in the golden files is what people read."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.reports.digest import ACTIONS, Digest, Links, Reader, asked_of, compose
from disputes.digest_answers import understood
from disputes.digest_tokens import ACTIONS as DONE_BY_LINK
from disputes.digests import InvoiceFact, Item, Load, Sections, TeamDay, sections

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
GOLDEN = Path(__file__).parent.parent / "golden"
LINKS = Links(
    case=lambda case_id: f"https://desk.example/cases/{case_id}",
    task=lambda task_id: f"https://desk.example/tasks/{task_id}",
    act=lambda case_id, action: f"https://desk.example/do/{case_id}.{action}",
    mine="https://desk.example/inbox?owner=me",
    settings="https://desk.example/digest",
)


def invoice(number: str, disputed: str, claimed: str | None = None) -> InvoiceFact:
    return InvoiceFact(number, Decimal(disputed), Decimal(claimed) if claimed else None, Decimal(disputed), "EUR")


LATE = Item(
    case_id=417,
    title="Prix des palettes",
    customer="Boulangerie Keller",
    kind="dispute",
    reason="price",
    invoices=(invoice("F2026-00417", "1834.20", "120.00"),),
    said="Le prix de F2026-00417 n'est pas celui convenu en janvier.",
    said_by="Claire Martin",
    asks=("owner_answer",),
    due_at=NOW - timedelta(hours=20),
    urgent=True,
    angry=True,
)
TODAY = Item(
    case_id=420,
    title="Missing boxes",
    customer="Brook Foods",
    kind="dispute",
    reason="quantity",
    invoices=tuple(invoice(f"F2026-0050{number}", "41.40") for number in range(7)),
    said="Two boxes were missing on Tuesday.",
    said_by="Cleo Day",
    asks=("owner_answer", "check_delivery"),
    due_at=NOW + timedelta(hours=6),
    new=True,
)
QUERY = Item(
    case_id=431, title="Copy", customer="Acme", kind="query", reason="copy_invoice", asks=("answer",), new=True
)
WAITING = Item(
    case_id=440, title="", customer="Dupont & Fils", kind="dispute", reason="tax", due_at=NOW + timedelta(days=3)
)
TEAM = TeamDay(
    loads=(
        Load("Ana Silva", "Pricing", 12, 3, NOW - timedelta(days=40)),
        Load("", "Pricing", 2, 0, NOW - timedelta(days=1)),
    ),
    ageing=((7, 9), (30, 3), (60, 1), (None, 1)),
    breaches=((417, "Boulangerie Keller", "first_answer", NOW - timedelta(days=1)),),
    breached=1,
    uncertain=((3, "claire@keller.example", "Re: price"),),
)


def digest(*items: Item, team: TeamDay | None = None, urgent: bool = False) -> Digest:
    return Digest(sections(items, now=NOW, zone=PARIS), team, urgent)


def reader(language: str) -> Reader:
    return Reader("Paul Roux", language, PARIS)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("whole", digest(LATE, TODAY, QUERY, WAITING, team=TEAM)),
        ("single", digest(TODAY)),
        ("urgent", digest(LATE, urgent=True)),
    ],
)
def test_the_words_are_those_of_the_golden_file(name: str, told: Digest, language: str) -> None:
    mail = compose(told, reader=reader(language), links=LINKS, now=NOW)
    path = GOLDEN / f"digest-{name}.{language}.txt"
    text = f"Subject: {mail.subject}\n\n{mail.text}"
    if "WRITE_GOLDEN" in os.environ:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


class Reading(HTMLParser):
    """The links and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(html: str) -> Reading:
    found = Reading()
    found.feed(html)
    return found


def test_every_action_of_a_dispute_has_its_button_and_a_query_needs_no_accepting() -> None:
    html = read(compose(digest(LATE), reader=reader("en"), links=LINKS, now=NOW).html)
    assert [link for link in html.links if "/do/" in link] == [
        f"https://desk.example/do/417.{action}" for action in DONE_BY_LINK
    ]
    assert "Credit €120.00" in html.words, "the customer's own figure"
    query = read(compose(digest(QUERY), reader=reader("en"), links=LINKS, now=NOW).html)
    assert [link.rpartition(".")[2] for link in query.links if "/do/" in link] == ["need", "not-mine"]
    told = compose(digest(replace(LATE, can_decide=False)), reader=reader("en"), links=LINKS, now=NOW)
    assert "/do/" not in told.html + told.text, "what is asked of a colleague is not decided here"
    assert set(ACTIONS) == set(DONE_BY_LINK)


def test_of_who_decides_a_dispute_the_decision_is_asked_not_the_letter_to_the_customer() -> None:
    asked = replace(LATE, asks=("answer", "owner_answer"))
    assert asked_of(asked) == ["owner_answer"]
    assert asked_of(replace(asked, can_decide=False)) == ["answer", "owner_answer"]
    assert asked_of(QUERY) == ["answer"]


def test_foreign_words_are_words_only() -> None:
    evil = replace(
        LATE,
        title="Price\nSubject: x",
        customer="<script>alert(1)</script>",
        said="<img src=x onerror=alert(1)>\n\n#999 accept\nhttps://evil.example",
        said_by="Claire\r\nBcc: all@x.example",
    )
    mail = compose(digest(evil, urgent=True), reader=reader("fr"), links=LINKS, now=NOW)
    assert not {"script", "img"} & set(read(mail.html).tags)
    assert "\n" not in mail.subject
    assert not [line for line in mail.text.splitlines() if line.strip().startswith(("#999", "Bcc", "Subject"))]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_the_mail_says_may_be_answered_is_understood(language: str) -> None:
    mail = compose(digest(LATE, TODAY, QUERY, WAITING), reader=reader(language), links=LINKS, now=NOW)
    examples = [line.strip() for line in mail.text.splitlines() if line.strip().startswith("“#")]
    answer = understood("\n".join(line.strip("“”") for line in examples), cases=(417, 420, 431, 440))
    assert [(one.case_id, one.action) for one in answer.commands] == [
        (417, "accept"), (420, "reject"), (431, "credit"), (440, "need"),
    ]  # fmt: skip
    assert answer.commands[2].amount == Decimal("120.00")


def test_a_digest_that_comes_back_as_if_its_reader_had_written_it_does_nothing() -> None:
    for language in ("en", "fr"):
        text = compose(digest(LATE, TODAY), reader=reader(language), links=LINKS, now=NOW).text
        assert understood(text, cases=(417, 420)).commands == ()
        below_the_mark = text.partition("\n")[2]
        assert understood(below_the_mark, cases=(417, 420)).commands == ()


def test_of_very_many_cases_the_most_pressing_are_told_and_the_rest_counted() -> None:
    many = [replace(WAITING, case_id=number, new=number > 3) for number in range(1, 101)]
    mail = compose(digest(LATE, *many), reader=reader("en"), links=LINKS, now=NOW)
    assert "#417" in mail.text
    assert "and 61 more cases: https://desk.example/inbox?owner=me" in mail.text
    assert mail.subject.startswith("101 cases wait for you")
    assert len(mail.html) < 100_000


def test_nothing_new_and_nothing_due_is_no_mail() -> None:
    assert not digest(WAITING).worth_a_mail
    assert digest(replace(WAITING, new=True)).worth_a_mail
    assert not digest(team=replace(TEAM, loads=(), breached=0, uncertain=())).worth_a_mail
    assert digest(team=TEAM).worth_a_mail
    assert not Digest(Sections((), (), (), ())).worth_a_mail
