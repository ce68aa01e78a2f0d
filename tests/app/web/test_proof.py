from hypothesis import given
from hypothesis import strategies as st

from app.web.proof import Mark, Piece, marked, proofs


def test_words_under_two_marks_carry_both() -> None:
    marks = [Mark(4, 20, "invoice-7", "evidence"), Mark(12, 26, "reason", "cue")]
    assert marked("The F2026-17 is wrong again", marks) == [
        Piece("The "),
        Piece("F2026-17", "invoice-7", "is-evidence"),
        Piece(" is wron", "invoice-7 reason", "is-evidence is-cue"),
        Piece("g agai", "reason", "is-cue"),
        Piece("n"),
    ]


def test_a_mark_outside_the_text_marks_nothing() -> None:
    assert marked("short", [Mark(3, 99, "reason", "cue"), Mark(-1, 2, "reason", "cue")]) == [Piece("short")]


spans = st.tuples(st.integers(-3, 60), st.integers(-3, 60), st.sampled_from(["invoice-1", "invoice-2", "reason"]))


@given(st.text(max_size=50), st.lists(spans, max_size=12))
def test_marking_never_changes_the_text(text: str, found: list[tuple[int, int, str]]) -> None:
    marks = [Mark(start, end, ref, "evidence") for start, end, ref in found]
    pieces = marked(text, marks)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces) or not text


def test_what_agrees_comes_first_and_what_disagrees_keeps_its_words() -> None:
    evidence = [
        {"what": "off_thread", "source": "thread", "bits": -1.5},
        {"what": "gross@q", "source": "quote", "bits": 3.0, "text": "1,200.00"},
        {"what": "full", "source": "new", "bits": 9.0, "text": "F2026-1"},
        {"what": "something_new", "source": "ledger", "bits": 0.5},
        {"what": "bias", "source": "ledger", "bits": 2.0},
        {"what": "letters", "source": "new", "bits": -1.1, "text": "F"},
        {"what": "open", "source": "ledger", "bits": -0.2, "text": ""},
    ]
    found = [(proof.agrees, proof.words, proof.place) for proof in proofs(evidence)]
    assert found == [
        (True, "Invoice number", ""),
        (True, "Total amount", "in the quoted part"),
        (False, "The conversation is about others", ""),
        (False, "Already settled", ""),
    ]
