"""A real digest comes back below an answer, as mail programs quote it: the answer is done, the digest itself is not."""

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest

from app.core.settings import Limits
from app.reports.digest import compose
from disputes.digest_answers import Answer, Command, understood
from disputes.digests import DigestMail
from disputes.parsing import parse
from tests.reports.test_digest import LATE, LINKS, NOW, TODAY, digest, reader

CASES = (417, 420)
LINES = ("#417 accepter", "#420 refuser : livré en entier")
DONE = Answer((Command(417, "accept"), Command(420, "reject", "livré en entier")))


def a_digest(language: str) -> DigestMail:
    return compose(digest(LATE, TODAY), reader=reader(language), links=LINKS, now=NOW)


def came_back(text: str, html: str = "") -> Answer:
    """The answer as the mailroom reads it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "paul@seller.example", "ar@seller.example", "Re: cases"
    message["Date"] = format_datetime(NOW + timedelta(hours=1))
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return understood(parse(message.as_bytes(), limits=Limits()).new_text, cases=CASES)


def marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


languages = pytest.mark.parametrize("language", ["en", "fr"])


@languages
def test_apple_mail_and_thunderbird(language: str) -> None:
    quote = marked(a_digest(language).text)
    head = "Le 2 mars 2026 à 09:00, Lumora <ar@seller.example> a écrit :"
    assert came_back("\n".join((*LINES, "", head, "", quote))) == DONE
    below = came_back("\n".join((head, "", quote, "", *LINES)))
    assert below == DONE, "some write below"


@languages
def test_between_the_lines(language: str) -> None:
    written: list[str] = ["Le 2 mars 2026 à 09:00, Lumora <ar@seller.example> a écrit :", ""]
    for line in marked(a_digest(language).text).splitlines():
        written.append(line)
        if line.startswith(("> #417", "> #420")):
            written += ["", LINES[0] if "417" in line else LINES[1], ""]
    assert came_back("\n".join(written)) == DONE


@languages
def test_outlook_on_the_desk(language: str) -> None:
    head = (
        "De : Lumora <ar@seller.example>\nEnvoyé : lundi 2 mars 2026 09:00\nÀ : Paul Roux <paul@seller.example>\n"
        "Objet : 2 dossiers vous attendent\n"
    )
    text = "\n".join((*LINES, "", "Cordialement,", "Paul Roux", "Tarification", "", head, a_digest(language).text))
    assert came_back(text) == DONE


@languages
def test_gmail_as_html(language: str) -> None:
    mail = a_digest(language)
    said = "".join(f"<div>{line}</div>" for line in LINES)
    html = (
        f'<div dir="ltr">{said}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Le lun. 2 mars '
        f'2026 à 09:00, Lumora &lt;ar@seller.example&gt; a écrit :<br></div><blockquote class="gmail_quote">'
        f"{mail.html}</blockquote></div>"
    )
    plain = "\n".join(
        (*LINES, "", "Le lun. 2 mars 2026 à 09:00, Lumora <ar@seller.example> a écrit :", "", marked(mail.text))
    )
    assert came_back(plain, html) == DONE
    only_html = EmailMessage()
    only_html["From"], only_html["To"], only_html["Subject"] = "paul@seller.example", "ar@seller.example", "Re: x"
    only_html.set_content(html, subtype="html")
    assert understood(parse(only_html.as_bytes(), limits=Limits()).new_text, cases=CASES) == DONE


@languages
def test_a_telephone_that_marks_nothing(language: str) -> None:
    text = "\n".join((*LINES, "", "Envoyé de mon iPhone", "", a_digest(language).text))
    assert came_back(text) == DONE


@languages
def test_sent_back_untouched_it_does_nothing(language: str) -> None:
    mail = a_digest(language)
    for text in (mail.text, marked(mail.text), f"\n\n{mail.text}"):
        assert came_back(text).commands == ()
        assert came_back(text, mail.html).commands == ()
