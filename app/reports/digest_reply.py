"""The short answer to an owner whose answer was not all clear: what was understood, what was not, and how to say it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from app.core.i18n import words
from app.reports.digest import ACTIONS, EXAMPLES
from disputes.actions.digest_mail import Heard, Problem
from disputes.digest_answers import ABOVE, Command
from disputes.digest_tokens import CREDIT
from disputes.replies import one_line

N_ = str  # marks a msgid for extraction
MOST_LINES = 20
LONGEST_QUOTE = 200
PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "unclear": N_("#%(number)s: “%(text)s” was kept as a note. Was it meant as a decision?"),
        "which_case": N_("“%(text)s”: please say of which case, with its number."),
        "not_yours": N_("#%(number)s: this case is not yours, or not any more. Nothing was done."),
        "over": N_("#%(number)s: this case is settled already. Nothing was done."),
        "cannot": N_("#%(number)s: this could not be done. %(text)s"),
        "files": N_("%(text)s: please send it again with the number of its case alone."),
        "another": N_("This digest went to somebody else, who alone can answer it by mail. Nothing was done."),
        "expired": N_("This digest is too old to be answered: please use a newer one, or open the case."),
    }
)


def compose(heard: Heard, *, language: str, cases: Sequence[int], url: Callable[[int], str]) -> str:
    """The mail's text. `cases` are those of the digest, for the examples."""
    spoken = words(language)
    say = spoken.gettext
    lines = [f"{ABOVE} {say('Answer above this line')} -##", "", say("Hello %(name)s,") % {"name": heard.user.name}, ""]
    if heard.done:
        lines += [say("Done:"), *(f"  {_done(command, say)}" for command in heard.done[:MOST_LINES]), ""]
    lines += [say("Not clear:"), *(f"  {_problem(problem, say)}" for problem in heard.problems[:MOST_LINES]), ""]
    number = f"#{cases[0]} " if len(cases) > 1 else ""
    if any(problem.what != "another" for problem in heard.problems):
        lines.append(say("You may answer this mail with one of these:"))
        lines += [*(f"  “{number}{say(one)}”" for one in EXAMPLES), ""]
    about = dict.fromkeys(one.case_id for one in heard.problems if one.case_id is not None)
    lines += [url(case_id) for case_id in about]
    return "\n".join(lines).strip() + "\n"


def _done(command: Command, say: Callable[[str], str]) -> str:
    what = say(ACTIONS[command.action])
    if command.action == CREDIT:
        what = say("Credit %(amount)s") % {"amount": f"{command.amount} {command.currency}".strip()}
    return f"#{command.case_id} {what}"


def _problem(problem: Problem, say: Callable[[str], str]) -> str:
    text = one_line(problem.text)
    told = f"{text[:LONGEST_QUOTE]}…" if len(text) > LONGEST_QUOTE else text
    return say(PROBLEMS[problem.what]) % {"number": problem.case_id or "", "text": told}
