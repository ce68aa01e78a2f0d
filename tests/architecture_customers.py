"""S15: nobody but the ERP, through invoices/, writes bank details and addresses of customers."""

import ast
from collections.abc import Iterator

from tests.architecture_source import Finding, Source, last_name

OURS_AND_THEIRS = frozenset({"Account", "Contact", "Entity", "AccountName"})
"""The rows of invoices.models that say who is who, where they are written to and where they pay from."""
DETAILS = frozenset({"iban", "vat_number", "mailbox", "phone", "phone_digits", "address", "email", "domain"})
_CHANGES = frozenset({"insert", "update", "delete", "postgres_insert", "sqlite_insert"})


def customer_writers(source: Source) -> Iterator[Finding]:
    """Customers' bank details and addresses are the ERP's: only invoices/ writes them."""
    for node in source.nodes():
        if isinstance(node, ast.Call):
            yield from _made(source, node)
        targets = node.targets if isinstance(node, ast.Assign) else ()
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr in DETAILS and last_name(target.value) != "self":
                yield source.found(node, f"sets {last_name(target.value)}.{target.attr}")


def _made(source: Source, call: ast.Call) -> Iterator[Finding]:
    name = last_name(call.func)
    if name in OURS_AND_THEIRS:
        yield source.found(call, f"makes a row of {name}")
    named = [last_name(argument) for argument in call.args[:1]]
    if name in _CHANGES and OURS_AND_THEIRS & set(named):
        yield source.found(call, f"{name}s rows of {named[0]}")
    if name == "change" and DETAILS & {word.arg for word in call.keywords}:
        yield source.found(call, "changes bank details or an address")
