"""The world of a story: a seller, its customers, an ERP and the days that go by, with nothing pretended but the clock.

Mail goes through the real pipeline, the ERP's documents through the push code, the sweep takes the steps, and what the
outbox holds "leaves". `diary` tells what happened to a case in lines that a reader can follow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.message import Message as Mail
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.connectors.erp import ledger_keys
from app.connectors.outgoing import rendered
from app.core.events import Actor, Event, system
from app.core.keys import key_for
from app.workflows.digests import write_one
from app.workflows.intake import Tools, Worked, work_message
from disputes.actions import calls, ledger, life, outbox, progress, replies
from disputes.models import Case, CaseInvoice, CaseStep, Outgoing, Promise, Task
from disputes.queries.digests import due
from disputes.reply_tokens import ReplyTokens
from invoices import actions
from invoices.actions import changed
from invoices.feed import read
from invoices.models import Account, Invoice
from tests.fixtures_pipeline import MAILBOX, Ledger, mail, take_in

ERP = system("erp")
OPEN = ("new", "in_progress", "waiting")
MORNING = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that left: when, what kind, as the customer's mail program shows it."""

    at: datetime
    kind: str
    to: str
    mail: Mail

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.mail["Subject"])

    @property
    def rfc_id(self) -> str:
        """Its Message-ID."""
        return str(self.mail["Message-ID"])

    @property
    def text(self) -> str:
        """Its words."""
        part = next(one for one in self.mail.walk() if one.get_content_type() == "text/plain")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode("utf-8")


def _in_dispute(case: Case) -> Select[Invoice]:
    """The invoices of a case with money in dispute."""
    of_case = select(CaseInvoice.invoice_id).where(CaseInvoice.case_id == case.id, CaseInvoice.disputed > 0)
    return select(Invoice).where(Invoice.id.in_(of_case))


def returned(sent: Sent, *, at: datetime) -> bytes:
    """A delivery report (RFC 3464) for a mail whose reader is unknown."""
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"], report["To"] = "Mail Delivery System <mailer-daemon@acme.example>", MAILBOX
    report["Subject"], report["Date"] = "Undelivered Mail Returned to Sender", format_datetime(at)
    report["Message-ID"] = f"<returned.{hash(sent.rfc_id)}@acme.example>"
    report.attach(MIMEText("Your message could not be delivered: there is no such user."))
    status = Mail()
    status["Reporting-MTA"] = "dns; mail.acme.example"
    recipient = Mail()
    recipient["Final-Recipient"] = f"rfc822; {sent.to}"
    recipient["Action"], recipient["Status"] = "failed", "5.1.1"
    part = MIMEBase("message", "delivery-status")
    part.set_payload([status, recipient])
    report.attach(part)
    report.attach(MIMEMessage(sent.mail))
    return report.as_bytes()


@dataclass
class World:
    """One story's world, standing at `now`."""

    session: Session
    tools: Tools
    ledger: Ledger
    now: datetime
    sent: list[Sent] = field(default_factory=list)
    serial: int = 0

    def on(self, day: int, hour: int = 9, *, month: int = 3) -> "World":
        """Let time go by until then (2026, UTC): everything that falls due on the way happens at its moment."""
        moment = datetime(2026, month, day, hour, tzinfo=UTC)
        assert moment >= self.now, f"the story goes forwards: {moment} is before {self.now}"
        for step in self._moments(moment):
            self.now = step
            self._tick()
        return self

    def customer(
        self, text: str, *, sender: str = "Ann Lee <ann@acme.example>", sent: datetime | None = None, **parts: object
    ) -> Worked:
        """The customer writes (or wrote, when `sent` is past), and the mail is worked."""
        self.serial += 1
        given = {"message_id": f"<story-{self.serial}@{sender.rpartition('@')[2].strip('>')}>", **parts}
        raw = mail(text, at=sent or self.now, sender=sender, **given)  # type: ignore[arg-type] # the parts are those of `mail`
        received = take_in(self.session, self.tools, raw, at=self.now, ref=f"story-{self.serial}")
        worked = work_message(self.session, message_id=received.message_id, tools=self.tools, now=self.now)
        self._tick()
        return worked

    def answers(self, sent: Sent, text: str, *, sender: str = "Ann Lee <ann@acme.example>") -> Worked:
        """The customer answers one of our mails."""
        return self.customer(text, sender=sender, subject=f"Re: {sent.subject}", replies_to=(sent.rfc_id,))

    def reply(self, case: Case, body: str, *, actor: Actor, await_answer: bool = True) -> Sent:
        """An agent answers from the case; ten seconds later it has left."""
        words = replies.proposed(self.session, case=case)
        written = replies.Words(to=words.to, subject=words.subject, body=body)
        seen = case.version
        replies.save_draft(self.session, case_id=case.id, words=written, actor=actor, now=self.now, seen_version=seen)
        replies.send_reply(
            self.session,
            case_id=case.id,
            tokens=ReplyTokens(key_for(self.tools.settings, "reply token")),
            blobs=self.tools.blobs,
            actor=actor,
            now=self.now,
            await_answer=await_answer,
        )
        self.now += timedelta(minutes=1)
        self._post()
        return self.sent[-1]

    def calls(
        self, case: Case, outcome: str, *, actor: Actor, note: str = "", day: date | None = None, amount: str = ""
    ) -> None:
        """An agent makes the courtesy call that is waiting, and says how it ended."""
        result = calls.CallResult(
            outcome=outcome,
            note=note,
            promised=day,
            amount=Decimal(amount) if amount else None,
            currency="GBP" if amount else "",
        )
        task = self.task(case, "courtesy_call")
        calls.record_outcome(self.session, task_id=task.id, result=result, actor=actor, now=self.now)

    def bounces(self, sent: Sent) -> Worked:
        """The customer's mail server gives one of our mails back."""
        self.serial += 1
        raw = returned(sent, at=self.now)
        received = take_in(self.session, self.tools, raw, at=self.now, ref=f"story-{self.serial}")
        return work_message(self.session, message_id=received.message_id, tools=self.tools, now=self.now)

    def pushes(self, *documents: dict[str, object]) -> None:
        """The ERP pushes documents, and the accounts they touch are looked at again."""
        outcomes = actions.apply(
            self.session, documents=map(read, documents), keys=ledger_keys(), actor=ERP, now=self.now
        )
        refused = [one for one in outcomes if one.status not in {"created", "updated", "unchanged"}]
        assert not refused, refused
        self.session.expire_all()
        for account_id in sorted(changed(outcomes).accounts):
            ledger.recheck(self.session, account_id=account_id, actor=system("ledger"), now=self.now)
        self._post()

    def pays(self, number: str, amount: str) -> None:
        """The customer's money arrives and is put against an invoice, all of it or a part."""
        invoice = self.invoice(number)
        left = invoice.open_amount - Decimal(amount)
        self.serial += 1
        self.pushes(
            self._document(invoice, open=str(left)),
            {
                "type": "payment",
                "reference": f"BACS {self.serial}",
                "account": "C100",
                "entity": "UK01",
                "currency": "GBP",
                "received": self.now.date().isoformat(),
                "amount": amount,
                "invoices": [number],
            },
        )

    def credits(self, number: str, amount: str) -> None:
        """Accounting books a credit note for an invoice, and the ERP tells."""
        invoice = self.invoice(number)
        self.serial += 1
        note = self._document(invoice, number=f"CN-2026-{self.serial:03d}", net=f"-{amount}", gross=f"-{amount}")
        note |= {"type": "credit_note", "open": "0.00", "credits": number}
        note |= dict.fromkeys(("issued", "due"), self.now.date().isoformat())
        self.pushes(note, self._document(invoice, open=str(invoice.open_amount - Decimal(amount))))

    def _document(self, invoice: Invoice, **changes: object) -> dict[str, object]:
        account = self.session.get_one(Account, invoice.account_id)
        return {
            "type": "invoice",
            "number": invoice.number,
            "entity": "UK01",
            "account": account.number,
            "issued": invoice.issued.isoformat(),
            "due": invoice.due.isoformat(),
            "currency": invoice.currency,
            "net": str(invoice.net),
            "gross": str(invoice.gross),
            "open": str(invoice.open_amount),
            **changes,
        }

    def ends(self, case: Case, resolution: str, *, actor: Actor) -> None:
        """The agent says how the matter ended, and a month later nobody has anything left to do in it."""
        note = "as agreed on the phone"
        life.resolve(self.session, case_id=case.id, resolution=resolution, note=note, actor=actor, now=self.now)
        if resolution == "accepted":
            for invoice in self.session.scalars(_in_dispute(case)).all():
                self.credits(invoice.number, str(self.disputed(case)))
        later = self.now + timedelta(days=30)
        self.on(later.day, later.hour, month=later.month)
        ended = self.session.get_one(Case, case.id, populate_existing=True)
        assert (ended.state, self.tasks(ended), self.disputed(ended)) == ("closed", [], Decimal(0))

    def invoice(self, number: str) -> Invoice:
        """An invoice as the ledger has it now."""
        return self.session.scalars(select(Invoice).where(Invoice.number == number)).one()

    def case(self, worked: Worked) -> Case:
        """The case a mail went into, as it is now."""
        assert worked.case_id is not None
        return self.session.get_one(Case, worked.case_id, populate_existing=True)

    def cases(self) -> list[Case]:
        """Every case, oldest first."""
        return list(self.session.scalars(select(Case).order_by(Case.id)))

    def disputed(self, case: Case) -> Decimal:
        """What is still in dispute in a case."""
        total = select(func.coalesce(func.sum(CaseInvoice.disputed), 0)).where(CaseInvoice.case_id == case.id)
        return Decimal(self.session.scalar(total) or 0)

    def tasks(self, case: Case, *, state: str = "open") -> list[str]:
        """The kinds of the case's tasks in a state, oldest first."""
        found = select(Task.kind).where(Task.case_id == case.id, Task.state == state).order_by(Task.id)
        return list(self.session.scalars(found))

    def task(self, case: Case, kind: str) -> Task:
        """The one open task of a kind."""
        found = select(Task).where(Task.case_id == case.id, Task.state == "open", Task.kind == kind)
        return self.session.scalars(found).one()

    def digests(self, person: str) -> list[Sent]:
        """The digests somebody of the team got, oldest first."""
        return [one for one in self.sent if one.kind == "digest" and one.to.startswith(f"{person}@")]

    def letters(self, case: Case) -> list[str]:
        """The kinds of mail that left for a case's customer, in order."""
        ids = set(self.session.scalars(select(Outgoing.rfc_id).where(Outgoing.case_id == case.id)))
        return [one.kind for one in self.sent if one.rfc_id in ids]

    def diary(self, case: Case, *verbs: str) -> list[str]:
        """The case's events as "02 Mar 09:00 verb (actor)", all or those of some verbs."""
        found = select(Event).where(Event.case_id == case.id).order_by(Event.id)
        return [
            f"{event.at:%d %b %H:%M} {event.verb} ({event.actor})"
            for event in self.session.scalars(found)
            if not verbs or event.verb in verbs
        ]

    def steps(self, case: Case) -> list[str]:
        """The playbook's steps of a case as "02 Mar tell_status taken", with why where one was refused."""
        rows = self.session.scalars(select(CaseStep).where(CaseStep.case_id == case.id)).all()
        return [
            f"{row.at:%d %b} {row.step} {row.state}" + (f": {row.why}" if row.state == "refused" else "")
            for row in sorted(rows, key=lambda one: (one.at, one.step))
        ]

    def promises(self, case: Case) -> list[str]:
        """How the case's promises stand, oldest first."""
        return list(self.session.scalars(select(Promise.state).where(Promise.case_id == case.id).order_by(Promise.id)))

    def _moments(self, until: datetime) -> Iterator[datetime]:
        """Every moment until then at which something is due, and each morning."""
        while self.now < until:
            moments = [self._next_due(), self._next_morning(), until]
            yield min(one for one in moments if one is not None)

    def _next_morning(self) -> datetime:
        today = datetime.combine(self.now.date(), datetime.min.time(), UTC) + MORNING
        return today if today > self.now else today + timedelta(days=1)

    def _next_due(self) -> datetime | None:
        found = select(func.min(Case.due_at)).where(Case.due_at > self.now, Case.state.in_((*OPEN, "resolved")))
        return self.session.scalar(found)

    def _tick(self) -> None:
        while progress.take_due(self.session, now=self.now, limit=50, tokens=self._tokens):
            pass
        for account_id in ledger.accounts_promising(self.session, now=self.now):
            ledger.recheck(self.session, account_id=account_id, actor=system("ledger"), now=self.now)
        for digest in due(self.session, now=self.now):
            write_one(self.session, due=digest, settings=self.tools.settings, now=self.now)
        self._post()

    def _post(self) -> None:
        """What the outbox holds leaves."""
        while (claimed := outbox.claim(self.session, worker="story", now=self.now)) is not None:
            message = message_from_bytes(rendered(claimed, now=self.now))
            outbox.record_sent(self.session, outbox_id=claimed.id, now=self.now)
            self.sent.append(Sent(self.now, claimed.kind, claimed.to_email, message))

    @property
    def _tokens(self) -> ReplyTokens:
        return ReplyTokens(key_for(self.tools.settings, "reply token"))
