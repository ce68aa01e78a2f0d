"""Pages of each kind as pictures: what was looked at and found beautiful stays so.

Compared small and in grey, so that another version of the drawing library or of its smoothing of edges changes nothing,
while a word that moved, a missing rule or another font does. WRITE_GOLDEN takes new pictures: look at them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageFilter

from letters.compose import compose
from letters.printer import LetterPrinter
from tests.letters.letter_cases import LETTERS

GOLDEN = Path(__file__).parent.parent / "golden" / "letters"
_SCALE, _STRONG, _MOST = 0.8, 40, 0.0002
"""Points to pixels; a difference of grey that is more than smoothing; the share of pixels that may differ so much."""
_BLUR = ImageFilter.GaussianBlur(1)


@pytest.fixture(scope="module")
def printer() -> Iterator[LetterPrinter]:
    with LetterPrinter(workers=2) as found:
        yield found


def pictures(pdf: bytes) -> list[Image.Image]:
    """The pages in grey."""
    document = pypdfium2.PdfDocument(pdf)
    found = [page.render(scale=_SCALE).to_pil().convert("L") for page in document]
    document.close()
    return found


def differing(left: Image.Image, right: Image.Image) -> float:
    """The share of pixels that differ by more than smoothing does."""
    if left.size != right.size:
        return 1.0
    first, second = (np.asarray(one.convert("L").filter(_BLUR), dtype=np.int16) for one in (left, right))
    difference = np.abs(first - second)
    return float((difference > _STRONG).mean())


@pytest.mark.parametrize("kind", LETTERS)
def test_pages_look_as_they_did(printer: LetterPrinter, kind: str, tmp_path: Path) -> None:
    found = pictures(printer.print_letter(compose(LETTERS[kind]())))
    if "WRITE_GOLDEN" in os.environ:
        for at, picture in enumerate(found, start=1):
            picture.point(lambda grey: grey // 17 * 17).save(GOLDEN / f"{kind}-{at}.png", optimize=True)
    wanted = sorted(GOLDEN.glob(f"{kind}-*.png"))
    assert len(found) == len(wanted)
    for at, (picture, path) in enumerate(zip(found, wanted, strict=True), start=1):
        share = differing(picture, Image.open(path))
        picture.save(tmp_path / path.name)
        assert share <= _MOST, f"page {at} differs in {share:.2%} of its points: compare {tmp_path / path.name}"


def test_a_moved_line_would_be_seen(printer: LetterPrinter) -> None:
    facts = LETTERS["closing"]()
    changed = facts.model_copy(update={"subject_matter": "une virgule de plus"})
    [picture] = pictures(printer.print_letter(compose(changed)))
    assert differing(picture, Image.open(GOLDEN / "closing-1.png")) > 2 * _MOST
