"""A form's fields become a policy's content and content becomes fields again; nothing foreign gets through."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.rules.forms import BadForm, Sheet, content_of, named, shown
from disputes.playbook import default_playbooks, read_playbook
from disputes.rulebook import BadPolicy


def test_rows_stand_in_the_order_they_were_sent_and_what_is_empty_is_left_out() -> None:
    content = content_of(
        [
            ("name", " Dispute "),
            ("when.kind", "dispute"),
            ("when.reasons[]", ""),
            ("steps.r7.action", "letter"),
            ("steps.r7.after.days", "15"),
            ("steps.r7.repeat.at_most", ""),
            ("steps.r1.action", "close"),
            ("steps.r1.when.waiting_on[]", "us"),
            ("steps.r1.when.waiting_on[]", "nobody"),
            ("steps.r1.when.accounts[,]", "C001, C002,, C001"),
        ]
    )
    assert content == {
        "name": "Dispute",
        "when": {"kind": "dispute"},
        "steps": [
            {"action": "letter", "after": {"days": "15"}},
            {"action": "close", "when": {"waiting_on": ["us", "nobody"], "accounts": ["C001", "C002"]}},
        ],
    }


@pytest.mark.parametrize(
    "fields",
    [
        [("steps.r1.after", "3"), ("steps.r1.after.days", "3")],
        [("steps.r1.after.days", "3"), ("steps.r1.after", "3")],
        [("name[]", "a"), ("name", "b")],
        [("name", "a"), ("name[]", "b")],
        [("a.b.c.d.e.f.g", "deep")],
        [("a..b", "nothing between")],
        [("", "no name")],
        [("name", "x" * 20_001)],
    ],
)
def test_names_no_page_of_ours_sends_are_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(BadForm):
        content_of(fields)


@given(st.lists(st.tuples(st.text("ab.[],r1", max_size=12), st.text(max_size=5)), max_size=12))
def test_whatever_is_sent_it_is_content_or_refused(fields: list[tuple[str, str]]) -> None:
    with suppress(BadForm):
        assert isinstance(content_of(fields), dict)


def test_an_unknown_field_reaches_nothing() -> None:
    content = content_of([("name", "x"), ("steps.a.action", "close"), ("steps.a.id", "close"), ("steps.a.sql", "drop")])
    with pytest.raises(BadPolicy) as refused:
        read_playbook(content)
    assert "steps.0.sql" in refused.value.fields


def test_new_steps_get_ids_of_their_own() -> None:
    steps = [{"action": "letter"}, {"action": "close", "id": "letter_2"}, {"action": "letter"}, {}]
    assert [step["id"] for step in named({"steps": steps})["steps"]] == ["letter", "letter_2", "letter_3", "step"]


@pytest.mark.parametrize("key", sorted(default_playbooks()))
def test_what_is_shown_and_sent_back_is_the_same_playbook(key: str) -> None:
    playbook = default_playbooks()[key]
    sheet = Sheet(shown(playbook.model_dump(mode="json")))
    fields = [("name", sheet.value("name")), ("when.kind", sheet.value("when.kind"))]
    fields += [(f"guards.{name}", sheet.value(f"guards.{name}")) for name in ("quiet_hours", "grace_days")]
    for number, row in enumerate(sheet.rows("steps")):
        paths = (
            *("id", "action", "counted_from", "after.days", "after.hours", "to", "template", "when.upset"),
            *("repeat.every.days", "repeat.at_most"),
        )
        fields += [(f"steps.{number}.{path}", row.value(path)) for path in paths]
        for path in ("when.waiting_on", "when.breached"):
            fields.append((f"steps.{number}.{path}[,]", row.value(path)))
    assert read_playbook(content_of(fields)) == playbook


def test_a_fault_is_told_where_it_is() -> None:
    faults = {"steps.1.after.days": "too many", "steps.1": "makes no sense", "steps.0.when.reasons.2": "unknown"}
    sheet = Sheet({"steps": [{"id": "a"}, {"id": "b"}]}, faults)
    first, second = sheet.rows("steps")
    assert (first.fault("when.reasons"), first.wrong, first.faulty) == ("unknown", "", True)
    assert (second.fault("after.days"), second.fault("after"), second.wrong) == (
        "too many",
        "too many",
        "makes no sense",
    )
    assert sheet.fault("name") == ""


def test_values_are_shown_as_people_type_them() -> None:
    sheet = Sheet({"yes": True, "no": False, "hours": 2.0, "list": ["a", "b"], "amount": Decimal("5.50")})
    assert [sheet.value(name) for name in ("yes", "no", "hours", "list", "amount", "nothing.at.all")] == [
        *("yes", "no", "2", "a, b", "5.50", "")
    ]
    assert sheet.has("list", "a")
    assert not sheet.has("list", "c")
    assert sheet.filled("nothing", "list")
    assert not sheet.filled("nothing")
