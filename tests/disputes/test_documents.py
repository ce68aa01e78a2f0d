"""Text of attached documents: DOCX beside PDF and XLSX, in the process that may be ended (M24, S9, S10)."""

import io
import zipfile

import pytest

from disputes.documents import DocumentText, Patience, kind_of, read_document

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def docx(body: str, **parts: str) -> bytes:
    """A text document with this body and further parts of it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>')
        for name, words in parts.items():
            archive.writestr(f"word/{name}.xml", f'<w:hdr xmlns:w="{WORD}">{paragraph(words)}</w:hdr>')
    return file.getvalue()


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(f'<w:r><w:t>{run}</w:t></w:r>' for run in runs)}</w:p>"


def read(payload: bytes) -> DocumentText:
    return read_document("word", payload, charset=None, limit=10_000, patience=Patience(seconds=10.0))


@pytest.mark.parametrize(("content_type", "name"), [(TYPE, "x"), ("application/octet-stream", "Claim.DOCX")])
def test_m24_a_text_document_is_known_by_its_type_or_name(content_type: str, name: str) -> None:
    assert kind_of(content_type, name, docx("")) == "word"
    assert kind_of("application/zip", "x.zip", docx("")) == ""


def test_m24_paragraphs_cells_and_headers_are_read_runs_joined() -> None:
    table = f"<w:tbl><w:tr><w:tc>{paragraph('F2026-')}</w:tc><w:tc>{paragraph('120,00')}</w:tc></w:tr></w:tbl>"
    found = read(docx(paragraph("Invoice F2026", "-00417 is wrong.") + table, header1="Boulangerie Keller"))
    assert found.text.split("\n") == ["Boulangerie Keller", "Invoice F2026-00417 is wrong.", "F2026-", "120,00"]
    assert found.trouble == ""


def test_s9_a_document_type_is_refused_and_what_is_no_document_is_said_to_be_none() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr(
            "word/document.xml",
            f'<!DOCTYPE d [<!ENTITY a "aaaa">]><w:document xmlns:w="{WORD}"><w:p><w:t>&a;</w:t></w:p></w:document>',
        )
    assert (read(bomb.getvalue()).text, read(bomb.getvalue()).trouble) == ("", "TooMuchError")
    assert read(b"PK no zip").trouble == "BadZipFile"


def test_s10_a_document_that_unpacks_to_too_much_is_not_read() -> None:
    assert read(docx(paragraph("a" * 31_000_000))).trouble == "TooMuchError"
    assert read(docx(paragraph("still here"))).text == "still here"
