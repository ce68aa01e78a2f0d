"""What the parts of rules are called on screen, which guards a step meets, and faults in words. Pure.

English here; gettext translates where they are shown.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from app.web import labels
from app.web.rules.forms import Sheet
from disputes.own_reasons import OwnReason
from disputes.playbook import Step, written
from disputes.reasons import TEAMS
from disputes.routing_rules import REASON_TEAM, TEAM_CASE_OWNER
from letters.procedure import Kind as ReminderKind

N_ = str  # marks a msgid for extraction

ACTIONS: Mapping[str, tuple[str, str]] = {
    "acknowledge": ("check", N_("Acknowledge")),
    "ask_owner": ("user", N_("Ask the owner")),
    "tell_status": ("send", N_("Tell the customer the status")),
    "courtesy_call": ("phone", N_("Courtesy call")),
    "letter": ("invoice", N_("Letter")),
    "escalate": ("flame", N_("Escalate")),
    "ask_satisfaction": ("help", N_("Ask whether the customer is satisfied")),
    "close": ("archive", N_("Close the case")),
}
"""Action -> its icon and name."""
ANCHORS: Mapping[str, str] = {
    "opened": N_("the case is opened"),
    "previous": N_("the step before is done"),
    "customer_wrote": N_("the customer writes"),
    "we_wrote": N_("we write to the customer"),
    "owner_asked": N_("the owner is asked"),
    "waiting": N_("the case begins to wait"),
    "resolved": N_("the matter is resolved"),
}
"""Reads after "as soon as" and after "2 working days after"."""
WAITING_ON: Mapping[str, str] = {
    "customer": N_("the customer"),
    "us": N_("us"),
    "third_party": N_("a third party"),
    "nobody": N_("nobody"),
}
STATES: Mapping[str, str] = {state: labels.STATES[state] for state in ("new", "in_progress", "waiting", "resolved")}
"""The states a rule may ask for: what is closed or merged is not handled any more."""
FURTHER = tuple(
    f"when.{name}"
    for name in (
        *("kind", "reasons", "states", "entities", "accounts", "languages", "sentiments", "urgent", "tags"),
        *("currency", "amount_from", "amount_below"),
    )
)
"""Conditions a step seldom needs: folded away until one is used."""
GUARDS: Mapping[str, tuple[str, str]] = {
    "hold": (N_("Case held"), N_("A person put the case on hold: nothing is done until the hold ends.")),
    "own_delay": (N_("Our own delay"), N_("No letter and no escalation while the case waits on us or a third party.")),
    "recipient": (N_("Nobody to read it"), N_("Never to machines, strangers, or where no address is known.")),
    "two_people": (
        N_("Bank details checked first"),
        N_("Changed bank details of this customer: nothing goes out until two people released them."),
    ),
    "person_first": (
        N_("A person first"),
        N_("Changed bank details, lawyers or insolvency: a person decides what is written."),
    ),
    "call_first": (N_("Call first"), N_("Somebody angry or in a hurry is called before anything is written.")),
    "disputed": (N_("In dispute"), N_("Disputed amounts are never dunned; the undisputed rest is.")),
    "covered": (N_("Covered"), N_("A payment, a credit or a promise covers what is due.")),
    "quiet": (N_("Quiet period"), N_("They got an automatic mail a short while ago.")),
    "not_settled": (N_("Not settled"), N_("Money is still in dispute, or the customer wrote again.")),
}
"""Guard -> its short name, and what it refuses."""
CHANGES: Mapping[str, tuple[str, str]] = {
    "earlier": (N_("earlier"), "is-warn"),
    "later": (N_("later"), "is-query"),
    "other_step": (N_("another step"), "is-plum"),
    "begins": (N_("something begins"), "is-good"),
    "nothing_left": (N_("nothing left to do"), "is-line"),
}
"""What a changed playbook does to a case, and its look."""
HOW: Mapping[str, tuple[str, str]] = {
    "added": (N_("Added"), "is-good"),
    "removed": (N_("Taken away"), "is-bad"),
    "changed": (N_("Changed"), "is-warn"),
    "moved": (N_("Moved"), "is-query"),
}
PLACES: Mapping[str, str] = {
    "name": N_("Name"),
    "when": N_("For which cases"),
    "guards": N_("Guards"),
    "steps": N_("Steps"),
    "rules": N_("Rules"),
    "reasons": N_("Reasons"),
    "codes": N_("Codes"),
    "levels": N_("Levels"),
    "rows": N_("For whom"),
    "currency": N_("Currency"),
    "least_item": N_("Smallest amount asked for"),
    "days_between": N_("Days between two letters"),
    "quiet_days": N_("Quiet days after an automatic mail"),
    "days_after_answer": N_("Rest after an answered dispute"),
    "days_after_promise": N_("Rest after a broken promise"),
    "warn_at": N_("Warning"),
    "acknowledgement_counts": N_("Acknowledgement"),
    "customers": N_("Whose law counts"),
    "agreed": N_("Agreed in contracts"),
    "subject": N_("Subject"),
    "body": N_("Text"),
    "greeting": N_("Greeting"),
    "closing": N_("Closing words"),
    "address": N_("Address"),
    "legal": N_("Legal lines at the foot"),
    "bank": N_("Where to pay"),
    "logo": N_("Logo"),
    "accent": N_("Colour"),
    "window": N_("Envelope"),
    "place": N_("Place before the date"),
    "phone": N_("Telephone"),
    "email": N_("E-mail"),
    "web": N_("Website"),
}
CUSTOMERS: Mapping[str, str] = {
    "business": N_("businesses"),
    "consumer": N_("consumers"),
    "public": N_("public authorities"),
}
"""Whose law on late payment counts."""
WINDOWS: Mapping[str, str] = {
    "": N_("as usual in the country"),
    "din_a": N_("window at the left, DIN 5008 form A"),
    "din_b": N_("window at the left, DIN 5008 form B"),
    "right": N_("window at the right, NF Z 11-001"),
    "swiss": N_("window at the right, Swiss Post"),
}
"""Where the envelope's window is."""
WORDINGS: Mapping[str, str] = {
    "acknowledgement": N_("Acknowledgement"),
    "status": N_("State of the case"),
    "question": N_("Question"),
    "resolution": N_("Outcome"),
    "apology": N_("Apology"),
    "satisfaction": N_("Satisfaction"),
    "signature": N_("Signature"),
}
SHIPPED_LEVELS = (N_("urgent disputes"), N_("angry customers"), N_("urgent queries"), N_("everything else"))
"""Names of the service levels that ship (defaults/service_levels.toml), read in the reader's language."""
STEP_WORDINGS: Mapping[str, str] = {name: WORDINGS[name] for name in ("status", "question", "apology")} | {
    "reminder": N_("Reminder")
}
"""Which wording a mail or letter of a step uses."""
PLACEHOLDERS: Mapping[str, str] = {
    "name": N_("the person written to"),
    "case": N_("the case's number"),
    "subject": N_("the subject of their mail"),
    "seller": N_("your company"),
    "agent": N_("whoever writes; empty in automatic mails"),
    "invoices": N_("the invoices' numbers"),
    "many": N_("whether there are several invoices"),
    "amount": N_("what is in dispute"),
    "day": N_("by when they hear from us"),
    "with_us": N_("whether the case lies with us, not with a third party"),
    "about": N_("“about invoice …”, or nothing"),
    "question": N_("the question asked"),
    "outcome": N_("how the case ends, in a sentence"),
    "credited": N_("what is credited"),
    "why": N_("the reason given to the customer"),
    "link": N_("where the customer says how content they are"),
}
REMINDERS: Mapping[str, str] = {kind: labels.LETTERS[kind] for kind in get_args(ReminderKind)}
"""Kinds of letter a level may send."""
WAYS: Mapping[str, str] = {
    "email, post": N_("By e-mail, else by post"),
    "post, email": N_("By post, else by e-mail"),
    "email": N_("By e-mail only"),
    "post": N_("By post only"),
    "registered, post": N_("By registered post, else by post"),
    "registered": N_("By registered post only"),
}
"""How a level's letters go, the first way that can reach the customer."""
APPROVALS: Mapping[str, str] = {
    "nobody": N_("nobody"),
    "agent": N_("an agent"),
    "lead": N_("a team lead"),
}
"""Who looks at a letter before it goes."""
SHIPPED_PROCEDURES = (
    *(N_("Belgium"), N_("France"), N_("Germany"), N_("Italy")),
    *(N_("Netherlands"), N_("Spain"), N_("Switzerland"), N_("United Kingdom")),
)
"""Names of the procedures that ship (letters/procedures), read in the reader's language."""
_FAULTS: tuple[tuple[str, str], ...] = (
    ("Field required", N_("Please fill this in.")),
    ("String should have at least", N_("Please fill this in.")),
    ("unable to parse string as an integer", N_("Please give a whole number.")),
    ("Input should be a valid", N_("Please give a number.")),
    ("Input should be greater than", N_("This is too small.")),
    ("Input should be less than", N_("This is too large.")),
    ("Input should be", N_("Please choose one of the list.")),
    ("String should have at most", N_("This is too long.")),
    ("String should match pattern", N_("This cannot be read: check how it is written.")),
    ("Tuple should have at least", N_("At least one is needed.")),
    ("Tuple should have at most", N_("These are too many.")),
    ("a repeated step needs time between", N_("A repeated step needs time between: give days or hours.")),
    ("cannot be repeated", N_("This step cannot be repeated: it ends something.")),
    ("only an escalation says whom", N_("Only an escalation says whom it goes to.")),
    ("each step needs an id", N_("Two steps have the same name.")),
    ("a limit on the amount needs its currency", N_("A limit on the amount needs its currency.")),
    ("amount_from must be less", N_("The lower limit must be less than the upper one.")),
    ("must fit every case and name a team", N_("The last rule must fit every case: take its conditions away.")),
    ("must fit every case", N_("The last rule must fit every case: take its conditions away.")),
    ("must give hours for", N_("The last rule must give hours for every clock.")),
    ("promise between 0 and 2000 hours", N_("Promise more than nothing and at most 2,000 hours.")),
    ("must be later than", N_("Each level comes later than the one before it, and not for less money.")),
    ("needs days_after_previous", N_("Every level but the first needs days after the level before.")),
    ("a fee needs fee_source", N_("Say what the fee is owed by: a contract or a law.")),
    ("is no currency", N_("There is no such currency.")),
    ("each level needs an id", N_("Two levels have the same name.")),
    ("unique within its entity only", N_("A customer number needs its entity.")),
    ("to be a special form of", N_("Choose what it is a special form of.")),
    ("there is no reason", N_("There is no such reason.")),
    ("holds a sign that cannot be kept", N_("This holds a sign that cannot be kept.")),
    ("there is no team", N_("There is no such team.")),
    ("a name is 1 to", N_("A name has at most 20 small letters, digits and _, and begins with a letter.")),
    ("is the name of a shipped reason", N_("There is a reason of that name already.")),
    ("there are two reasons", N_("There is a reason of that name already.")),
    ("stands on line", N_("This reason stands twice.")),
    ("a label in one language", N_("Give a label in one language at least.")),
    ("a label has at most", N_("This is too long.")),
    ("is not in the list of", N_("This is not in the standard's list.")),
    ("is no code of", N_("This is no code: X12 has two letters or digits, SAP up to 20 signs without a space.")),
    ("codes of a system", N_("These are too many.")),
    ("the kind of", N_("This is not the kind of that reason.")),
    ("the columns are", N_("The first line names the columns, each once; “reason” is needed, others are not known.")),
    ("it has more cells", N_("It has more cells than columns, or the file has too many lines.")),
    ("it is no text", N_("This is no text in UTF-8.")),
    ("it has over", N_("The file is too large.")),
    ("it cannot be read as CSV", N_("This cannot be read as CSV.")),
    ("would be lost", N_("A reason is never taken away: retire it instead.")),
    ("there is no language", N_("There is no such language.")),
)


Gettext = Callable[[str], str]


def options(table: Mapping[str, str], spoken: Gettext) -> list[tuple[str, str]]:
    """Codes with their names in the reader's language."""
    return [(code, spoken(name)) for code, name in table.items()]


def actions(spoken: Gettext) -> list[tuple[str, str]]:
    """What a step can do, by name."""
    return [(code, spoken(name)) for code, (_, name) in ACTIONS.items()]


def teams(known: Iterable[tuple[str, str]], spoken: Gettext) -> list[tuple[str, str]]:
    """The teams there are and those that ship, by key."""
    keys = dict.fromkeys([*(key for key, _ in known), *TEAMS])
    return [(key, spoken(labels.team(key))) for key in keys]


def sheet_of(own: OwnReason | None) -> Sheet:
    """A reason of the deployment's own as its form shows it; an empty form for None."""
    return Sheet(own.model_dump(mode="json") if own else {})


def file_place(place: str, spoken: Gettext) -> str:
    """Where in a file something is wrong: "line 7, peppol" in the reader's language."""
    line, _, column = place.partition(", ")
    number = line.removeprefix("line ")
    if not number.isdecimal():
        return spoken(N_("File")) if place == "file" else place
    said = spoken(N_("Line %(number)s")) % {"number": number}
    return f"{said}, {column}" if column else said


def places(teams: Iterable[tuple[str, str]], spoken: Gettext) -> list[tuple[str, str]]:
    """Where a rule may send a case: the team of its reason, whoever has it, or a team by its key."""
    own = [(REASON_TEAM, spoken(N_("the team of the reason"))), (TEAM_CASE_OWNER, spoken(N_("whoever has the case")))]
    return [*own, *((key, spoken(labels.team(key))) for key, _ in teams)]


def other_tags(sheet: Sheet) -> str:
    """The tags a condition asks for that no box stands for."""
    found = [tag for tag in sheet.value("when.tags").split(", ") if tag not in labels.FLAGS]
    return ", ".join(found)


def fault(words: str) -> str:
    """A fault of rules in words that translate; one nobody foresaw stays as it is."""
    return next((said for part, said in _FAULTS if part in words), words)


def guards_of(step: Step) -> tuple[str, ...]:
    """The guards that may refuse a step (playbook_guards), in the order they are asked."""
    found = ["hold"]
    dunning = written(step) and step.action in {"letter", "escalate"}
    if dunning:
        found.append("own_delay")
    if written(step):
        found += ["recipient", "two_people", "person_first", "call_first"]
    if dunning:
        found += ["disputed", "covered"]
    if written(step):
        found.append("quiet")
    if step.action == "close":
        found.append("not_settled")
    return tuple(found)
