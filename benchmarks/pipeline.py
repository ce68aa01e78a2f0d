"""amiable bench pipeline: whole mails through the mailroom, with a ledger of N invoices, on SQLite, one core.

A mail of 29 KB (text, HTML, a picture in the signature) is stored and then worked as the worker does it: parsed,
matched, threaded, understood, routed, acknowledged, all committed. The clock counts, not only the processor's time.
Half of the mails open cases, the other half answer one of the mails before. `profile` names where the time went.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from random import Random
from time import perf_counter, process_time

from app.core import db, heap
from app.core.settings import Settings
from app.workflows.assembly import context_of
from app.workflows.context import Context
from app.workflows.mail_jobs import work_one
from benchmarks import sampling
from benchmarks.databases import fresh
from benchmarks.ledger_mails import Mail, made_up_mails
from benchmarks.numbered_ledgers import LANGUAGES, Ledger, write_ledger
from benchmarks.report import Options, Report, Row
from disputes.actions.intake import receive

MAIL_BYTES = 29_000
MAILS, WARM = 300, 40
_ANSWERED = 0.5
NOW = datetime(2026, 1, 20, 9, tzinfo=UTC)
_TOP = 40


def run(options: Options) -> Report:
    """The mails stored and worked one after the other; then as many more, looked at while they are."""
    ledger = Ledger(options.size)
    settings = Settings(database_url=f"sqlite:///{options.folder / 'pipeline.db'}", data_folder=options.folder / "data")
    raws = made_up_raws(list(made_up_mails(ledger, WARM + 2 * MAILS)))
    with fresh(settings.database_url) as engine:
        write_ledger(engine, ledger)
        context = context_of(settings, engine, worker="bench", clock=lambda: NOW)
        room = _Room(context)
        room.work(raws[:WARM])
        heap.settle()
        seconds, cpu, slowest = room.timed(raws[WARM : WARM + MAILS])
        profile = _profiled(lambda: room.work(raws[WARM + MAILS :]), cpu)
    row: Row = {
        "subject": "amiable",
        "mails": MAILS,
        "mails_per_s_core": round(MAILS / cpu, 1),
        "mails_per_s": round(MAILS / seconds, 1),
        "cpu_ms": round(cpu * 1_000 / MAILS, 2),
        "slowest_ms": round(slowest * 1_000, 1),
        "worked": room.worked,
    }
    return Report("pipeline", options.size, [row, *profile], {"mails_per_s_core": row["mails_per_s_core"]})


class _Room:
    """The mailroom of one process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.worked = 0
        self._count = 0

    def work(self, raws: Sequence[bytes]) -> float:
        """Store and work mails; gives the seconds of the slowest."""
        slowest = 0.0
        for raw in raws:
            started = perf_counter()
            self.worked += work_one(self._context, self._store(raw)) == "worked"
            slowest = max(slowest, perf_counter() - started)
        return slowest

    def timed(self, raws: Sequence[bytes]) -> tuple[float, float, float]:
        """Seconds on the clock, of the processor, and of the slowest mail."""
        started, used = perf_counter(), process_time()
        slowest = self.work(raws)
        return perf_counter() - started, process_time() - used, slowest

    def _store(self, raw: bytes) -> int:
        self._count += 1
        with db.transaction(self._context.sessions) as session:
            return receive(
                session,
                raw=raw,
                source="file",
                source_ref=f"{self._count}.eml",
                mailbox=None,
                blobs=self._context.blobs,
                limits=self._context.settings.limits,
                received_at=NOW,
                now=NOW,
            ).message_id


def _profiled(work: Callable[[], object], cpu: float) -> list[Row]:
    """Where the time goes: our own functions by what they and all they call took."""
    found = sampling.shares(work, packages=("app", "disputes", "invoices", "matching"))
    rows: list[Row] = [
        {"subject": f"  in {name}", "share": round(share, 3), "cpu_ms": round(share * cpu * 1_000 / MAILS, 2)}
        for name, share in found.items()
    ]
    return rows[:_TOP]


def made_up_raws(mails: Sequence[Mail], *, seed: int = 5) -> list[bytes]:
    """The mails as bytes of 29 KB, each new or an answer to one before."""
    chance = Random(seed)
    picture, found, sent = chance.randbytes(13_000), [], list[tuple[str, Mail]]()
    for place, mail in enumerate(mails):
        answered = chance.choice(sent[-200:]) if sent and chance.random() < _ANSWERED else None
        rfc_id = f"<mail-{place}@bench.example>"
        found.append(_raw(mail, rfc_id, answered, place, picture))
        sent.append((rfc_id, answered[1] if answered else mail))
    return found


def _raw(mail: Mail, rfc_id: str, answered: tuple[str, Mail] | None, place: int, picture: bytes) -> bytes:
    """An answer comes from whom the first mail was from, with that one quoted below."""
    first = answered[1].facts if answered else mail.facts
    message = EmailMessage()
    message["From"] = f"{first.from_name} <{first.from_email}>"
    message["To"] = f"ar@bench-{LANGUAGES[first.entity_ids[0] - 1]}.example"
    message["Subject"] = f"Re: {first.subject}" if answered else f"{first.subject} {place}"
    message["Date"] = format_datetime(NOW - timedelta(seconds=len(rfc_id) + place % 600))
    message["Message-ID"] = rfc_id
    if answered:
        message["In-Reply-To"] = message["References"] = answered[0]
    text = f"{first.new_text}\n{first.signature}" if not answered else _answer(first.new_text, first.signature)
    message.set_content(text)
    message.add_alternative(_html(text, MAIL_BYTES - 18_500 - 3 * len(text)), subtype="html")
    message.get_payload()[1].add_related(picture, "image", "png", cid="<logo>")  # type: ignore[union-attr,index] # what was just built has parts
    return message.as_bytes()


def _answer(text: str, signature: str) -> str:
    quoted = "\n".join(f"> {line}" for line in text.splitlines())
    return (
        f"Hello,\n\nany news on this? Please answer by Friday.\n\n{signature}\nOn 19 Jan 2026, you wrote:\n{quoted}\n"
    )


def _html(text: str, filler: int) -> str:
    """As mail programs write it: styles that nobody sees, a paragraph a line."""
    styles = "p.MsoNormal {margin:0cm;font-size:11.0pt;font-family:Calibri,sans-serif;}\n" * max(1, filler // 76)
    body = "".join(f'<p class="MsoNormal">{line or "&nbsp;"}</p>' for line in text.splitlines())
    return f"<html><head><style>{styles}</style></head><body>{body}<img src='cid:logo'></body></html>"
