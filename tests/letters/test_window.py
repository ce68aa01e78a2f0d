"""Where the customer's address stands on the paper, read from the PDF: it must show in the window of the envelope.

Sources of the fields: DIN 5008:2020 forms A and B (85 x 45 mm, 20 mm from the left, 27 or 45 mm from the top); NF Z
11-001 (right, 105 to 195 mm from the left, 45 to 85 mm from the top).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pypdfium2
import pytest

from letters.compose import compose
from letters.letter_facts import LetterFacts, Recipient
from letters.printer import LetterPrinter
from tests.letters.letter_cases import french, german

MM = 72 / 25.4
LINES = ("Übergröße & Söhne Handelsgesellschaft", "Frau Dr. Anna-Maria Großmann", "Hinterhaus 4", "21000 Zielort")


@dataclass(frozen=True)
class Box:
    """A place on the page, in millimetres from its left and top edges."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other: "Box") -> bool:
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


DIN_B = Box(20, 45, 105, 90)
FRENCH = Box(105, 45, 195, 85)


@pytest.fixture(scope="module")
def printer() -> Iterator[LetterPrinter]:
    with LetterPrinter(workers=1) as found:
        yield found


def boxes(pdf: bytes, words: str) -> list[Box]:
    """Where the words stand on the first page."""
    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    text, height = page.get_textpage(), page.get_height()
    found = []
    searcher = text.search(words)
    while (hit := searcher.get_next()) is not None:
        rects = [text.get_rect(at) for at in range(text.count_rects(*hit))]
        left, bottom = min(one[0] for one in rects), min(one[1] for one in rects)
        right, top = max(one[2] for one in rects), max(one[3] for one in rects)
        found.append(Box(left / MM, (height - top) / MM, right / MM, (height - bottom) / MM))
    document.close()
    return found


@pytest.mark.parametrize(("make", "field"), [(german, DIN_B), (french, FRENCH)], ids=["din_b", "nf_z_11_001"])
def test_the_address_shows_in_the_window(printer: LetterPrinter, make: Callable[..., LetterFacts], field: Box) -> None:
    recipient = Recipient(name=LINES[0], person=LINES[1], address=LINES[2:], country=make().recipient.country)
    pdf = printer.print_letter(compose(make(recipient=recipient)))
    for line in LINES:
        assert any(field.holds(one) for one in boxes(pdf, line)), (line, boxes(pdf, line))
    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    inside = page.get_textpage().get_text_bounded(
        field.left * MM, page.get_height() - field.bottom * MM, field.right * MM, page.get_height() - field.top * MM
    )
    document.close()
    strangers = [line for line in inside.splitlines() if line.strip() and line.strip() not in LINES]
    assert len(strangers) <= 1, f"beside our own address in one line, the window shows {strangers}"


def test_a_long_address_stays_in_the_window_too(printer: LetterPrinter) -> None:
    lines = ("Gebäude C, Aufgang 3, zweiter Stock", "Industriestraße 1200 b", "Postfach 10 20 30", "99999 Musterhausen")
    facts = german(recipient=Recipient(name=LINES[0], person=LINES[1], address=lines, country="DE"))
    pdf = printer.print_letter(compose(facts))
    for line in (LINES[0], *lines):
        assert any(DIN_B.holds(one) for one in boxes(pdf, line)), (line, boxes(pdf, line))
