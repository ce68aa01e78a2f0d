"""Reasons a deployment adds: used like any other, never lost, the shipped ones speak where they are silent."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import Event, system
from app.core.i18n import words
from app.web.telling import said
from disputes.actions import cases, own_reasons, policies
from disputes.actions.cases import UnknownReason
from disputes.actions.own_reasons import NoReason
from disputes.actions.policies import PolicyMoved
from disputes.models import Case, Correction
from disputes.own_reasons import OwnReason, Reasons, in_use
from disputes.queries import CaseFilter, list_cases
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import OWN_REASONS, all_reasons
from disputes.rules_in_force import own_reasons as in_force
from disputes.told import read_kept
from invoices.models import Account
from tests.disputes.meanings import meant
from tests.factories import a_case, a_team, a_user, an_account, an_entity

ACTOR = system("test")
PROMOTION = "price.promotion"


def put(session: Session, now: datetime, name: str = PROMOTION, **values: Any) -> None:
    given = {"labels": {"en": "Promotion price", "fr": "Prix promotionnel"}, "team": "sales", **values}
    own_reasons.put(session, name=name, actor=ACTOR, now=now, **given)


@pytest.fixture
def case(session: Session, now: datetime) -> Case:
    pricing, sales = a_team(session, "pricing"), a_team(session, "sales")
    a_user(session, "Pia", now=now, role="owner", team_id=pricing.id)
    a_user(session, "Saul", now=now, role="owner", team_id=sales.id)
    return a_case(session, an_account(session, an_entity(session)), now=now)


def owner(session: Session, case: Case) -> str:
    return session.get_one(User, case.owner_id).name


def test_a_case_corrected_to_an_own_reason_goes_to_its_team_and_training_may_learn_it(
    session: Session, now: datetime, case: Case
) -> None:
    put(session, now)
    cases.correct(session, case_id=case.id, kind="dispute", reason=PROMOTION, actor=ACTOR, now=now)
    assert (case.kind, case.reason, owner(session, case)) == ("dispute", PROMOTION, "Saul")
    why = read_kept(case.owner_why)[0]
    assert why.english() == "Promotion price goes to Sales (rule: disputes)"
    assert said(why.kept(), words("fr")).startswith("Prix promotionnel")
    learned = session.scalars(select(Correction).where(Correction.field == "reason")).one()
    assert (learned.before, learned.after) == ("price", PROMOTION)


def test_what_has_no_rows_of_its_own_is_no_reason(session: Session, now: datetime, case: Case) -> None:
    with pytest.raises(UnknownReason, match="no reason, or not in use"):
        cases.correct(session, case_id=case.id, kind="dispute", reason=PROMOTION, actor=ACTOR, now=now)
    put(session, now)
    with pytest.raises(UnknownReason, match="no reason of a query"):
        cases.correct(session, case_id=case.id, kind="query", reason=PROMOTION, actor=ACTOR, now=now)


def test_a_retired_reason_stays_with_its_cases_and_is_given_to_no_other(
    session: Session, now: datetime, case: Case
) -> None:
    put(session, now)
    cases.correct(session, case_id=case.id, kind="dispute", reason=PROMOTION, actor=ACTOR, now=now)
    own_reasons.retire(session, name=PROMOTION, actor=ACTOR, now=now)
    known = all_reasons(session)
    assert case.reason == PROMOTION
    assert (known.usable(PROMOTION), known.current(PROMOTION)) == (False, "price")
    assert (known.label(PROMOTION, "fr"), known.team_of(PROMOTION)) == ("Prix promotionnel", "sales")
    other = a_case(session, session.get_one(Account, case.account_id), now=now)
    with pytest.raises(UnknownReason):
        cases.correct(session, case_id=other.id, kind="dispute", reason=PROMOTION, actor=ACTOR, now=now)
    put(session, now)
    assert all_reasons(session).usable(PROMOTION)


def test_each_change_is_a_version_with_its_event(session: Session, now: datetime) -> None:
    put(session, now)
    put(session, now, labels={"en": "Promotions"})
    put(session, now, labels={"en": "Promotions"})
    assert in_force(session).version == 2
    told = session.scalars(select(Event).where(Event.subject == "policy").order_by(Event.id)).all()
    assert [(one.verb, (one.after or {})["version"]) for one in told] == [("policy changed", 1), ("policy changed", 2)]
    rows = [one.model_dump(mode="json") for one in in_force(session).rules.reasons]
    with pytest.raises(PolicyMoved):
        own_reasons.save_all(session, rows=[{**rows[0], "team": "tax"}], actor=ACTOR, now=now, based_on=1)


def test_a_reason_is_never_lost(session: Session, now: datetime) -> None:
    put(session, now)
    first = in_force(session).policy_id
    put(session, now, name="delivery.export", labels={"fr": "Export"}, team="logistics")
    assert first is not None
    with pytest.raises(BadPolicy, match=r"delivery\.export would be lost"):
        policies.activate(session, policy_id=first, actor=ACTOR, now=now)
    with pytest.raises(BadPolicy, match="Retire it instead"):
        policies.drop(session, family=OWN_REASONS, key="all", actor=ACTOR, now=now)
    with pytest.raises(BadPolicy, match="would be lost"):
        own_reasons.save_all(session, rows=[], actor=ACTOR, now=now)
    assert list(all_reasons(session).own) == [PROMOTION, "delivery.export"]
    with pytest.raises(NoReason):
        own_reasons.retire(session, name="price.nothing", actor=ACTOR, now=now)


@pytest.mark.parametrize(
    ("name", "values", "place"),
    [
        ("promotion", {}, "name"),
        ("spam.promotion", {}, "name"),
        ("status.again", {}, "name"),
        ("price.Promotion", {}, "name"),
        ("price.delivery", {}, "name"),
        (PROMOTION, {"labels": {"en": " "}}, "labels"),
        (PROMOTION, {"labels": {"xx": "Promotion"}}, "labels"),
        (PROMOTION, {"labels": {"en": "x" * 61}}, "labels"),
        (PROMOTION, {"team": "nobody knows"}, "team"),
    ],
)
def test_what_cannot_be_a_reason_is_refused_at_its_field(
    session: Session, now: datetime, name: str, values: dict[str, Any], place: str
) -> None:
    put(session, now, name="tax.customs", team="tax")
    with pytest.raises(BadPolicy) as refused:
        put(session, now, name=name, **values)
    assert list(refused.value.fields) == [place]
    assert in_force(session).version == 1


def test_the_filter_for_a_reason_finds_its_special_forms(session: Session, now: datetime, case: Case) -> None:
    put(session, now)
    lead = a_user(session, "Lea", now=now, role="lead")
    cases.correct(session, case_id=case.id, kind="dispute", reason=PROMOTION, actor=ACTOR, now=now)
    plain = a_case(session, session.get_one(Account, case.account_id), now=now)
    session.flush()

    def found(reason: str) -> set[int]:
        page = list_cases(session, user=lead, filters=CaseFilter(reason=reason), now=now)
        return {row.case.id for row in page.rows}

    assert found("price") == {case.id, plain.id}
    assert found(PROMOTION) == {case.id}


def test_reasons_are_shown_after_what_they_specialise() -> None:
    known = Reasons.of(
        [
            OwnReason(name="tax.customs", labels={"fr": "Douane"}, team="tax"),
            OwnReason(name="price.old", labels={"en": "Old"}, team="sales", retired=True),
            OwnReason(name=PROMOTION, labels={"en": "Promotion"}, team="sales"),
        ]
    )
    shown = list(known.of_kind("dispute"))
    assert shown[:3] == ["price", PROMOTION, "quantity"]
    assert shown[shown.index("tax") + 1] == "tax.customs"
    assert "price.old" not in shown
    assert (known.label("tax.customs", "en"), known.label("tax.unknown", "en")) == ("Douane", "Tax or legal mention")


def test_a_model_that_learned_a_retired_reason_is_heard_as_its_parent() -> None:
    said = meant((PROMOTION, 0.4), ("quantity", 0.35), ("price", 0.25))
    heard = in_use(said, Reasons())
    assert heard.ranking == (("price", 0.65), ("quantity", 0.35))
    assert (heard.reason, heard.kind, heard.confidence) == ("price", "dispute", 0.65)
    known = Reasons.of([OwnReason(name=PROMOTION, labels={"en": "Promotion"}, team="sales")])
    assert in_use(said, known) is said
