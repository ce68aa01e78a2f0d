"""Every code the domain writes has words on the screen: a new verb without a label fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import disputes.actions
import letters.actions
from app.web import labels
from disputes.actions.cases import RESOLUTIONS
from disputes.customer_mail import KINDS
from disputes.queries.filters import STATES_DONE, STATES_OPEN

ACTIONS = tuple(Path(one.__path__[0]) for one in (disputes.actions, letters.actions))
PARTS = "*"


def verbs_of(source: str) -> Iterator[str]:
    """Verbs given to record() and the like; what an f-string fills in is a *."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and [getattr(one, "id", "") for one in node.targets] == ["verb"]:
            yield from spoken(node.value)
        if not isinstance(node, ast.Call):
            continue
        given = [word.value for word in node.keywords if word.arg == "verb"]
        helper = isinstance(node.func, ast.Name) and node.func.id in {"_record", "_log", "_told"}
        given += [arg for arg in node.args if helper]
        for value in given:
            yield from spoken(value)


def spoken(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from (*spoken(value.body), *spoken(value.orelse))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else PARTS for part in value.values)


def labelled(verb: str) -> bool:
    before, star, after = verb.partition(PARTS)
    filled = [known for known in labels.VERBS if known.startswith(before) and known.endswith(after)]
    return verb in labels.VERBS or bool(star and filled)


def test_every_verb_of_the_domain_has_a_label() -> None:
    files = [path for folder in ACTIONS for path in folder.rglob("*.py")]
    found = {verb for path in files for verb in verbs_of(path.read_text(encoding="utf-8"))}
    assert {"case resolved", "note written", "answer written", "case joined by another", "task *"} <= found
    assert {"letter drafted", "letter run begun", "print run made", "letters to an account stopped"} <= found
    assert sorted(verb for verb in found if not labelled(verb)) == []


def test_filled_in_verbs_have_labels_too() -> None:
    filled = [f"mail {state}" for state in labels.OUTBOX] + [f"link {state}" for state in ("confirmed", "rejected")]
    filled += [f"promise {state.replace('_', ' ')}" for state in labels.PROMISES]
    filled += [f"{kind} written" for kind in KINDS if kind != "signature"]
    filled += [f"task {state}" for state in ("done", "cancelled")] + ["mail returned", "mail delayed"]
    assert [verb for verb in filled if verb not in labels.VERBS] == []


def test_every_state_resolution_and_kind_of_task_has_a_label() -> None:
    assert set(labels.STATES) == {*STATES_OPEN, *STATES_DONE}
    assert set(labels.RESOLUTIONS) == set(RESOLUTIONS)
    assert {"mention", "mail_failed", "mail_returned", "check_sending", "letter", "escalation"} <= set(labels.TASKS)
