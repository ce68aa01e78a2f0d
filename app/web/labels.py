"""What codes are called on screen. English here; gettext translates where they are shown."""

from collections.abc import Mapping, Sequence

from disputes.models import Case
from disputes.people import FALLBACK_TEAM, level_of
from disputes.reasons import KINDS, TEAMS
from letters.writing_facts import offered

N_ = str  # marks a msgid for extraction

STATES: Mapping[str, str] = {
    "new": N_("New"),
    "in_progress": N_("In progress"),
    "waiting": N_("Waiting"),
    "resolved": N_("Resolved"),
    "closed": N_("Closed"),
    "merged": N_("Merged"),
}
TONES: Mapping[str, str] = {"calm": N_("Calm"), "annoyed": N_("Annoyed"), "angry": N_("Angry")}
FLAGS: Mapping[str, str] = {
    "payment_diversion": N_("Bank details: call back first"),
    "legal_threat": N_("Legal threat"),
    "callback_requested": N_("Wants a call"),
    "delivery_block": N_("Deliveries blocked"),
    "insolvency": N_("Insolvency"),
    "partial": N_("Pays in part"),
}
BANK_GROUNDS: Mapping[str, str] = {
    "changed_details": N_("The mail speaks of changed bank details."),
    "not_authentic": N_("Our mail server says that the sender is not who they claim to be (DMARC)."),
    "known_fraud": N_("This sender was found to be a fraud before."),
    "raised": N_("A colleague doubts it."),
}
"""Why a mail is checked by two people (disputes.bank_check)."""
BANK_OUTCOMES: Mapping[str, str] = {
    "genuine": N_("It is genuine"),
    "fraud": N_("It is a fraud"),
    "not_reached": N_("Could not reach anybody"),
}
FLAG_LOOKS: Mapping[str, str] = {
    "payment_diversion": "is-bad",
    "legal_threat": "is-bad",
    "insolvency": "is-bad",
    "delivery_block": "is-warn",
    "callback_requested": "is-plum",
    "partial": "is-line",
}
WAITING: Mapping[str, str] = {
    "customer": N_("Waiting for the customer"),
    "us": N_("Waiting for us"),
    "third_party": N_("Waiting for a third party"),
}
STEPS: Mapping[str, str] = {
    "answer": N_("Answer the customer"),
    "owner_answer": N_("Settle the dispute and answer"),
    "await_customer": N_("Customer's answer expected"),
    "acknowledge": N_("Acknowledge the mail"),
    "ask_owner": N_("Ask the owner"),
    "ask_owner_again": N_("Ask the owner again"),
    "tell_status": N_("Tell the customer how it stands"),
    "escalate": N_("Bring it before the lead"),
    "ask_customer_again": N_("Ask the customer again"),
    "call_the_silent": N_("Call the customer who is silent"),
    "letter": N_("Letter"),
    "ask_satisfaction": N_("Ask how content the customer is"),
    "close": N_("Close the case"),
    "review": N_("Check what the program is unsure of"),
    "courtesy_call": N_("Courtesy call"),
    "approve_credit": N_("Approve the credit note"),
    "check_delivery": N_("Check the delivery"),
}
RESOLUTIONS: Mapping[str, str] = {
    "answered": N_("Answered"),
    "paid": N_("Paid"),
    "credited": N_("Credited"),
    "withdrawn": N_("Withdrawn by the customer"),
    "written_off": N_("Written off"),
    "no_action": N_("No action needed"),
    "accepted": N_("Accepted"),
    "partly_accepted": N_("Partly accepted"),
    "rejected": N_("Refused"),
    "duplicate": N_("Duplicate"),
}
RESOLVED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dispute": (
        ("accepted", N_("We were wrong: all that is in dispute is credited.")),
        ("partly_accepted", N_("Some of it is credited, the rest is to be paid.")),
        ("rejected", N_("The invoice is right and is to be paid.")),
        ("paid", N_("The customer paid, or says so: we wait for the money.")),
        ("withdrawn", N_("The customer sees that the invoice is right.")),
        ("duplicate", N_("The same matter is settled in another case.")),
    ),
    "query": (
        ("answered", N_("The customer has what they asked for.")),
        ("withdrawn", N_("The customer does not need it any more.")),
        ("duplicate", N_("The same matter is settled in another case.")),
    ),
}
"""How a person resolves a case of each kind, and what that means."""
RATINGS: Mapping[int, str] = {
    1: N_("Poor"),
    2: N_("Not so well"),
    3: N_("Well enough"),
    4: N_("Well"),
    5: N_("Very well"),
}
"""How well a customer says they were looked after."""
DISPUTE_STATUS: Mapping[str, str] = {
    "none": N_("Nothing"),
    "disputed": N_("Disputed"),
    "query": N_("Query"),
    **RESOLUTIONS,
    **STATES,
}
"""The status of an invoice as the ERP is told."""
DELIVERIES: Mapping[str, str] = {
    "queued": N_("Waits"),
    "sent": N_("Taken"),
    "failed": N_("Refused"),
}
"""How far a change is told to a webhook."""
MONEY: Mapping[str, str] = {
    "still": N_("Still in dispute"),
    "credited": N_("Credited"),
    "paid": N_("Paid"),
    "written_off": N_("Written off"),
    "withdrawn": N_("To be paid after all"),
}
"""What became of disputed money."""
MESSAGE_KINDS: Mapping[str, str] = {
    "acknowledgement": N_("Acknowledgement"),
    "status": N_("Status report"),
    "question": N_("Question"),
    "resolution": N_("Outcome"),
    "apology": N_("Apology"),
}
LINK_STATES: Mapping[str, str] = {
    "confirmed": N_("Confirmed"),
    "proposed": N_("To be checked"),
    "rejected": N_("Rejected"),
}
PROMISES: Mapping[str, str] = {
    "open": N_("Pending"),
    "kept": N_("Kept"),
    "partly_kept": N_("Partly kept"),
    "broken": N_("Broken"),
}
OUTBOX: Mapping[str, str] = {
    "queued": N_("Leaves shortly"),
    "sending": N_("Leaves shortly"),
    "sent": N_("Sent"),
    "failed": N_("Could not be sent"),
    "uncertain": N_("Perhaps sent: check"),
    "cancelled": N_("Not sent"),
}
PREVIEWED = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif"})
PREVIEWED_ENDINGS = (".pdf", ".png", ".jpg", ".jpeg", ".gif")
"""Files that can be looked at in place; their bytes decide in the end (messages.preview)."""
MACHINES: Mapping[str, str] = {
    "auto_reply": N_("Automatic reply"),
    "bounce": N_("Undeliverable"),
    "list": N_("Mailing list"),
    "report": N_("Delivery report"),
}
VERBS: Mapping[str, tuple[str, str]] = {
    "case opened": ("inbox", N_("Case opened")),
    "case closed": ("check", N_("Case closed")),
    "case reopened": ("refresh", N_("Case reopened")),
    "case assigned": ("user", N_("Owner changed")),
    "case held": ("pause", N_("Case held")),
    "hold ended": ("clock", N_("Hold ended")),
    "bank details to check": ("alert", N_("Changed bank details: held for two people")),
    "bank details to check again": ("alert", N_("Another such mail: held for two people")),
    "call-back reached nobody": ("phone", N_("Called back, nobody reached")),
    "call-back made": ("phone", N_("Called back: a second person is asked")),
    "call-back sent back": ("refresh", N_("Second person disagrees: call back again")),
    "bank details released": ("check", N_("Released by two people")),
    "fraud confirmed": ("ban", N_("Fraud, confirmed by two people")),
    "case waits": ("pause", N_("Case waits")),
    "case waits on the customer": ("pause", N_("Case waits for the customer")),
    "case goes on": ("clock", N_("Case goes on")),
    "no answer in time": ("clock", N_("No answer in time")),
    "step taken": ("check", N_("Step taken")),
    "step refused": ("pause", N_("Step refused by a guard")),
    "step skipped": ("pause", N_("Step skipped")),
    "cases timed again": ("clock", N_("Cases timed again")),
    "case resolved": ("check", N_("Case resolved")),
    "case joined by another": ("split", N_("Another case merged into this one")),
    "cases unmerged": ("split", N_("Cases separated again")),
    "case merged": ("split", N_("Merged into another case")),
    "case follows its messages": ("sparkle", N_("Case follows its messages")),
    "message joined": ("mail", N_("Message joined the case")),
    "acknowledgement written": ("send", N_("Acknowledgement written")),
    "no acknowledgement": ("send", N_("No acknowledgement sent")),
    "acknowledgement held": ("pause", N_("No acknowledgement sent")),
    "reason corrected": ("tag", N_("Reason corrected")),
    "reason changed": ("tag", N_("Reason changed")),
    "case invoices changed": ("invoice", N_("Invoices of the case changed")),
    "link confirmed": ("link", N_("Invoice confirmed")),
    "link rejected": ("ban", N_("Invoice rejected")),
    "message worked": ("sparkle", N_("Mail read, matched and classified")),
    "message received": ("mail", N_("Mail received")),
    "message delivered again": ("mail", N_("Mail delivered once more")),
    "message tried again": ("refresh", N_("Reading of the mail tried again")),
    "message quarantined": ("ban", N_("Mail put aside")),
    "message requeued": ("refresh", N_("Mail read again")),
    "message moved": ("split", N_("Message moved here")),
    "message moved away": ("split", N_("Message moved to another case")),
    "account corrected": ("building", N_("Account corrected")),
    "task opened": ("clock", N_("Task opened")),
    "task given": ("user", N_("Task given")),
    "task reopened": ("refresh", N_("Task open again")),
    "task done": ("check", N_("Task done")),
    "task cancelled": ("x", N_("Task no longer needed")),
    "promise recorded": ("handshake", N_("Promise to pay noted")),
    "promise made": ("handshake", N_("Promise to pay noted")),
    "credit asked for": ("coins", N_("Credit asked for")),
    "credit approved": ("check", N_("Credit approved by one person")),
    "credit refused": ("ban", N_("Credit refused")),
    "credit granted": ("coins", N_("Credit granted")),
    "document handed in": ("file", N_("Document handed in")),
    "no document found": ("file", N_("No document was found")),
    "promise taken back": ("handshake", N_("Promise taken back")),
    "call reached": ("phone", N_("Called: all is said")),
    "call voicemail": ("phone", N_("Called: left a message")),
    "call unreachable": ("phone", N_("Called: nobody answered")),
    "call invoice_not_received": ("phone", N_("Called: has not received the invoice")),
    "call waiting_approval": ("phone", N_("Called: waits for their approval")),
    "call disputes": ("phone", N_("Called: disputes it")),
    "call in_payment": ("phone", N_("Called: payment is on its way")),
    "call promised": ("phone", N_("Called: promised to pay")),
    "calendar address renewed": ("calendar", N_("Calendar has a new address")),
    "calendar ended": ("calendar", N_("Calendar is no longer given out")),
    "call taken back": ("refresh", N_("Call taken back")),
    "promise open": ("handshake", N_("Promise pending again")),
    "promise kept": ("handshake", N_("Promise kept")),
    "promise partly kept": ("handshake", N_("Promise partly kept")),
    "promise broken": ("handshake", N_("Promise broken")),
    "disputed money moved": ("coins", N_("Disputed amount changed")),
    "note written": ("note", N_("Note written")),
    "note taken back": ("note", N_("Note taken back")),
    "draft begun": ("send", N_("Answer begun")),
    "draft saved": ("send", N_("Draft saved")),
    "draft discarded": ("x", N_("Draft discarded")),
    "status written": ("send", N_("Status told to the customer")),
    "question written": ("send", N_("Customer asked")),
    "resolution written": ("send", N_("Outcome told to the customer")),
    "apology written": ("send", N_("Apology written")),
    "satisfaction written": ("send", N_("Customer asked whether all is well")),
    "answer written": ("send", N_("Answer written")),
    "answer taken back": ("refresh", N_("Answer taken back")),
    "answer did not arrive": ("alert", N_("Answer did not arrive")),
    "customer written to": ("send", N_("Customer written to")),
    "address did not accept mail": ("alert", N_("Address did not accept mail")),
    "mail queued": ("send", N_("Mail prepared")),
    "mail sent": ("send", N_("Mail sent")),
    "mail sending": ("send", N_("Mail is leaving")),
    "mail failed": ("alert", N_("Mail could not be sent")),
    "mail uncertain": ("alert", N_("Mail perhaps sent: check")),
    "mail cancelled": ("x", N_("Mail not sent")),
    "mail returned": ("alert", N_("Mail returned")),
    "mail delayed": ("clock", N_("Mail delayed")),
    "digest written": ("send", N_("Digest written")),
    "nothing for a digest": ("check", N_("Nothing for a digest")),
    "digest rhythm chosen": ("clock", N_("Rhythm of the digest chosen")),
    "digest answered": ("mail", N_("Digest answered by mail")),
    "digest answer answered": ("send", N_("Owner asked what was meant")),
    "digest answer refused": ("ban", N_("Answer to a digest refused")),
    "owner accepted": ("check", N_("Owner accepts")),
    "owner rejected": ("x", N_("Owner refuses")),
    "owner credits": ("coins", N_("Owner asks for a credit")),
    "owner needs something": ("help", N_("Owner needs something")),
    "owner passed it on": ("split", N_("Not the owner's matter: passed on")),
    "mailbox read": ("inbox", N_("Mailbox read")),
    "mailbox trouble": ("alert", N_("Mailbox cannot be read")),
    "deadline near": ("clock", N_("Promised time is near")),
    "deadline missed": ("alert", N_("Promised time is missed")),
    "clocks moved": ("clock", N_("Promised times moved")),
    "absence planned": ("calendar", N_("Absence planned")),
    "absence changed": ("calendar", N_("Absence changed")),
    "absence ended": ("calendar", N_("Absence ended")),
    "policy changed": ("note", N_("Rules changed")),
    "policy dropped": ("note", N_("Back to the rules as shipped")),
    "training asked for": ("sparkle", N_("Learning from corrections begun")),
    "training ended": ("sparkle", N_("Learning from corrections ended")),
    "customer rated us": ("star", N_("The customer rated us")),
    "team changed": ("team", N_("Team changed")),
    "letter drafted": ("file", N_("Letter drafted")),
    "letter printed": ("file", N_("Letter's PDF made")),
    "letter cannot be printed": ("alert", N_("Letter cannot be printed")),
    "letter edited": ("note", N_("Letter changed")),
    "letter approved": ("check", N_("Letter approved")),
    "letter approval taken back": ("refresh", N_("Approval of a letter taken back")),
    "letter rejected": ("x", N_("Letter rejected")),
    "letter stopped": ("pause", N_("Letter stopped before sending")),
    "letter queued": ("send", N_("Letter prepared for sending")),
    "letter sent": ("send", N_("Letter sent")),
    "letter uncertain": ("alert", N_("Letter perhaps sent: check")),
    "letter delivered": ("check", N_("Letter delivered")),
    "letter came back": ("alert", N_("Letter came back")),
    "letter answered": ("mail", N_("Letter answered")),
    "letter run begun": ("file", N_("Run of letters begun")),
    "letter run ready": ("file", N_("Run of letters ready")),
    "letter run started": ("send", N_("Run of letters started")),
    "letter run done": ("check", N_("Run of letters done")),
    "letter run cancelled": ("x", N_("Run of letters cancelled")),
    "account left out of a run": ("x", N_("Account left out of a run of letters")),
    "account taken into a run": ("check", N_("Account taken into a run of letters")),
    "print run made": ("file", N_("File for the print shop made")),
    "print run handed over": ("send", N_("File handed over to the print shop")),
    "letters to an account stopped": ("ban", N_("No letters to this account")),
    "letters to an account allowed": ("check", N_("Letters to this account again")),
    "webhook added": ("link", N_("Webhook added")),
    "webhook stopped": ("ban", N_("Webhook stopped")),
}
TASKS: Mapping[str, str] = {
    "review": N_("Review"),
    "answer": N_("Answer"),
    "courtesy_call": N_("Courtesy call"),
    "approve_credit": N_("Approve credit"),
    "credit_decided": N_("Carry out the decision on a credit"),
    "check_delivery": N_("Get the proof of delivery"),
    "document_arrived": N_("Go on with the document"),
    "owner_answer": N_("Settle and answer"),
    "send_copy": N_("Send a copy of the invoice"),
    "letter": N_("Write the letter"),
    "escalation": N_("Help a case that is stuck"),
    "mention": N_("You are mentioned"),
    "mail_failed": N_("Mail could not be sent"),
    "mail_returned": N_("Mail did not arrive"),
    "digest_refused": N_("Doubtful answer to a digest"),
    "check_sending": N_("Check whether the mail was sent"),
    "bank_check": N_("Changed bank details: call back"),
    "bank_confirm": N_("Changed bank details: confirm as second person"),
    "warn_customer": N_("Fraud: warn the customer"),
    "check_sender": N_("Fraud: look at the sender's other mails"),
}
LETTERS: Mapping[str, str] = {
    "acknowledgement": N_("Acknowledgement"),
    "dispute_accepted": N_("Dispute accepted"),
    "dispute_partly_accepted": N_("Dispute partly accepted"),
    "dispute_rejected": N_("Dispute refused"),
    "apology": N_("Apology"),
    "statement": N_("Statement of account"),
    "payment_plan": N_("Payment plan"),
    "reminder_1": N_("First reminder"),
    "reminder_2": N_("Second reminder"),
    "reminder_3": N_("Last reminder"),
    "formal_notice": N_("Formal notice"),
    "closing": N_("Closing letter"),
}
"""Kinds of letters."""
EVERY: Mapping[str, str] = {
    "month": N_("every month"),
    "two_weeks": N_("every two weeks"),
    "week": N_("every week"),
}
"""How the instalments of a plan follow each other (letters.instalments)."""
LETTER_STATES: Mapping[str, str] = {
    "drafted": N_("Being printed"),
    "checked": N_("To approve"),
    "approved": N_("Approved"),
    "queued": N_("Leaves shortly"),
    "sent": N_("Sent"),
    "delivered": N_("Delivered"),
    "bounced": N_("Came back"),
    "answered": N_("Answered"),
    "uncertain": N_("Perhaps sent: check"),
    "cancelled": N_("Not sent"),
}
LETTER_LOOKS: Mapping[str, str] = {
    "checked": "is-warn",
    "approved": "is-good",
    "delivered": "is-good",
    "answered": "is-good",
    "bounced": "is-bad",
    "uncertain": "is-bad",
    "cancelled": "is-line",
}
LETTER_RUNS: Mapping[str, str] = {
    "looking": N_("Looking at accounts"),
    "ready": N_("Ready to start"),
    "running": N_("Being written"),
    "done": N_("Done"),
    "cancelled": N_("Cancelled"),
}
RUN_ITEMS: Mapping[str, str] = {
    "included": N_("Gets a letter"),
    "excluded": N_("Left out"),
    "exception": N_("No letter"),
    "written": N_("Written"),
    "stopped": N_("Stopped"),
}
CHANNELS: Mapping[str, str] = {"email": N_("E-mail"), "post": N_("Post"), "registered": N_("Registered post")}
LEFT_OUT: Mapping[str, str] = {
    "disputed": N_("In dispute"),
    "promised": N_("Promised"),
    "paid": N_("Covered by a payment"),
    "credited": N_("Covered by a credit"),
    "waiting_on_us": N_("They wait for us"),
    "held": N_("On hold"),
}
"""Why a letter leaves some of an invoice out (letters.balance)."""
NO_LETTER: Mapping[str, str] = {
    "blocked": N_("Letters are stopped"),
    "two_people": N_("Bank details are checked first"),
    "person_first": N_("A person decides first"),
    "call_first": N_("A call comes first"),
    "own_delay": N_("They wait for us"),
    "unreachable": N_("No address"),
    "disputed": N_("In dispute"),
    "covered": N_("Covered by money or a promise"),
    "too_small": N_("Too small"),
    "all_said": N_("Every level was sent"),
    "changed": N_("Changed since"),
    "waiting": N_("A letter waits already"),
    "fault": N_("Cannot be written"),
}
"""Why an account gets no letter (letters.guards)."""
DECISIONS: Mapping[str, str] = {
    "accepted": N_("The owner accepts"),
    "rejected": N_("The owner refuses"),
    "credit": N_("The owner asks for a credit"),
}
CLOCKS_SHORT: Mapping[str, str] = {
    "first_answer": N_("1st answer"),
    "next_update": N_("Update"),
    "owner_answer": N_("Owner"),
    "resolution": N_("Resolution"),
}
"""What is promised, as short as a row of a list needs it."""
PROMISES_KEPT = N_("All promises kept")
CHIP_LOOKS: Mapping[str, str] = {"late": "is-bad", "soon": "is-warn", "due": "", "paused": "is-line", "met": "is-good"}
CHIP_ICONS: Mapping[str, str] = {"late": "alert", "soon": "clock", "due": "clock", "paused": "pause", "met": "check"}
LANGUAGES: Mapping[str, str] = {
    "de": N_("German"),
    "en": N_("English"),
    "es": N_("Spanish"),
    "fr": N_("French"),
    "it": N_("Italian"),
    "nl": N_("Dutch"),
}
ROLES: Mapping[str, str] = {
    "agent": N_("Agent"),
    "owner": N_("Owner"),
    "lead": N_("Team lead"),
    "admin": N_("Administrator"),
}
SORTS: Mapping[str, str] = {
    "activity": N_("Latest activity"),
    "due": N_("Due first"),
    "oldest": N_("Oldest first"),
    "newest": N_("Newest first"),
}


def kind(name: str) -> str:
    """A kind's English label."""
    return KINDS.get(name, name)


def team(key: str) -> str:
    """A team's English label, or its key."""
    return TEAMS.get(key, key)


def level(case: Case) -> int:
    """1 where an agent has the case, 2 an owner; without anybody the level of its team. `owner`, `team` are loaded."""
    return level_of(case.owner.skills if case.owner else {}, case.team.key if case.team else FALLBACK_TEAM)


def case_letters(case: Case) -> Sequence[str]:
    """The kinds of letters that can be started for a case as it stands."""
    return offered(case)


def label(table: Mapping[str, str], code: str | None) -> str:
    """A code's English label; an unknown code is shown in plain words instead of hidden."""
    return table.get(code or "", (code or "").replace("_", " ").capitalize())


def happened(verb: str) -> tuple[str, str]:
    """The icon and the English words of an event."""
    return VERBS.get(verb, ("dots", verb.capitalize()))


NOBODY = N_("nobody")
SURE, LIKELY = 0.9, 0.7


def confidence(share: float) -> str:
    """How sure the program is, in words (U25)."""
    if share >= SURE:
        return N_("Sure")
    return N_("Likely") if share >= LIKELY else N_("Unsure")
