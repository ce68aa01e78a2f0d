"""Leads change how cases are handled: seen before it is saved, in versions, with words beside the field at fault."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core.events import Event, system
from app.web.rules import names
from app.web.rules.forms import shown
from disputes.actions import policies
from disputes.clocks import default_levels
from disputes.models import Absence, Case, CaseStep, Policy
from disputes.playbook import Step, default_playbooks, written
from disputes.playbook_guards import _GUARDS
from disputes.routing_rules import AUTO, default_routing
from disputes.rules_in_force import PLAYBOOK
from tests.app.web.conftest import SAME_ORIGIN, Site
from tests.databases import QueryRecorder
from tests.factories import a_message, a_team, a_user

DISPUTE = "/rules/playbooks/dispute"


def fields_of(content: Any, prefix: str = "") -> dict[str, str | list[str]]:
    """Content as the page's form sends it."""
    found: dict[str, str | list[str]] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            found |= fields_of(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, row in enumerate(value):
                found |= fields_of(row, f"{prefix}{name}.r{number}.")
        elif isinstance(value, list):
            found[f"{prefix}{name}[]"] = [str(one) for one in value]
        else:
            found[f"{prefix}{name}"] = str(value)
    return found


def playbook_form(**changed: str | list[str]) -> dict[str, str | list[str]]:
    return fields_of(shown(default_playbooks()["dispute"].model_dump(mode="json"))) | {"based_on": "0"} | changed


def routing_form(**changed: str | list[str]) -> dict[str, str | list[str]]:
    return fields_of(shown(default_routing().model_dump(mode="json"))) | {"based_on": "0"} | changed


def posted(site: Site, path: str, fields: Mapping[str, str | list[str]]) -> Any:
    return site.client.post(path, data=dict(fields), headers=SAME_ORIGIN)


@pytest.fixture
def lead(site: Site) -> Site:
    """A lead, and the case on its way: acknowledged, its owner asked, next a status after four working days."""
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        case.playbook, case.next_step, case.waiting_on = "dispute", "tell_status", "third_party"
        case.step_from = site.now
        case.opened_at, case.due_at = site.now, site.now + timedelta(days=4)
        done = {"cycle": 0, "state": "taken", "actor": "system:test", "at": site.now}
        session.add_all(CaseStep(case_id=case.id, step=step, **done) for step in ("acknowledge", "ask_owner"))
    site.sign_in("Lea Blanc", role="lead")
    return site


def test_playbooks_are_told_in_sentences(lead: Site) -> None:
    page = lead.get("/rules/playbooks").text
    assert "4 working days after we write to the customer, then every 5 working days, 20 times in all" in page
    assert "As shipped with Amiable" in page
    assert lead.get("/rules").headers["location"] == "/rules/playbooks"
    editor = lead.get(DISPUTE).text
    assert "Disputed amounts are never dunned" in editor, "guards are explained"
    assert lead.get("/rules/playbooks/nonsense").status_code == 404


def test_the_effect_of_a_change_is_seen_before_anything_is_saved(lead: Site) -> None:
    day = {"steps.r4.after.days": "1"}
    page = posted(lead, f"{DISPUTE}/preview", playbook_form(**day))
    assert page.status_code == 200
    assert "1 open case goes another way" in page.text
    assert "Boulangerie Keller" in page.text
    assert "earlier" in page.text
    assert "1 working day after we write to the customer" in page.text
    assert "No open case goes another way" in posted(lead, f"{DISPUTE}/preview", playbook_form()).text
    with lead.database.transaction(read_only=True) as session:
        assert session.scalars(select(Policy)).all() == []
    assert lead.case().due_at == lead.now + timedelta(days=4)


def test_saving_times_the_running_case_again_and_an_old_version_is_brought_back(lead: Site) -> None:
    answer = posted(lead, f"{DISPUTE}/versions", playbook_form(**{"steps.r4.after.days": "1", "note": "quicker"}))
    assert answer.headers["location"] == f"{DISPUTE}?saved=1"
    assert "1 running case was re-timed." in lead.get(answer.headers["location"]).text
    due = lead.case().due_at
    assert due is not None
    assert due < lead.now + timedelta(days=2)
    page = lead.get(DISPUTE).text
    assert "Version 1" in page
    assert "quicker" in page
    assert "Lea Blanc" in page
    old = lead.get(f"{DISPUTE}?version=shipped").text
    assert "You are looking at an older version." in old
    back = lead.post("/rules/versions/shipped/activation", family="playbook", key="dispute")
    assert back.headers["location"] == f"{DISPUTE}?saved=1"
    twice = lead.post("/rules/versions/shipped/activation", family="playbook", key="dispute")
    assert twice.headers["location"] == f"{DISPUTE}?saved=0"
    assert "You are looking at an older version." not in lead.get(f"{DISPUTE}?version=shipped").text
    again = lead.case().due_at
    assert again is not None
    assert again > due
    with lead.database.transaction(read_only=True) as session:
        (policy,) = session.scalars(select(Policy))
    assert not policy.active
    forward = lead.post(f"/rules/versions/{policy.id}/activation", family="playbook", key="dispute")
    assert forward.status_code == 303
    assert lead.case().due_at == due
    assert lead.post("/rules/versions/999/activation", family="playbook", key="dispute").status_code == 404


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"steps.r4.after.days": "soon"}, "Please give a whole number."),
        ({"steps.r4.after.days": "400"}, "This is too large."),
        ({"steps.r4.repeat.at_most": "1"}, "This is too small."),
        ({"steps.r0.repeat.at_most": "3", "steps.r0.repeat.every.days": "2"}, "This step cannot be repeated"),
        ({"when.reasons[]": ["price", "weather"]}, "There is no such reason."),
        ({"when.amount_from": "100"}, "A limit on the amount needs its currency."),
        ({"name": ""}, "Please fill this in."),
        ({"guards.least_letter": "100%"}, "This cannot be read"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(
    lead: Site, changed: dict[str, str | list[str]], words: str
) -> None:
    for path in ("preview", "versions"):
        page = posted(lead, f"{DISPUTE}/{path}", playbook_form(note="because", **changed))
        assert page.status_code == 422
        assert words in page.text
        assert 'value="because"' in page.text
        assert "Nothing was saved" in page.text
    assert lead.case().due_at == lead.now + timedelta(days=4)


def test_fields_of_nobody_are_refused(lead: Site) -> None:
    assert posted(lead, f"{DISPUTE}/versions", playbook_form(**{"steps.r0.code": "print()"})).status_code == 422
    assert posted(lead, f"{DISPUTE}/versions", playbook_form(a="x", **{"a.b": "y"})).status_code == 422


def test_steps_are_added_moved_and_taken_away(lead: Site) -> None:
    form = {name: value for name, value in playbook_form().items() if not name.startswith(("steps.r0.", "steps.r8."))}
    form |= {
        "steps.n1.id": "",
        "steps.n1.action": "letter",
        "steps.n1.counted_from": "waiting",
        "steps.n1.after.days": "20",
    }
    assert posted(lead, f"{DISPUTE}/versions", form).status_code == 303
    with lead.database.transaction(read_only=True) as session:
        (policy,) = session.scalars(select(Policy))
    ids = [step["id"] for step in policy.content["steps"]]
    assert ids[-1] == "letter"
    assert "acknowledge" not in ids
    page = lead.get(DISPUTE).text
    assert "Taken away" in page, "the history says what changed"
    assert "20 working days after the case begins to wait" in page


def test_two_who_change_the_same_playbook_do_not_overwrite_each_other(lead: Site) -> None:
    assert posted(lead, f"{DISPUTE}/versions", playbook_form(name="First")).status_code == 303
    late = posted(lead, f"{DISPUTE}/versions", playbook_form(name="Second"))
    assert late.status_code == 409
    assert "somebody saved another version" in late.text
    assert 'value="Second"' in late.text
    assert posted(lead, f"{DISPUTE}/versions", playbook_form(name="Second", based_on="1")).status_code == 303
    assert "Second" in lead.get("/rules/playbooks").text


def test_a_playbook_of_its_own_is_written_used_first_and_stopped(lead: Site) -> None:
    assert "Begin with a copy of" in lead.get("/rules/playbooks").text
    assert lead.get("/rules/playbooks/new?like=dispute").status_code == 200
    form = playbook_form(name="Große Händler") | {"when.reasons[]": ["price"], "steps.r4.after.days": "1"}
    preview = posted(lead, "/rules/playbooks/new/preview", form)
    assert "1 open case goes another way" in preview.text
    made = posted(lead, "/rules/playbooks/new/versions", form)
    assert made.headers["location"].startswith("/rules/playbooks/groe_handler?saved=")
    listed = lead.get("/rules/playbooks").text
    assert listed.index("Große Händler") < listed.index(">Dispute<")
    taken = posted(lead, "/rules/playbooks/new/versions", form)
    assert taken.status_code == 422
    assert "There is a playbook of that name already." in taken.text
    assert posted(lead, "/rules/playbooks/new/versions", playbook_form(name="42")).status_code == 422
    stopped = lead.post("/rules/versions/shipped/activation", family="playbook", key="groe_handler")
    assert stopped.headers["location"] == "/rules/playbooks"
    assert "Not in use" in lead.get("/rules/playbooks/groe_handler").text
    assert "Groe handler" in lead.get("/rules/playbooks").text


@pytest.mark.parametrize("path", ["/rules/playbooks", DISPUTE, "/rules/routing", "/rules/service-levels"])
def test_pages_ask_as_often_however_many_versions_there_are(lead: Site, queries: QueryRecorder, path: str) -> None:
    counts = []
    for number in range(4):
        form = playbook_form(name=f"Dispute {number}", based_on=str(number))
        assert posted(lead, f"{DISPUTE}/versions", form).status_code == 303
        other = playbook_form(name=f"Other {number}", **{"when.accounts[,]": "C1"})
        assert posted(lead, "/rules/playbooks/new/versions", other).status_code == 303
        lead.get(path)
        with queries:
            lead.get(path)
        counts.append(queries.count)
    assert len(set(counts)) == 1


def test_the_guards_told_for_a_step_are_those_that_may_refuse_it() -> None:
    steps = [step for playbook in default_playbooks().values() for step in playbook.steps]
    for step in [*steps, Step(id="letter_before", action="escalate", to="customer")]:
        told = names.guards_of(step)
        assert told == tuple(name for name, _ in _GUARDS if name in told), "in the order they are asked"
        assert ("quiet" in told) == written(step)
        assert ("covered" in told) == (step.action == "letter" or step.to == "customer")
    assert set(names.GUARDS) == {name for name, _ in _GUARDS}


@pytest.fixture
def routed(lead: Site) -> Site:
    """Pricing has the case by a rule; sales has somebody free."""
    with lead.database.transaction() as session:
        pricing, sales = a_team(session), a_team(session, "sales")
        pia = a_user(session, "Pia Prix", now=lead.now, role="owner", team_id=pricing.id)
        a_user(session, "Sam Vente", now=lead.now, role="owner", team_id=sales.id)
        case = session.get_one(Case, lead.case_id)
        case.owner_id, case.team_id, case.owner_by = pia.id, pricing.id, AUTO
    return lead


def test_a_dry_run_shows_who_would_move_and_why_then_it_is_saved_and_they_move(routed: Site) -> None:
    assert "whoever has the case" in routed.get("/rules/routing").text
    form = routing_form(**{"rules.r2.team": "sales"})
    page = posted(routed, "/rules/routing/preview", form)
    assert page.status_code == 200
    assert "1 open case would change hands" in page.text
    assert "Pia Prix" in page.text
    assert "Sam Vente" in page.text
    assert "What you change" in page.text
    assert routed.case().owner_by == AUTO
    answer = posted(routed, "/rules/routing/versions", {**form, "apply": "yes"})
    assert answer.headers["location"] == "/rules/routing?saved=1"
    with routed.database.transaction(read_only=True) as session:
        case = session.get_one(Case, routed.case_id)
        assert case.owner_id not in {None, 0}
        verbs = session.scalars(select(Event.verb).where(Event.case_id == case.id)).all()
    assert "case assigned" in verbs
    assert "1 open case changed hands." in routed.get(answer.headers["location"]).text


def test_rules_saved_for_new_cases_only_move_nothing(routed: Site) -> None:
    before = routed.case().owner_id
    form = routing_form(**{"rules.r2.team": "sales"})
    assert posted(routed, "/rules/routing/versions", form).headers["location"] == "/rules/routing?saved=0"
    assert routed.case().owner_id == before
    assert posted(routed, "/rules/routing/versions", form | {"rules.r2.team": "tax"}).status_code == 409


def test_an_unknown_team_is_warned_of_and_a_last_rule_with_conditions_refused(routed: Site) -> None:
    unknown = posted(routed, "/rules/routing/preview", routing_form(**{"rules.r1.team": "customs"}))
    assert unknown.status_code == 200
    assert "There is no team “customs”" in unknown.text
    refused = posted(routed, "/rules/routing/versions", routing_form(**{"rules.r2.when.kind": "query"}))
    assert refused.status_code == 422
    assert "The last rule must fit every case" in refused.text
    assert posted(routed, "/rules/routing/preview", {"based_on": "0"}).status_code == 422


def test_words_people_typed_are_shown_as_they_are_whatever_signs_they_hold(routed: Site) -> None:
    odd = "100% <b>sure</b> %(name)s %d"
    form = routing_form(**{"rules.r1.name": odd, "rules.r1.team": "a%d b", "rules.r1.when.tags[,]": "50%off"})
    for language in ("en", "fr"):
        routed.client.headers["accept-language"] = language
        page = posted(routed, "/rules/routing/preview", form)
        assert page.status_code == 200
        assert "100% &lt;b&gt;sure&lt;/b&gt; %(name)s %d" in page.text
        assert "a%d b" in page.text
        broken = posted(routed, "/rules/wordings/status/en/preview", {"body": "{% 100%", "entity": ""})
        assert broken.status_code == 422
    assert posted(routed, "/rules/routing/versions", form).status_code == 303
    assert "100% &lt;b&gt;sure" in routed.get("/rules/routing").text
    named = playbook_form(name="50% off", **{"steps.r0.when.tags[,]": "a%b"})
    assert posted(routed, f"{DISPUTE}/versions", named).status_code == 303
    assert "50% off" in routed.get("/rules/playbooks").text


def levels_form(**changed: str) -> dict[str, str | list[str]]:
    content = shown(default_levels().model_dump(mode="json"))
    del content["warn_at"]
    return fields_of(content) | {"warn_percent": "75", "based_on": "0"} | changed


def test_service_levels_are_changed_by_the_hour(lead: Site) -> None:
    page = lead.get("/rules/service-levels").text
    assert 'name="warn_percent" value="75"' in page
    form = levels_form(**{"rules.r0.hours.first_answer": "1.5", "warn_percent": "62.5"})
    assert posted(lead, "/rules/service-levels/versions", form).status_code == 303
    with lead.database.transaction(read_only=True) as session:
        (policy,) = session.scalars(select(Policy))
    assert policy.content["rules"][0]["hours"]["first_answer"] == 1.5
    assert policy.content["warn_at"] == 0.625
    shown_again = lead.get("/rules/service-levels").text
    assert 'name="warn_percent" value="62.5"' in shown_again
    assert "First answer 1.5 h" in shown_again
    assert posted(lead, "/rules/service-levels/versions", levels_form(warn_percent="60")).status_code == 409
    for wrong, words in (
        ({"warn_percent": "100"}, "This is too large."),
        ({"warn_percent": "most"}, "Please give a number."),
        ({"rules.r4.hours.resolution": ""}, "The last rule must give hours for every clock."),
        ({"rules.r1.hours.first_answer": "0"}, "Promise more than nothing and at most 2,000 hours."),
    ):
        refused = posted(lead, "/rules/service-levels/versions", levels_form(**wrong))
        assert refused.status_code == 422, wrong
        assert words in refused.text, wrong


def test_a_mail_is_worded_and_read_on_a_real_case_first(lead: Site) -> None:
    with lead.database.transaction() as session:
        a_message(session, session.get_one(Case, lead.case_id), now=lead.now, from_name="Claire Martin")
    assert "as shipped" in lead.get("/rules/wordings").text
    path = "/rules/wordings/status/en"
    assert "Hello Claire Martin," in lead.get(path).text
    words = {"subject": "", "body": "Case {{ case }} is with us until {{ day }}.", "based_on": "0", "entity": "FR01"}
    page = posted(lead, f"{path}/preview", {**words, "case": f"#{lead.case_id}"})
    assert f"Case {lead.case_id} is with us until" in page.text
    saved = posted(lead, f"{path}/versions", words)
    assert saved.headers["location"] == f"{path}?entity=FR01"
    assert "is with us until {{ day }}." in lead.get(saved.headers["location"]).text
    assert ">FR01<" in lead.get("/rules/wordings").text
    assert "A short word on your case" in lead.get(path).text, "other entities keep the shipped words"
    assert posted(lead, f"{path}/versions", {**words, "body": "Else"}).status_code == 409
    back = lead.post("/rules/versions/shipped/activation", family="message_template", key="status/en/FR01")
    assert back.headers["location"] == f"{path}?entity=FR01"


@pytest.mark.parametrize("body", ["Dear {{ nobody }}", "{% for a in b %}{% endfor %}", "{{ name", ""])
def test_a_wording_that_cannot_be_filled_in_comes_back(lead: Site, body: str) -> None:
    for path in ("preview", "versions"):
        fields = {"body": body, "entity": "", "based_on": "0"}
        refused = posted(lead, f"/rules/wordings/question/fr/{path}", fields)
        assert refused.status_code == 422
        assert 'aria-invalid="true"' in refused.text


def test_every_mail_has_words_to_begin_with_in_every_language(lead: Site) -> None:
    for kind in names.WORDINGS:
        for language in ("de", "en", "es", "fr", "it", "nl"):
            assert lead.get(f"/rules/wordings/{kind}/{language}").status_code == 200, (kind, language)
    for path in ("poem/en", "status/xx", "status/en?entity=XX99", "status/en?case=999"):
        assert lead.get(f"/rules/wordings/{path}").status_code == 404, path


def test_who_is_away_is_planned_their_cases_handed_over_and_they_come_back(lead: Site) -> None:
    with lead.database.transaction() as session:
        ana, bo = a_user(session, "Ana Silva", now=lead.now), a_user(session, "Bo Lind", now=lead.now)
        session.get_one(Case, lead.case_id).owner_id = ana.id
    assert "Nobody is away" in lead.get("/rules/absences").text
    form = {"user": str(ana.id), "first_day": "2026-03-01", "last_day": "2026-03-08", "note": "Holiday"}
    assert lead.post("/rules/absences", **form).status_code == 303
    page = lead.get("/rules/absences").text
    assert "nobody stands in" in page
    refused = lead.post(f"/rules/absences/{ana.id}/handover")
    assert refused.status_code == 409
    assert "Nobody who is here today stands in for them" in refused.text
    assert lead.post("/rules/absences", **form, stand_in=str(bo.id)).status_code == 303
    with lead.database.transaction(read_only=True) as session:
        (absence,) = session.scalars(select(Absence))
    days = {"first_day": "2026-03-02", "last_day": "2026-03-05", "stand_in": str(bo.id), "note": "Sick"}
    assert lead.post(f"/rules/absences/{absence.id}", **days).status_code == 303
    assert "Sick" in lead.get("/rules/absences").text
    for wrong, words in (
        ({"stand_in": str(ana.id)}, "Nobody stands in for themselves."),
        ({"last_day": ""}, "Please choose a day."),
    ):
        refused = lead.post(f"/rules/absences/{absence.id}", **{**days, **wrong})
        assert refused.status_code == 422
        assert words in refused.text
    handed = lead.post(f"/rules/absences/{ana.id}/handover")
    assert handed.headers["location"] == "/rules/absences?moved=1&stayed=0"
    assert lead.case().owner_id == bo.id
    assert "1 case changed hands." in lead.get(handed.headers["location"]).text
    assert lead.post(f"/rules/absences/{absence.id}/end").status_code == 303
    assert "Nobody is away" in lead.get("/rules/absences").text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"last_day": "2026-02-27"}, "The last day comes before the first."),
        ({"last_day": "2028-03-01"}, "An absence lasts a year at most."),
        ({"first_day": "tomorrow"}, "Please choose a day."),
        ({"user": ""}, "There is no such person any more."),
        ({"user": "9999"}, "There is no such person any more."),
    ],
)
def test_days_that_make_no_sense_come_back(lead: Site, wrong: dict[str, str], words: str) -> None:
    with lead.database.transaction() as session:
        ana = a_user(session, "Ana Silva", now=lead.now)
    form = {"user": str(ana.id), "first_day": "2026-03-01", "last_day": "2026-03-08"}
    page = lead.post("/rules/absences", **{**form, **wrong})
    assert page.status_code == 422
    assert words in page.text


def test_an_old_version_todays_program_cannot_read_is_told_and_harms_nothing(lead: Site) -> None:
    posted(lead, f"{DISPUTE}/versions", playbook_form(name="First"))
    with lead.database.transaction() as session:
        policy = session.scalars(select(Policy)).one()
        policies.drop(session, family=PLAYBOOK, key="dispute", actor=system("test"), now=lead.now)
        policy.content = {"name": "From another time", "steps": "none"}
    assert "This version is too old to be read." in lead.get(DISPUTE).text
    assert lead.get(f"{DISPUTE}?version={policy.id}").status_code == 422
