"""Writing one family of documents, a batch at a time: look up, judge, write, keep the change as an event."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, false, null, type_coerce
from sqlalchemy.orm import Session

from app.core.db import ScaledDecimal
from app.core.events import Actor, Change, record_many
from invoices.actions import bulk
from invoices.actions.outcomes import Outcome
from invoices.actions.rows import ACCOUNTS, Family, Row, shown
from invoices.actions.verdicts import CREATED, Known, Verdict, decide

Key = tuple[int, str]
"""An entity's id (0 for entities themselves) and a document's number."""

FROM_ERP = ("version", "fingerprint", "push_id")


@dataclass(frozen=True)
class Writing:
    """Who writes, when, and for which push."""

    push_id: int
    actor: Actor
    now: datetime


class Placed(NamedTuple):
    """A row with its place in the batch, what names it in its table and, where it has one, its account."""

    place: int
    row: Row
    key: Key
    account_id: int | None


class Plan(NamedTuple):
    """What to do with a batch: a verdict for each document, and the rows that stand at its end."""

    verdicts: list[tuple[Placed, Verdict]]
    writes: dict[Key, Placed]


@dataclass(frozen=True)
class Work:
    """A judged batch of one family on its way into the database: what was there, and the ids of all its rows."""

    session: Session
    family: Family
    known: Mapping[Key, Known]
    ids: Mapping[Key, int]
    writing: Writing

    def id_of(self, item: Placed) -> int:
        """The id of a document's row, old or new."""
        return self.ids[item.key]


def write(session: Session, family: Family, placed: Sequence[Placed], *, writing: Writing) -> dict[int, Outcome]:
    """Bring the documents of one family into the ledger; the outcomes by their place in the batch."""
    known = look_up(session, family, {item.key for item in placed})
    plan = judge(family, placed, known, push_id=writing.push_id)
    fresh = [key for key in plan.writes if key not in known]
    ids = {key: row.id for key, row in known.items()}
    ids |= zip(fresh, bulk.reserve_ids(session, family.table, len(fresh)), strict=True)
    _write_rows(Work(session, family, known, ids, writing), list(plan.writes.values()))
    return {item.place: _outcome(family, item, verdict, ids) for item, verdict in plan.verdicts}


def look_up(session: Session, family: Family, keys: Collection[Key]) -> dict[Key, Known]:
    """What the ledger holds under these keys: one query an entity."""
    numbers: dict[int, list[str]] = defaultdict(list)
    for scope, number in keys:
        numbers[scope].append(number)
    found: dict[Key, Known] = {}
    for scope, wanted in numbers.items():
        key = family.table.c[family.key]
        query = bulk.with_keys(session, [key, *_known_columns(family)], key, wanted, scope)
        for row in session.execute(query):
            found[scope, row[0]] = Known._make((*row[1:_FACTS], tuple(row[_FACTS:])))
    return found


def _known_columns(family: Family) -> list[ColumnElement[Any]]:
    """id, version, fingerprint, push_id, pending, account_id, then the watched columns as stored."""
    columns = family.table.c
    pending: ColumnElement[Any] = columns.pending if "pending" in columns else false()
    owner: ColumnElement[Any] = columns.account_id if family.owned else null()
    base = [columns.id, columns.version, columns.fingerprint, columns.push_id, pending, owner]
    return [*base, *(_as_stored(columns[name]) for name in family.watched)]


def _as_stored(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(column, BigInteger) if isinstance(column.type, ScaledDecimal) else column


_FACTS = 1 + 6  # the number and the fields of Known before `watched`


def judge(family: Family, placed: Sequence[Placed], known: Mapping[Key, Known], *, push_id: int) -> Plan:
    """Judge a batch in its order: a document sees those before it. Pure."""
    current = dict(known)
    verdicts: list[tuple[Placed, Verdict]] = []
    writes: dict[Key, Placed] = {}
    repeats = len({item.key for item in placed}) < len(placed)
    for item in placed:
        before = current.get(item.key)
        verdict = _verdict(family, item.row, before, push_id)
        verdicts.append((item, verdict))
        if verdict.write:
            writes[item.key] = item
        if repeats and verdict.status not in {"refused", "stale"}:
            current[item.key] = _as_known(family, item, before, verdict, push_id)
    return Plan(verdicts, writes)


def _verdict(family: Family, row: Row, before: Known | None, push_id: int) -> Verdict:
    if before is None:
        return CREATED
    fixed = _fixed_verdict(family, row, before)
    return fixed or decide(before, version=row.version, fingerprint=row.fingerprint, push_id=push_id)


def _fixed_verdict(family: Family, row: Row, before: Known) -> Verdict | None:
    """A number that names an invoice cannot name a credit note as well."""
    for name in family.fixed:
        stored = before.watched[family.watched.index(name)]
        if stored != row.values[family.columns.index(name)]:
            return Verdict("refused", write=False, reason=f"is already the number of another document ({stored})")
    return None


def _as_known(family: Family, item: Placed, before: Known | None, verdict: Verdict, push_id: int) -> Known:
    row = item.row
    watched = tuple(row.values[family.columns.index(name)] for name in family.watched)
    version = row.version if verdict.write or before is None else before.version
    return Known(before.id if before else 0, version, row.fingerprint, push_id, False, item.account_id, watched)  # noqa: FBT003 - `pending`, by place for speed


def _write_rows(work: Work, items: Sequence[Placed]) -> None:
    fresh = [item for item in items if item.key not in work.known]
    stored = [item for item in items if item.key in work.known]
    renewed = [item for item in stored if _same(work.known[item.key], item)]
    altered = [item for item in stored if not _same(work.known[item.key], item)]
    _insert(work, fresh)
    _update(work, altered)
    _renew(work, renewed)
    _write_parts(work, fresh, altered)
    _keep_changes(work, altered)


def _same(before: Known, item: Placed) -> bool:
    return before.fingerprint == item.row.fingerprint and not before.pending


def _insert(work: Work, items: Sequence[Placed]) -> None:
    family = work.family
    scoped = "entity_id" in family.table.c
    columns = ("id", family.key, *_owner(family), *FROM_ERP, *family.columns, *(("entity_id",) if scoped else ()))
    rows = [
        (work.id_of(item), item.row.number, *_content(work, item), *((item.key[0],) if scoped else ()))
        for item in items
    ]
    bulk.insert(work.session, family.table, columns, rows)


def _update(work: Work, items: Sequence[Placed]) -> None:
    columns = (*_owner(work.family), *FROM_ERP, *work.family.columns)
    rows = [(*_content(work, item), work.id_of(item)) for item in items]
    bulk.update(work.session, work.family.table, columns, rows)


def _renew(work: Work, items: Sequence[Placed]) -> None:
    """The same content under a newer version: only the version is kept, the parts stay."""
    rows = [(item.row.version, work.writing.push_id, work.id_of(item)) for item in items]
    bulk.update(work.session, work.family.table, ("version", "push_id"), rows)


def _owner(family: Family) -> tuple[str, ...]:
    return ("account_id",) if family.owned else ()


def _content(work: Work, item: Placed) -> tuple[Any, ...]:
    """Values of the account, FROM_ERP's columns and the family's own."""
    row = item.row
    owner = (item.account_id,) if work.family.owned else ()
    return (*owner, row.version, row.fingerprint, work.writing.push_id, *row.values)


def _write_parts(work: Work, fresh: Sequence[Placed], altered: Sequence[Placed]) -> None:
    """The lines, contacts, allocations of what was written; those of altered documents are replaced."""
    for place, child in enumerate(work.family.children):
        bulk.remove_parts(work.session, child.table, child.parent, [work.id_of(item) for item in altered])
        columns = (child.parent, *(("entity_id",) if child.scoped else ()), *child.columns)
        rows = [
            (work.id_of(item), *((item.key[0],) if child.scoped else ()), *part)
            for item in (*fresh, *altered)
            for part in item.row.children[place]
        ]
        bulk.insert(work.session, child.table, columns, rows)


def _keep_changes(work: Work, altered: Iterable[Placed]) -> None:
    family, writing = work.family, work.writing
    compared = ((item, work.known[item.key]) for item in altered)
    changes = [_change(family, item, before) for item, before in compared if not before.pending]
    record_many(
        work.session,
        actor=writing.actor,
        now=writing.now,
        verb=f"{family.name}.updated",
        subject=family.name,
        changes=[change for change in changes if change is not None],
    )


def _change(family: Family, item: Placed, before: Known) -> Change | None:
    """Before and after of the watched columns that differ; None where none does."""
    was = {name: shown(name, value) for name, value in zip(family.watched, before.watched, strict=True)}
    now = {name: shown(name, item.row.values[family.columns.index(name)]) for name in family.watched}
    if family.owned:
        was["account_id"], now["account_id"] = before.account_id, item.account_id
    differ = [name for name in was if was[name] != now[name]]
    if not differ:
        return None
    return Change(before.id, {name: was[name] for name in differ}, {name: now[name] for name in differ})


def _outcome(family: Family, item: Placed, verdict: Verdict, ids: Mapping[Key, int]) -> Outcome:
    row, found = item.row, ids.get(item.key)
    return Outcome(
        status=verdict.status,
        type=row.type,
        entity=row.entity,
        number=row.number,
        field=("reference" if row.type == "payment" else "number") if verdict.reason else "",
        reason=verdict.reason,
        id=found,
        account_id=found if family is ACCOUNTS else item.account_id,
    )


def account_ids(session: Session, keys: Collection[Key], *, writing: Writing) -> dict[Key, int]:
    """The accounts documents name; those the ERP has not sent yet are made `pending`, to be filled when it does."""
    found = {key: known.id for key, known in look_up(session, ACCOUNTS, keys).items()}
    missing = sorted(set(keys) - found.keys())
    ids = bulk.reserve_ids(session, ACCOUNTS.table, len(missing))
    columns = ("id", "entity_id", "number", *FROM_ERP, "name", "address", "pending")
    rows = [
        (new, scope, number, "", 0, writing.push_id, "", "", True)
        for new, (scope, number) in zip(ids, missing, strict=True)
    ]
    bulk.insert(session, ACCOUNTS.table, columns, rows)
    return found | dict(zip(missing, ids, strict=True))
