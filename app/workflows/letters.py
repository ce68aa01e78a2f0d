"""The job of letters: runs go on, playbooks' letters are drafted, PDFs made, approved letters put into the outbox.

One batch of each a job, which adds the next where more is left: other jobs have their turn in between. Everything is
found in rows, so that a killed worker loses its batch and nothing else.
"""

from collections.abc import Iterable
from io import BytesIO

from pypdf import PdfReader

from app.core import db
from app.core.errors import DomainError
from app.core.events import system
from app.core.keys import key_for
from app.core.log import logger
from app.workflows import runtime
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.reply_tokens import ReplyTokens
from letters.actions import asked_for, drafting, life, runs
from letters.actions.drafting import ToPrint
from letters.page import Page
from letters.printer import LetterPrinter, Limits, Printed
from letters.queries.due import anything_due
from letters.rules import letter_rules

BATCH = runtime.CHUNK
_ACTOR = system("letters")


def nudge(context: Context) -> None:
    """Have the job done where there is something to do."""
    with db.transaction(context.sessions, read_only=True) as session:
        due = anything_due(session)
    if due:
        runtime.nudge(context.database, "letters")


def work_letters(
    context: Context,
    ids: Iterable[JobId] = (),  # noqa: ARG001 - the job finds what is due by itself
    *,
    dispatches: int = 1,  # noqa: ARG001 - nothing is written twice, however often the job is given out
) -> int:
    """A batch of everything; gives how much was done, and comes again where that was something."""
    done = one_batch(context)
    if done and not context.stopping.is_set():
        with db.transaction(context.sessions) as session:
            runtime.enqueue(session, "letters", "next")
    return done


def one_batch(context: Context) -> int:
    """Look, write, print, send, follow: each at most a batch."""
    return go_on_with_runs(context) + draft_requests(context) + print_waiting(context) + send(context) + follow(context)


def go_on_with_runs(context: Context) -> int:
    """The next accounts of each run."""
    with db.transaction(context.sessions, read_only=True) as session:
        waiting = runs.to_work(session)
    done = 0
    for run_id, state in waiting:
        with db.transaction(context.sessions) as session:
            rules, now = letter_rules(session), context.clock()
            if state == "looking":
                done += runs.look(session, run_id=run_id, rules=rules, actor=_ACTOR, now=now) or 1
            else:
                done += runs.write_next(session, run_id=run_id, rules=rules, now=now, limit=BATCH) or 1
    return done


def draft_requests(context: Context) -> int:
    """Letters that playbooks ask for, each in a transaction of its own."""
    last, drafted = 0, 0
    while not context.stopping.is_set():
        with db.transaction(context.sessions, read_only=True) as session:
            waiting = asked_for.open_requests(session, after=last, limit=BATCH)
        for last in waiting:
            with db.transaction(context.sessions) as session:
                made = asked_for.draft_for(session, task_id=last, rules=letter_rules(session), now=context.clock())
            drafted += made is not None
        if not waiting:
            break
    return drafted


def print_waiting(context: Context) -> int:
    """PDFs of what has none; printing itself is outside of any transaction."""
    with db.transaction(context.sessions, read_only=True) as session:
        waiting = drafting.to_print(session, limit=BATCH)
    pages: list[tuple[ToPrint, Page]] = []
    for one in waiting:
        try:
            pages.append((one, one.page()))
        except DomainError as error:
            _record(context, one, "", Printed(b"", error.message))
    if pages:
        settings = context.settings.letters
        with LetterPrinter(workers=min(settings.printers, len(pages)), limits=Limits()) as printer:
            made = printer.print_letters(page for _, page in pages)
            for (one, page), result in zip(pages, made, strict=True):
                _record(context, one, page.title, result)
    return len(waiting)


def _record(context: Context, one: ToPrint, title: str, made: Printed) -> None:
    """The PDF is stored first: a row never names bytes that are not there."""
    content_hash = "" if made.fault else context.blobs.put(made.pdf)
    with db.transaction(context.sessions) as session:
        now = context.clock()
        if made.fault:
            logger().warning("a letter cannot be printed", kind="letter", reason=made.fault[:200])
            drafting.not_printed(session, to_print=one, fault=made.fault, actor=_ACTOR, now=now)
            return
        drafting.printed(
            session,
            to_print=one,
            title=title,
            content_hash=content_hash,
            pages=len(PdfReader(BytesIO(made.pdf)).pages),
            limit=context.settings.letters.approval_limit,
            actor=_ACTOR,
            now=now,
        )


def send(context: Context) -> int:
    """Approved letters into the outbox, each asked again whether it may go."""
    tokens = ReplyTokens(key_for(context.settings, "reply token"))
    with db.transaction(context.sessions, read_only=True) as session:
        waiting = life.to_send(session, limit=BATCH)
    for letter_id in waiting:
        with db.transaction(context.sessions) as session:
            mail = life.queue(session, letter_id=letter_id, tokens=tokens, now=context.clock())
            if mail is not None:
                runtime.enqueue(session, "send", mail.id)
    return len(waiting)


def follow(context: Context) -> int:
    """Letters go the way of their mails and answers."""
    with db.transaction(context.sessions) as session:
        now = context.clock()
        return life.follow(session, now=now) + life.answered(session, now=now)
