"""Print runs: approved letters that go by post become one PDF and a list in the same order, for a print shop."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO, StringIO

from pypdf import PdfWriter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.blobs import BlobStore
from app.core.errors import BadInput, Conflict, NotFound
from app.core.events import Actor, record
from letters.actions.life import gone, stopped_now
from letters.actions.shared import move
from letters.letter_facts import LetterFacts
from letters.models import Letter, PrintRun

BY_POST = ("post", "registered")
COLUMNS = ("letter", "first_page", "pages", "post", "account", "name", "address", "country", "title", "sha256")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class NoPrintRun(NotFound):
    """There is no such print run."""


def make(session: Session, *, entity_id: int, blobs: BlobStore, limit: int, actor: Actor, now: datetime) -> PrintRun:
    """The approved letters of an entity, each asked again whether it may go, as one file. Raises BadInput for none."""
    wanted = select(Letter).where(
        Letter.entity_id == entity_id, Letter.state == "approved", Letter.channel.in_(BY_POST)
    )
    rows = session.scalars(wanted.order_by(Letter.channel, Letter.id).limit(limit).with_for_update()).all()
    letters = [letter for letter in rows if not stopped_now(session, letter, now=now)]
    if not letters:
        raise BadInput("No approved letter waits for the post")
    whole, pages = _merged(letters, blobs)
    made = PrintRun(
        entity_id=entity_id,
        letters=len(letters),
        pages=pages,
        content_hash=blobs.put(whole),
        manifest_hash=blobs.put(manifest(letters)),
        created_by=actor.name,
        created_at=now,
    )
    session.add(made)
    session.flush()
    for letter in letters:
        move(session, letter, verb="letter queued", actor=actor, now=now, state="queued", print_id=made.id)
    _told(session, made, "print run made", actor=actor, now=now)
    return made


def _merged(letters: Iterable[Letter], blobs: BlobStore) -> tuple[bytes, int]:
    """One PDF of all, with how many pages it has."""
    writer = PdfWriter()
    for letter in letters:
        writer.append(BytesIO(blobs.get(letter.content_hash or "")), import_outline=False)
    whole = BytesIO()
    writer.write(whole)
    return whole.getvalue(), len(writer.pages)


def manifest(letters: Sequence[Letter]) -> bytes:
    """The list that goes with the file, as CSV: which pages are whose, by which post."""
    out = StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    first = 1
    for letter in letters:
        facts = LetterFacts.from_json(letter.facts)
        to = facts.recipient
        cells = (
            facts.reference,
            str(first),
            str(letter.pages),
            letter.channel,
            facts.account_number,
            to.name,
            ", ".join(to.address),
            to.country,
            letter.title,
            letter.content_hash or "",
        )
        rows.writerow([_text(cell) for cell in cells])
        first += letter.pages
    return out.getvalue().encode("utf-8-sig")


def _text(cell: str) -> str:
    """No cell is a live formula (S8)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def hand_over(session: Session, *, print_id: int, actor: Actor, now: datetime) -> PrintRun:
    """The print shop has them: the letters are sent. Raises NoPrintRun; Conflict the second time."""
    made = session.scalar(select(PrintRun).where(PrintRun.id == print_id).with_for_update())
    if made is None:
        raise NoPrintRun(f"There is no print run {print_id}")
    if made.state != "made":
        raise Conflict(f"Print run {print_id} was handed over already")
    made.state, made.handed_over_by, made.handed_over_at = "handed_over", actor.name, now
    mine = select(Letter).where(Letter.print_id == print_id, Letter.state == "queued")
    for letter in session.scalars(mine.order_by(Letter.id).with_for_update()):
        gone(session, letter, actor=actor, now=now, at=now)
    _told(session, made, "print run handed over", actor=actor, now=now)
    return made


def _told(session: Session, made: PrintRun, verb: str, *, actor: Actor, now: datetime) -> None:
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="letter_print",
        subject_id=made.id,
        after={"letters": made.letters, "pages": made.pages},
    )
