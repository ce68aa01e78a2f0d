import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.references import number_keys
from matching.text import clean, fold
from matching.windows import NumberRange, Window, find_windows


def read(text: str) -> tuple[list[Window], list[NumberRange]]:
    return find_windows(fold(clean(text)), [])


def plain(text: str) -> set[int]:
    return {window.plain for window in read(text)[0]}


@pytest.mark.parametrize(
    "written",
    ["FA-2026-00702", "fa 2026/702", "FA202600702", "FA 702/2026", "702/26", "FA2O26-OO7O2", "2026 - 00702"],
)
def test_spellings_of_one_number_share_a_key(written: str) -> None:
    keys = number_keys("FA-2026-00702")
    windows, _ = read(written)
    assert any(keys.kd in window.kd or keys.kc in window.kc for window in windows)


@pytest.mark.parametrize("written", ["INV 104 697", "104-697", "1046 97", "INV\n104697", "lO4697"])
def test_a_number_may_be_broken_by_blanks_and_lines(written: str) -> None:
    assert 104697 in plain(written)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("vos FA 1364, 66, 70 et 95", {1364, 1366, 1370, 1395}),
        ("104507, 510 and 541", {104507, 104510, 104541}),
        ("INV 104 697, -703 and -705", {104697, 104703, 104705}),
        ("Rechnungen 4886 und 916", {4886, 4916}),
        ("facturas 1376 y 83", {1376, 1383}),
        ("fatture 1376 e 83", {1376, 1383}),
        ("facturen 875 en 903", {875, 903}),
    ],
)
def test_lists_complete_their_short_numbers(text: str, numbers: set[int]) -> None:
    assert numbers <= plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "invoices 1201 to 1207",
        "les factures 1201 à 1207",
        "Rechnungen 1201 bis 1207",
        "facturas 1201 a 1207",
        "fatture dalla 1201 alla 1207",
        "facturen 1201 tot 1207",
        "invoices 1201-1207",
        "FA-2026-01201 à la FA-2026-01207",
        "invoices 1201 to 07",
    ],
)
def test_ranges_in_six_languages(text: str) -> None:
    spans = read(text)[1]
    assert [(each.low, each.high) for each in spans] == [(1201, 1207)]


@pytest.mark.parametrize("text", ["2026-04", "from 10 to 12 pallets", "FA-2025-00261", "1201, 1207"])
def test_what_is_no_range_is_none(text: str) -> None:
    assert not read(text)[1]


def test_the_kind_of_document_is_told_by_the_words_before() -> None:
    windows, _ = read("commande 71805, bon de livraison BL8050, facture 1332, dossier 10448")
    cues = {window.plain: window.cue for window in windows if window.joined == 1 and not window.folded}
    assert cues == {71805: "po", 8050: "delivery", 1332: "invoice", 10448: "other"}


def test_part_of_a_longer_string_of_numbers_is_marked() -> None:
    windows, _ = read("Schadennummer 88-2026-05039-7")
    assert all(window.inside for window in windows if window.plain == 5039)


def test_masked_digits_are_no_number() -> None:
    text = "TEL 0142000000 FA 1332"
    assert {window.plain for window in find_windows(text, [(4, 14)])[0]} == {1332}


@given(st.text(alphabet="FAO0123456789 -/,.\nET", max_size=120))
def test_any_digits_are_read_without_error(text: str) -> None:
    windows, _ = read(text)
    folded = fold(clean(text))
    assert all(0 <= window.start < window.end <= len(folded) for window in windows)
    assert len(windows) <= 12 * (len(text) + 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PODs for 806656-58 please", [(806656, 806658)]),
        ("Op 24700330-31 staat 30 dagen", [(24700330, 24700331)]),
        ("Per 147-150 serve il certificato", [(147, 150)]),
        ("tel 120-480", []),
        ("2025-26", []),
        ("12-14 rue de Paris", []),
    ],
)
def test_close_numbers_with_a_dash_are_a_range_unannounced(text: str, expected: list[tuple[int, int]]) -> None:
    ranges = read(text)[1]
    assert [(each.low, each.high) for each in ranges] == expected
    assert not any(each.cued for each in ranges)
