"""amiable bench letter_run: a run of N letters from its preview to the last PDF, by the jobs that do it in service.

On SQLite, where one process does it all but the printing. `preview_s` is looking at all accounts, `letters_per_s`
writing and printing on the clock; `doubled` and `missing` count letters beside one for each account.
"""

import resource
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import db
from app.core.events import system
from app.core.settings import Settings
from app.workflows import letters as job
from app.workflows.assembly import storing_context
from app.workflows.context import Context
from benchmarks.databases import fresh
from benchmarks.report import Options, Report, Row
from invoices.models import Account, Contact, Entity, Invoice
from letters.actions import runs
from letters.models import Letter, Run

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
_DUE, _CHUNK = date(2026, 2, 10), 1_000
_ACTOR = system("bench")


def run(options: Options) -> Report:
    """The ledger, the run, and what came of it."""
    url = f"sqlite:///{options.folder / 'run.db'}"
    with fresh(url) as engine:
        settings = Settings(database_url=url, data_folder=options.folder / "var")
        context = storing_context(settings, engine, clock=lambda: NOW)
        _ledger(context, options.size)
        began = perf_counter()
        number = _previewed(context)
        looked = perf_counter() - began
        began = perf_counter()
        _written(context, number)
        seconds = perf_counter() - began
        with db.transaction(context.sessions, read_only=True) as session:
            letters, customers = session.execute(
                select(func.count(), func.count(Letter.account_id.distinct())).where(Letter.content_hash.is_not(None))
            ).one()
    speed = round(letters / seconds, 2)
    row: Row = {
        "subject": "amiable",
        "preview_s": round(looked, 2),
        "letters_per_s": speed,
        "seconds": round(seconds, 1),
        "doubled": letters - customers,
        "missing": options.size - customers,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "printer_peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
    }
    return Report("letter_run", options.size, [row], {"letters_per_s": speed})


def _ledger(context: Context, size: int) -> None:
    """An entity and so many customers with one late invoice each."""
    for first in range(0, size, _CHUNK):
        with db.transaction(context.sessions) as session:
            entity = session.scalar(select(Entity)) or _entity(session)
            for place in range(first, min(size, first + _CHUNK)):
                _customer(session, entity, place)


def _entity(session: Session) -> Entity:
    made = Entity(code="B01", name="Bench SAS", mailbox="ar@bench.example", language="fr", country="FR", currency="EUR")
    session.add(made)
    session.flush()
    return made


def _customer(session: Session, entity: Entity, place: int) -> None:
    domain, street = f"customer{place}.example", f"{place} rue du Port\n13002 Marseille"
    account = Account(entity_id=entity.id, number=f"C{place:06}", name=f"Customer {place}", address=street)
    account.contacts = [Contact(name="Claire", email=f"buyer@{domain}", domain=domain)]
    session.add(account)
    session.flush()
    amount = Decimal(120 + place % 900)
    sums = {"net": amount, "gross": amount, "open_amount": amount, "currency": "EUR"}
    days = {"issued": date(2026, 1, 10), "due": _DUE}
    session.add(
        Invoice(entity_id=entity.id, account_id=account.id, number=f"FA-{place:07}", kind="invoice", **days, **sums)
    )


def _previewed(context: Context) -> int:
    with db.transaction(context.sessions) as session:
        entity = session.scalars(select(Entity)).one()
        number = runs.begin(session, entity_id=entity.id, name="All", actor=_ACTOR, now=NOW).id
    while _state(context, number) == "looking":
        job.go_on_with_runs(context)
    return number


def _written(context: Context, number: int) -> None:
    with db.transaction(context.sessions) as session:
        runs.start(session, run_id=number, actor=_ACTOR, now=NOW)
    while job.go_on_with_runs(context) + job.print_waiting(context):
        pass


def _state(context: Context, number: int) -> str:
    with db.transaction(context.sessions, read_only=True) as session:
        return session.get_one(Run, number).state
