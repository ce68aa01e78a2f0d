"""amiable bench match: the invoices of mails found in a ledger of N, beside four peers, mail by mail in one process.

`match_ms` is the processor's time for a whole mail, `lookup_ms` for one number as a person wrote it, both on SQLite
(of pg_trgm the clock's time: another process does the work). Precision and recall are over invoices; of ours over what
is taken for the best guess. `wrong_links` and `automatic` are about what is linked with nobody asked: peers link all
they find. `*_references` is the slice of mails that name their one invoice by number, which is all that peers can read.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import TypeVar

from sqlalchemy.orm import Session

from app.core import db, heap
from benchmarks.databases import fresh
from benchmarks.ledger_mails import Mail, made_up_mails
from benchmarks.match_peers import Everything, Exact, OpenList, Peer, trigrams
from benchmarks.numbered_ledgers import Ledger, write_ledger
from benchmarks.report import Options, Report, Row
from disputes.candidates import SqlIndex
from matching.facts import MailFacts, MatchDecision, MatchPolicy
from matching.hits import Mentions
from matching.matcher import anywhere, match
from matching.mentions import read_mail
from matching.scoring import default_weights

SMALL = 10_000
MAILS, WARM = 600, 30
SECONDS_A_PEER = 30.0  # RapidFuzz over millions takes seconds a mail
_POLICY = MatchPolicy()
_BINS = 10

T = TypeVar("T")


def run(options: Options) -> Report:
    """The ledger of 10,000 for ours alone, then that of `size` for all."""
    small = _small(options)
    ledger = Ledger(options.size)
    with _standing(options.folder, ledger) as (session, taken), trigrams(ledger, options.database) as by_trigrams:
        peers: list[Peer] = [Exact(session), OpenList(session), Everything(ledger)]
        ours, others = Ours(session, taken), [_Seen(peer) for peer in (*peers, *([by_trigrams] if by_trigrams else []))]
        clocks = {"pg_trgm on PostgreSQL": perf_counter}
        for place, mail in enumerate(made_up_mails(ledger, WARM + MAILS)):
            if place == WARM:
                heap.settle()
            ours.take(mail, counted=place >= WARM)
            for peer in others:
                if place >= WARM:
                    peer.take(mail, clocks.get(peer.peer.name, process_time))
    rows = [ours.row(options.size), *(peer.row(options.size) for peer in others)]
    return Report("match", options.size, rows, _ratios(small, rows))


def _small(options: Options) -> Row:
    ledger = Ledger(min(SMALL, options.size))
    with _standing(options.folder, ledger) as (session, taken):
        ours = Ours(session, taken)
        for place, mail in enumerate(made_up_mails(ledger, WARM + MAILS)):
            ours.take(mail, counted=place >= WARM)
    return ours.row(ledger.size)


@contextmanager
def _standing(folder: Path, ledger: Ledger) -> Iterator[tuple[Session, int]]:
    """A session on a SQLite file with the ledger, and the bytes of its indexes."""
    with fresh(f"sqlite:///{folder / f'match-{ledger.size}.db'}") as engine:
        taken = write_ledger(engine, ledger)
        with db.transaction(db.session_factory(engine), read_only=True) as session:
            yield session, taken


def _ratios(small: Row, rows: Sequence[Row]) -> dict[str, float]:
    ours = rows[0]
    peer = next(row for row in rows if row["subject"] == Everything.name)
    return {
        "lookup_p50_vs_rapidfuzz": round(peer["lookup_ms_p50"] / ours["lookup_ms_p50"], 1),
        "lookup_p95_vs_rapidfuzz": round(peer["lookup_ms_p95"] / ours["lookup_ms_p95"], 1),
        "growth_10k_to_max": round(ours["lookup_ms_p50"] / small["lookup_ms_p50"], 2),
        "match_growth_10k_to_max": round(ours["match_ms_p50"] / small["match_ms_p50"], 2),
    }


@dataclass
class _Tally:
    """Links made, right ones, and those that should be there."""

    made: int = 0
    right: int = 0
    meant: int = 0

    def add(self, made: set[int], meant: frozenset[int]) -> None:
        """One mail."""
        self.made += len(made)
        self.right += len(made & meant)
        self.meant += len(meant)

    @property
    def precision(self) -> float:
        """Of the links made, the share that is right."""
        return round(self.right / self.made, 4) if self.made else 1.0

    @property
    def recall(self) -> float:
        """Of the links that should be there, the share that is."""
        return round(self.right / self.meant, 4) if self.meant else 1.0


@dataclass
class _Seen:
    """A peer with what it did and how long it took; it stops when its time is over."""

    peer: Peer
    matches: list[float] = field(default_factory=list)
    lookups: list[float] = field(default_factory=list)
    all: _Tally = field(default_factory=_Tally)
    references: _Tally = field(default_factory=_Tally)

    def take(self, mail: Mail, clock: Callable[[], float]) -> None:
        """One mail, and its number alone where it has one."""
        if sum(self.matches) + sum(self.lookups) > SECONDS_A_PEER:
            return
        found, seconds = _timed(lambda: self.peer.find(mail.facts), clock)
        self.matches.append(seconds)
        self.all.add(found, mail.meant)
        if mail.written:
            self.references.add(found, mail.meant)
            self.lookups.append(_timed(lambda: self.peer.look_up(mail.written, mail.facts), clock)[1])

    def row(self, size: int) -> Row:
        """The peer's figures."""
        return {
            "subject": self.peer.name,
            "mails": len(self.matches),
            **_spread("match_ms", self.matches),
            **_spread("lookup_ms", self.lookups),
            **_quality(self.all, self.references),
            "wrong_links": round(1 - self.all.precision, 4),
            "bytes_an_invoice": round(self.peer.bytes / size, 1),
        }


class Ours:
    """The matcher on a session: what it linked, with what probability, and how long it took."""

    def __init__(self, session: Session, taken: int) -> None:
        self._session, self._taken, self._weights = session, taken, default_weights()
        self.matches: list[float] = []
        self.lookups: list[float] = []
        self._all, self._references, self._automatic = _Tally(), _Tally(), _Tally()
        self._alone, self._about = 0, 0
        self._chances: list[tuple[float, bool]] = []

    def take(self, mail: Mail, *, counted: bool) -> None:
        """One mail, and its number alone where it has one."""
        decision, seconds = _timed(lambda: self.decide(mail.facts), process_time)
        looked = _timed(lambda: self.look_up(mail), process_time)[1] if mail.written else None
        if not counted:
            return
        self.matches.append(seconds)
        self.lookups += [looked] if looked is not None else []
        self._count(decision, mail)

    def decide(self, mail: MailFacts) -> MatchDecision:
        """The whole match of a mail, as the mailroom asks for it."""
        return match(mail, SqlIndex(self._session), policy=_POLICY, weights=self._weights)

    def look_up(self, mail: Mail) -> list[int]:
        """The invoices of a number as it was written: read, looked up by the keys of matching, lines and all."""
        alone = replace(mail.facts, subject="", new_text=mail.written, signature="")
        keys = anywhere(alone, Mentions(read_mail(alone)), ())
        return [one.id for one in SqlIndex(self._session).invoices(replace(keys, po=(), order=(), delivery=()))]

    def _count(self, decision: MatchDecision, mail: Mail) -> None:
        likely = {link.invoice_id for link in decision.likely}
        automatic = {link.invoice_id for link in decision.links if link.state == "auto"}
        self._all.add(likely, mail.meant)
        self._automatic.add(automatic, mail.meant)
        if mail.written:
            self._references.add(likely, mail.meant)
        self._about += bool(mail.meant)
        self._alone += bool(mail.meant) and automatic >= mail.meant
        self._chances += [(link.probability, link.invoice_id in mail.meant) for link in decision.links]

    def row(self, size: int) -> Row:
        """Our figures."""
        return {
            "subject": "amiable",
            "mails": len(self.matches),
            **_spread("match_ms", self.matches),
            **_spread("lookup_ms", self.lookups),
            **_quality(self._all, self._references),
            "wrong_links": round(1 - self._automatic.precision, 4),
            "bytes_an_invoice": round(self._taken / size, 1),
            "automatic": round(self._alone / max(1, self._about), 4),
            "calibration_error": calibration_error(self._chances),
        }


def calibration_error(chances: Sequence[tuple[float, bool]]) -> float:
    """How far probabilities are from the shares that are right, over ten bins, weighted by how many are in each."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for chance, right in chances:
        bins[min(_BINS - 1, int(chance * _BINS))].append((chance, right))
    gaps = (abs(sum(chance for chance, _ in one) - sum(right for _, right in one)) for one in bins)
    return round(sum(gaps) / max(1, len(chances)), 4)


def _timed(work: Callable[[], T], clock: Callable[[], float]) -> tuple[T, float]:
    started = clock()
    found = work()
    return found, clock() - started


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    if len(seconds) < 2:  # noqa: PLR2004 - quantiles need two
        return {f"{name}_p50": 0.0, f"{name}_p95": 0.0}
    return {
        f"{name}_p50": round(median(seconds) * 1_000, 3),
        f"{name}_p95": round(quantiles(seconds, n=20)[-1] * 1_000, 3),
    }


def _quality(every: _Tally, references: _Tally) -> dict[str, float]:
    return {
        "precision": every.precision,
        "recall": every.recall,
        "precision_references": references.precision,
        "recall_references": references.recall,
    }
