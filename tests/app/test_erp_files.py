"""Ledger files: JSON, NDJSON and CSV through `amiable erp import`."""

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.cli import app
from app.cli.erp import COMMIT_EVERY, Importer
from app.connectors import erp_json
from app.connectors.erp import Raw as AnyRaw
from app.connectors.erp import entities_in, import_ledger, prepare_raw, read_documents, read_lines
from app.connectors.erp_csv import BadCsv, read_csv, sheet_of
from app.connectors.erp_json import NotJson, read_json
from app.connectors.erp_processes import prepare_batches, processes_for
from app.core.events import system
from invoices import actions
from invoices.actions import Row
from invoices.feed import Refused, read
from invoices.models import Account, Allocation, Contact, Invoice, InvoiceLine, Payment, Push
from tests.databases import Database
from tests.invoices.documents import NOW, Raw, account, entity, invoice, payment

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "dev" / "ledger.json"

CSV = {
    "entities.csv": "id,name,country,currency,mailbox\nFR01,Vins du Sud,FR,EUR,ar@vins.example\n",
    "accounts.csv": 'entity;account;name;terms_days;group;address\nFR01;C1;Bodega Ruiz;30;KEY;"Calle 1\nVigo"\n',
    "contacts.csv": "entity,account,name,email\nFR01,C1,Ana,ana@bodega.example\nFR01,C1,Luis,luis@bodega.example\n",
    "invoices.csv": (
        "entity,number,account,issued,due,currency,net,gross,open,po,version\n"
        "FR01,A1,C1,2026-01-15,2026-02-14,EUR,100.00,120.00,120.00,PO 1,1\n"
        "FR01,A2,C1,2026-01-15,2026-02-14,EUR,100.00,90.00,0,,1\n"
    ),
    "lines.csv": (
        "entity,number,sku,quantity,unit_price\nFR01,A1,R-1,2,30.00\nFR01,A1,R-2,1,40.00\nFR01,A9,R-2,1,40.00\n"
    ),
    "payments.csv": (
        "entity,reference,account,currency,received,amount,invoices\nFR01,V1,C1,EUR,2026-02-20,50.00,A1|A2\n"
    ),
    "allocations.csv": "entity,reference,invoice,amount\nFR01,V1,A1,50.00\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database) -> Path:
    """A working folder whose `amiable` uses the test's database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMIABLE_DATABASE_URL", database.url)
    return tmp_path


def run(*arguments: object) -> Raw:
    """`amiable erp import ... --json`, which must end well."""
    result = CliRunner().invoke(app, ["erp", "import", *map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: Raw = json.loads(result.stdout)
    return found


def count(database: Database, model: type) -> int:
    with database.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_csv_files_come_in_together_with_their_parts(folder: Path, database: Database) -> None:
    for name, text in CSV.items():
        (folder / name).write_text(text, encoding="utf-8")
    result = run(*(folder / name for name in reversed(CSV)))
    assert (result["created"], result["refused"]) == (4, 2)
    assert [count(database, model) for model in (Account, Contact, Invoice, InvoiceLine, Payment)] == [1, 2, 1, 2, 1]
    with database.transaction() as session:
        assert session.scalars(select(Account.address)).one() == "Calle 1\nVigo"
        assert dict(session.execute(select(Allocation.invoice_number, Allocation.amount)).all()) == {
            "A1": 50,
            "A2": None,
        }
    refused = [json.loads(line) for line in Path(result["refused_rows"]).read_text(encoding="utf-8").splitlines()]
    assert [(row["type"], row["number"], row["field"]) for row in refused] == [
        ("invoice", "A2", "gross"),
        ("invoice", "A9", "lines"),
    ]


def test_ndjson_may_be_repeated(folder: Path, database: Database) -> None:
    file = folder / "march.ndjson"
    file.write_text("\n".join(map(json.dumps, (invoice(), entity(), account(), payment()))), encoding="utf-8")
    assert run(file)["created"] == 4
    assert run(file)["unchanged"] == 4
    assert count(database, Push) == 2


def test_refused_rows_fail_only_a_strict_import(folder: Path) -> None:
    file = folder / "march.json"
    file.write_text(json.dumps([entity(), invoice(net="1")]), encoding="utf-8")
    result = run(file, "--refused", folder / "bad.ndjson")
    assert (result["refused"], result["refused_rows"]) == (1, str(folder / "bad.ndjson"))
    row = json.loads((folder / "bad.ndjson").read_text(encoding="utf-8"))
    assert (row["file"], row["document"], row["field"]) == ("march.json", 2, "net")
    strict = CliRunner().invoke(app, ["erp", "import", str(file), "--strict"])
    assert strict.exit_code == 1


@pytest.mark.parametrize("name", ["absent.json", "ledger.xlsx", "odd.csv"])
def test_a_file_that_cannot_be_read_is_one_clear_error(folder: Path, name: str) -> None:
    if name != "absent.json":
        (folder / name).write_text("x")
    result = CliRunner().invoke(app, ["erp", "import", name])
    assert result.exit_code == 1
    assert name in str(result.exception)


def test_a_stopped_import_keeps_what_was_committed(database: Database) -> None:
    actor = system("import")
    with database.transaction() as session:
        push_id = actions.begin(session, actor=actor, now=NOW).id
    rows = prepare_raw([entity(), *({**invoice(number=f"A{n}"), "lines": []} for n in range(COMMIT_EVERY))], NOW.date())
    half = prepare_raw([invoice(number="half")], NOW.date())
    with pytest.raises(KeyboardInterrupt):
        stopped_after(Importer(database.sessions, push_id, actor, NOW), rows, half)
    assert count(database, Invoice) == COMMIT_EVERY
    with database.transaction() as session:
        assert session.get_one(Push, push_id).counts == {}


def stopped_after(importer: Importer, *batches: list[Row | Refused]) -> None:
    with importer:
        for rows in batches:
            importer.write(rows)
        raise KeyboardInterrupt


def test_the_development_ledger_comes_in_whole(database: Database) -> None:
    if not CORPUS.exists():
        pytest.skip("the development corpus is not beside this checkout")
    with database.transaction() as session:
        outcomes = import_ledger(session, path=CORPUS, actor=system("test"), now=datetime(2026, 10, 15, tzinfo=UTC))
    assert len(outcomes) == 2611
    assert {outcome.status for outcome in outcomes} == {"created"}


def test_entities_are_found_wherever_they_are() -> None:
    lines = [json.dumps(one).encode() for one in (invoice(), entity(), account(), entity(id="UK01"))]
    assert list(entities_in(lines, date(2026, 3, 2))) == [1, 3]
    assert list(entities_in([invoice(), entity()], date(2026, 3, 2))) == [1]


def test_other_processes_prepare_the_same_rows_in_order() -> None:
    batches: list[list[AnyRaw]] = [
        [json.dumps(invoice(number=f"A{batch}{place}")).encode() for place in range(3)] for batch in range(7)
    ]
    alone = list(prepare_batches(batches, today=NOW.date(), processes=0))
    assert list(prepare_batches(batches, today=NOW.date(), processes=1)) == alone


def test_small_files_are_not_worth_a_process() -> None:
    assert processes_for(1_000) == 0


@given(
    st.lists(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())))
)
def test_json_is_read_as_the_standard_library_reads_it(documents: list[Raw]) -> None:
    text = json.dumps(documents, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
    try:
        text.decode()
    except UnicodeDecodeError:
        return
    assert list(read_json(io.BytesIO(text), limit=1_000_000)) == documents


def test_json_is_read_across_the_windows_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erp_json, "_CHUNK", 7)
    documents = [invoice(number=f"É{place}") for place in range(5)]
    for content in (documents, {"documents": documents}, {"today": "x", "invoices": documents, "payments": []}):
        text = json.dumps(content, ensure_ascii=False).encode()
        assert list(read_json(io.BytesIO(text), limit=10_000)) == documents


def test_a_document_over_the_limit_ends_the_reading() -> None:
    text = json.dumps([{"a": "x" * 600_000}]).encode()
    with pytest.raises(NotJson):
        list(read_json(io.BytesIO(text), limit=1_000))


def test_lines_are_cut_at_the_limit_and_a_byte_order_mark_is_no_content() -> None:
    stream = io.BytesIO(b"\xef\xbb\xbf{}\r\n\n" + b"x" * 50 + b"\n" + b"{}")
    found = list(read_lines(stream, limit=20))
    assert (found[0], found[2]) == (b"{}", b"{}")
    assert isinstance(found[1], Refused)


def test_json_values_that_are_no_objects_are_refused_alone() -> None:
    found = list(read_documents(io.BytesIO(b'[1, {"type": "entity"}, null]'), ndjson=False, limit=1_000))
    assert [isinstance(one, Refused) for one in found] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "type_", "sheet"),
    [
        ("invoices-2026-03.csv", None, "invoices"),
        ("Customers.csv", None, "customers"),
        ("export.csv", "credit_note", "credit_notes"),
        ("export.csv", "payment", "payments"),
        ("export.csv", "lines", "lines"),
    ],
)
def test_a_csv_is_known_by_its_name_or_type(name: str, type_: str | None, sheet: str) -> None:
    assert sheet_of(Path(name), type_) == sheet


def opened(text: bytes) -> "io.BytesIO":
    return io.BytesIO(text)


def rows_of(text: bytes, sheet: str = "entities") -> list[object]:
    return list(read_csv({Path(f"{sheet}.csv"): sheet}, lambda _path: opened(text)))


def test_a_csv_row_is_refused_alone() -> None:
    found = rows_of(b"\xef\xbb\xbfid\tname\nA\tVins\tmore\nB\tVins\n")
    assert isinstance(found[0], Refused)
    assert found[1] == {"type": "entity", "id": "B", "name": "Vins"}


def test_an_empty_cell_is_a_missing_field() -> None:
    document = rows_of(b"id,name,country,currency\nA,,FR,EUR\n")[0]
    found = read(document)  # type: ignore[arg-type] # what read_csv gives is read next
    assert isinstance(found, Refused)
    assert (found.field, found.reason) == ("name", "is missing")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"id,colour\nA,red\n", "unknown columns colour"),
        (b"", "unknown columns"),
        ("id,name\nA,Été\n".encode("cp1252"), "not UTF-8"),
    ],
)
def test_a_csv_of_other_columns_or_encoding_is_refused_whole(text: bytes, words: str) -> None:
    with pytest.raises(BadCsv, match=words):
        rows_of(text)


def test_parts_need_their_documents() -> None:
    with pytest.raises(BadCsv, match="give the file of the accounts with it"):
        rows_of(b"entity,account\n", "contacts")
