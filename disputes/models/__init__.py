"""Messages, cases and what belongs to them: one module a family, all names here."""

from disputes.models.bank_checks import BankCheck, BankCheckMail
from disputes.models.cases import Case, CaseInvoice, Correction, Promise, Task
from disputes.models.messages import Attachment, Delivery, Link, MailboxCursor, Message, ThreadId
from disputes.models.money import Approval, DisputeMovement
from disputes.models.outbox import Outgoing
from disputes.models.progress import Absence, CaseClock, CaseStep, Policy
from disputes.models.talk import ActionUse, DigestSent, Draft, Note
from disputes.models.writeback import Change, Webhook, WebhookDelivery

__all__ = [
    "Absence",
    "ActionUse",
    "Approval",
    "Attachment",
    "BankCheck",
    "BankCheckMail",
    "Case",
    "CaseClock",
    "CaseInvoice",
    "CaseStep",
    "Change",
    "Correction",
    "Delivery",
    "DigestSent",
    "DisputeMovement",
    "Draft",
    "Link",
    "MailboxCursor",
    "Message",
    "Note",
    "Outgoing",
    "Policy",
    "Promise",
    "Task",
    "ThreadId",
    "Webhook",
    "WebhookDelivery",
]
