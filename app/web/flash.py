"""What was just done, told once on the next page, with a way to undo it. Kept in a cookie of the browser."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request, Response

COOKIE = "amiable_flash"
N_ = str  # marks a msgid for extraction
MESSAGES: Mapping[str, str] = {
    "closed": N_("Case closed."),
    "reopened": N_("Case open again."),
    "assigned": N_("Owner changed."),
    "corrected": N_("Reason corrected. Thank you: it is learned from."),
    "confirmed": N_("Invoice confirmed."),
    "rejected": N_("Invoice rejected."),
    "added": N_("Invoice added."),
    "moved": N_("Message moved."),
    "account_corrected": N_("Account corrected; invoices of the other account are no longer linked."),
    "held": N_("Case held."),
    "released": N_("Hold ended."),
    "requeued": N_("The message is being read again."),
    "webhook_added": N_("Webhook added: keep its secret, it is shown once."),
    "webhook_stopped": N_("Nothing is sent there any more."),
    "step_taken": N_("The step is taken."),
    "step_refused": N_("A guard refused the step: what happens next says which, and why."),
    "step_not_now": N_("The step is not for this case now."),
    "step_skipped": N_("Step skipped."),
    "waits": N_("Case waits."),
    "goes_on": N_("The work goes on."),
    "resolved": N_("Case resolved."),
    "merged": N_("Merged: this is the case that goes on."),
    "separated": N_("Cases separated again."),
    "disputed": N_("Disputed amount corrected."),
    "noted": N_("Note saved."),
    "task_done": N_("Done."),
    "task_open": N_("Open again."),
    "task_taken": N_("It is yours now."),
    "task_given_back": N_("Back in the team's queue."),
    "called": N_("Call noted."),
    "called_again": N_("Call noted; the next one is booked."),
    "called_copy": N_("Call noted; the copy is on the list of things to do."),
    "called_owner": N_("Call noted; whoever settles such disputes is asked."),
    "called_watch": N_("Call noted; the payment is watched."),
    "called_promise": N_("Promise noted; the case waits for the money."),
    "call_taken_back": N_("Call taken back: it is open again."),
    "call_too_late": N_("Something else happened to the case since: put the call right there."),
    "credit_asked": N_("Approval asked for."),
    "credit_granted": N_("Credit granted."),
    "credit_refused": N_("Credit refused."),
    "credit_voted": N_("Your yes is noted; one more person must approve."),
    "bank_held": N_("Held for two people."),
    "bank_said": N_("Kept: a second person is asked to confirm it."),
    "bank_not_reached": N_("Noted: nobody was reached. The hold stays."),
    "bank_released": N_("Released by two people."),
    "bank_fraud": N_("Fraud confirmed: warn the customer."),
    "bank_sent_back": N_("Sent back: the call is made again."),
    "bank_same_person": N_("You said it yourself: somebody else must confirm it."),
    "bank_too_early": N_("Not yet: the cooling-off is not over."),
    "bank_changed": N_("The check stands otherwise by now."),
    "proof_asked": N_("Proof of delivery asked for."),
    "handed_in": N_("Document handed in. Thank you."),
    "none_found": N_("Noted: there is none. The owner is told."),
    "calendar_renewed": N_("Your calendar has a new address; the old one is dead."),
    "calendar_ended": N_("Your calendar is no longer given out."),
    "saved": N_("Saved."),
    "owner_answered": N_("Answer of the owner kept."),
    "sent": N_("Answer leaves in ten seconds."),
    "sent_and_closed": N_("Case closed. The answer leaves in ten seconds."),
    "taken_back": N_("Answer taken back: it is a draft again."),
    "left_already": N_("Too late: the answer has left already."),
    "discarded": N_("Draft thrown away."),
    "mail_sent": N_("Noted: the mail went out."),
    "mail_again": N_("The mail is sent again."),
    "mail_drop": N_("Nothing more is done with the mail."),
    "letter_drafted": N_("Letter drafted: it waits for approval once its PDF is made."),
    "letter_approved": N_("Letter approved: it leaves shortly."),
    "letter_waits": N_("Approval taken back: the letter waits."),
    "letter_left": N_("Too late: the letter has left, or was stopped."),
    "letter_rejected": N_("The letter does not go."),
    "letter_printed_anew": N_("The letter is printed anew, then it waits for approval."),
    "run_started": N_("The letters are being written."),
    "run_cancelled": N_("Run cancelled."),
    "print_made": N_("The file for the print shop is ready."),
    "print_handed_over": N_("Noted: the print shop has them, they count as sent."),
    "decided_already": N_("Somebody decided about this mail already."),
}
_UNDO_PATHS = ("/calls/", "/cases/", "/links/", "/mails/", "/messages/", "/tasks/", "/team/")


@dataclass(frozen=True, slots=True)
class Flash:
    """A code of MESSAGES; `undo` is the path to post `fields` to, "" where there is no undoing."""

    code: str
    undo: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def tell(response: Response, flash: Flash, *, secure: bool) -> None:
    """Keep the flash for the next page."""
    content = json.dumps({"code": flash.code, "undo": flash.undo, "fields": dict(flash.fields)})
    text = base64.urlsafe_b64encode(content.encode()).decode()
    response.set_cookie(COOKIE, text, max_age=60, httponly=True, samesite="lax", secure=secure, path="/")


def told(request: Request) -> Flash | None:
    """The flash kept for this page. Prefetches and live refreshes leave it for the page itself."""
    if COOKIE not in request.cookies or is_background(request):
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(request.cookies[COOKIE]))
        flash = Flash(str(content["code"]), str(content["undo"]), {k: str(v) for k, v in content["fields"].items()})
    except (binascii.Error, ValueError, KeyError, AttributeError, TypeError):
        return None
    harmless = not flash.undo or flash.undo.startswith(_UNDO_PATHS)
    return flash if flash.code in MESSAGES and harmless else None


def is_background(request: Request) -> bool:
    """Whether nobody asked for this page: Turbo prefetched it on hover, or live updates fetch it again."""
    purpose = request.headers.get("x-sec-purpose", "") + request.headers.get("sec-purpose", "")
    return "prefetch" in purpose or "x-live" in request.headers
