"""S7: a user's text of a letter cannot run code, reach into objects, or loop away; the refusal says where."""

import time
from collections.abc import Mapping

import pytest

from letters.sandbox import LONGEST_LIST, LONGEST_OUTPUT, BadTemplate, Value, Vocabulary, check, fill

VOCABULARY = Vocabulary(frozenset({"person", "total", "many"}), {"earlier": frozenset({"day", "kind"})})
VALUES: Mapping[str, Value] = {
    "person": "Zoé <b>",
    "total": "12,00 €",
    "many": True,
    "earlier": ({"day": "1er mars", "kind": "rappel"}, {"day": "2 avril", "kind": "relance"}),
}

HOSTILE = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ person.__class__ }}",
    "{{ person['__class__'] }}",
    "{{ person|attr('__class__') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ namespace() }}",
    "{{ range(1000000000) }}",
    "{% for a in range(1000000000) %}x{% endfor %}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ person ~ person }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ person.format(person) }}",
    "{{ person.upper() }}",
    "{% for a in earlier %}{% for b in earlier %}{% for c in earlier %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in earlier recursive %}{{ loop(earlier) }}{% endfor %}",
    "{% for a in earlier %}{{ loop.index }}{% endfor %}",
    "{% for a in earlier %}{{ a.items }}{% endfor %}",
    "{% for a in earlier %}{{ a.pop('day') }}{% endfor %}",
    "{% for total in earlier %}{{ total.day }}{% endfor %}",
    "{% for a, b in earlier %}{{ a }}{% endfor %}",
    "{% for a in earlier if a.day %}x{% endfor %}",
    "{{ earlier }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import path %}",
    "{% extends 'base.html' %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% set x = person %}{{ x }}",
    "{% with x = person %}{{ x }}{% endwith %}",
    "{% block a %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{% autoescape false %}x{% endautoescape %}",
    "{% call person() %}x{% endcall %}",
    "{% raw %}unclosed",
    "{{ [1, 2, 3] }}",
    "{{ {'a': 1} }}",
    "{{ 1.5 }}",
    "{{ none }}",
    "{{ person is defined }}",
    "{{ secret_key }}",
    "{{ config }}",
    "{{ request }}",
    "{{",
    "{% if %}",
    "{{ " + "(" * 3000 + "person" + ")" * 3000 + " }}",
    "{{ " + "not " * 5000 + "many }}",
    "{% if many %}" * 200 + "{% endif %}" * 200,
    "x" * 20_001,
)


@pytest.mark.parametrize("source", HOSTILE, ids=lambda text: text[:40])
def test_what_is_not_on_the_list_is_refused_with_the_place(source: str) -> None:
    began = time.process_time()
    with pytest.raises(BadTemplate, match=r"^The body"):
        fill(source, VALUES, VOCABULARY, what="The body")
    assert time.process_time() - began < 2


def test_the_refusal_names_the_line() -> None:
    with pytest.raises(BadTemplate, match=r"The body, line 3: 'persn' is not known; there are earlier, many, person"):
        check("a\nb\n{{ persn }}", VOCABULARY, what="The body")


def test_what_is_allowed_fills_values_conditions_and_lists() -> None:
    source = (
        "{% if many and total != '0' %}Bonjour {{ person }}{% else %}rien{% endif %} : "
        "{% for one in earlier %}{{ one.kind }} du {{ one.day }}{% if one.kind == 'rappel' %}, {% endif %}{% endfor %}"
        "{{ ' !' if not many else '.' }}"
    )
    assert fill(source, VALUES, VOCABULARY, what="x") == "Bonjour Zoé <b> : rappel du 1er mars, relance du 2 avril."


def test_output_is_capped_while_it_is_made() -> None:
    many: Mapping[str, Value] = {**VALUES, "earlier": ({"day": "d" * 1000, "kind": "k"},) * LONGEST_LIST}
    source = "{% for one in earlier %}{{ one.day }}{% endfor %}"
    with pytest.raises(BadTemplate, match=f"more than {LONGEST_OUTPUT:,} characters"):
        fill(source, many, VOCABULARY, what="The body")


def test_values_are_never_read_as_templates() -> None:
    assert fill("{{ person }}", {**VALUES, "person": "{{ total }}"}, VOCABULARY, what="x") == "{{ total }}"
