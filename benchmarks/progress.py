"""amiable bench progress: N open cases going on by themselves, on SQLite and PostgreSQL.

Measured: a sweep that finds nothing to do, timing the cases of a changed playbook again (half of all), planning them
exactly, and taking steps. The peer is what a first version would do with the same rules and rows: it goes through the
open cases one by one through the ORM, a transaction each, and is measured on the first ones where it is slow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from app.core import db
from app.core.events import system
from benchmarks.databases import databases, fresh
from benchmarks.open_cases import write_cases
from benchmarks.report import Options, Report, Row
from disputes.actions import policies, progress
from disputes.models import Case
from disputes.playbook import Playbook, default_playbooks, retimed
from disputes.queries.due import anything_due
from disputes.reply_tokens import ReplyTokens
from disputes.rules_in_force import PLAYBOOK
from disputes.workhours import calendar_of

NOW = datetime(2026, 3, 11, 10, tzinfo=UTC)
_ACTOR, _TOKENS, _KEY = system("bench"), ReplyTokens(b"b" * 32), "dispute"
_LOOKS, _STEPS, _PEER_STEPS, _PEER_CASES = 50, 1_000, 50, 500


@dataclass(frozen=True)
class _Bench:
    """One database full of cases."""

    database: str
    sessions: sessionmaker[Session]
    size: int

    def timed(self, work: Callable[[Session], object]) -> float:
        """Seconds that a transaction of this work takes, its commit included."""
        started = perf_counter()
        with db.transaction(self.sessions) as session:
            work(session)
        return perf_counter() - started


def run(options: Options) -> Report:
    """Both databases, ours and the peer; the ratios are those of the database where we are slower."""
    rows: list[Row] = []
    for name, url in databases(options):
        with fresh(url) as engine:
            bench = _filled(name, engine, options.size)
            rows += [_ours(bench), _peer(bench)]
    ours = [row for row in rows if row["subject"] == "amiable"]
    peers = [row for row in rows if row["subject"] != "amiable"]
    ratios = {
        "sweep_idle_ms": max(row["sweep_idle_ms"] for row in ours),
        "retimed_per_s": min(row["retimed_per_s"] for row in ours),
        "steps_per_s": min(row["steps_per_s"] for row in ours),
    }
    for name in ("retimed_per_s", "steps_per_s"):
        ratios[f"{name}_vs_case_by_case"] = _least(ours, peers, name)
    return Report("progress", options.size, rows, ratios)


def _least(ours: list[Row], peers: list[Row], name: str) -> float:
    return min(round(float(mine[name] / theirs[name]), 2) for mine, theirs in zip(ours, peers, strict=True))


def _filled(name: str, engine: Engine, size: int) -> _Bench:
    bench = _Bench(name, db.session_factory(engine), size)
    bench.timed(lambda session: write_cases(session, size, now=NOW))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return bench


def _ours(bench: _Bench) -> dict[str, Any]:
    looks = [bench.timed(lambda session: anything_due(session, now=NOW)) for _ in range(_LOOKS)]
    idle = [bench.timed(lambda session: progress.take_due(session, now=NOW, tokens=_TOKENS)) for _ in range(_LOOKS)]
    retiming = _retime(bench)
    return {
        "subject": "amiable",
        "database": bench.database,
        "look_ms": round(median(looks) * 1_000, 2),
        "sweep_idle_ms": round(median(idle) * 1_000, 2),
        **retiming,
        "planned_per_s": _planned(bench),
        "steps_per_s": _steps(bench, min(_STEPS, bench.size // 2), limit=progress.BATCH),
    }


def _retime(bench: _Bench) -> dict[str, Any]:
    """A day more before every step: saved, and the cases timed again, in one transaction as the editor does it."""
    counted: list[int] = []

    def save(session: Session) -> None:
        policies.save(session, family=PLAYBOOK, key=_KEY, content=_slower(), actor=_ACTOR, now=NOW)
        counted.append(progress.retime_all(session, key=_KEY, actor=_ACTOR, now=NOW))

    seconds = bench.timed(save)
    return {"retimed": counted[0], "retime_s": round(seconds, 2), "retimed_per_s": round(counted[0] / seconds)}


def _slower() -> Mapping[str, Any]:
    content = default_playbooks()[_KEY].model_dump(mode="json")
    for step in content["steps"]:
        step["after"]["days"] += 1
    return content


def _planned(bench: _Bench) -> int:
    """Cases a second that the sweep plans exactly by the new version, nothing being due in them."""
    early = NOW - timedelta(days=2)  # the day after they were opened: every step is still to come
    count, seconds = 0, 0.0
    while count < min(_STEPS, bench.size // 2):
        started = perf_counter()
        with db.transaction(bench.sessions) as session:
            found = progress.take_due(session, now=early, tokens=_TOKENS)
        seconds += perf_counter() - started
        if not found:
            break
        count += found
    return round(count / seconds)


def _steps(bench: _Bench, count: int, *, limit: int) -> int:
    """Cases a second of which a step is taken: the owner of each query asked, with task, clock and events."""

    def make_due(session: Session) -> None:
        waiting = select(Case.id).where(Case.playbook == "query", Case.due_at > NOW).order_by(Case.id).limit(count)
        session.execute(update(Case).where(Case.id.in_(session.scalars(waiting).all())).values(due_at=NOW))

    bench.timed(make_due)
    taken, seconds = 0, 0.0
    while taken < count:
        started = perf_counter()
        with db.transaction(bench.sessions) as session:
            found = progress.take_due(session, now=NOW, tokens=_TOKENS, limit=limit)
        seconds += perf_counter() - started
        taken += found
    return round(taken / seconds)


def _peer(bench: _Bench) -> dict[str, Any]:
    idle = bench.timed(_look_at_all)
    count = min(_PEER_CASES, bench.size // 2)
    playbook = Playbook.model_validate(_slower())
    started = perf_counter()
    with db.transaction(bench.sessions) as session:
        ids = session.scalars(select(Case.id).where(Case.playbook == _KEY).order_by(Case.id).limit(count)).all()
    for case_id in ids:
        bench.timed(lambda session, case_id=case_id: _retime_one(session, case_id, playbook))  # type: ignore[misc] # bound now
    seconds = perf_counter() - started
    return {
        "subject": "case by case",
        "database": bench.database,
        "sweep_idle_ms": round(idle * 1_000, 2),
        "retimed": len(ids),
        "retime_s": round(seconds, 2),
        "retimed_per_s": round(len(ids) / seconds),
        "steps_per_s": _steps(bench, min(_PEER_STEPS, bench.size // 4), limit=1),
    }


def _look_at_all(session: Session) -> int:
    """Every open case as an object, to see whether something is due in it."""
    cases = session.scalars(select(Case).where(Case.state.in_(("new", "in_progress", "waiting"))))
    return sum(case.due_at is not None and case.due_at <= NOW for case in cases)


def _retime_one(session: Session, case_id: int, playbook: Playbook) -> None:
    case = session.get_one(Case, case_id, with_for_update=True)
    if case.next_step and case.step_from:
        calendar = calendar_of("FR")
        case.due_at = retimed(
            playbook, case.next_step, step_from=case.step_from, cycle=case.cycle, calendar=calendar
        )  # fmt: skip
