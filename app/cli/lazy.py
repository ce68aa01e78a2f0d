"""Commands whose module is loaded when they are called: loading all of them takes seconds and 250 MB."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class LazyGroup(TyperGroup):
    """A group of commands; `families` names the module of this package whose `register` adds each, in help's order."""

    families: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature of click, whose types typer keeps to itself
        """All names."""
        return list(self.families)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One command, its module loaded; None where there is none of this name."""
        if cmd_name not in self.families:
            return None
        family = typer.Typer()
        import_module(f"app.cli.{self.families[cmd_name]}").register(family)
        return typer.main.get_group(family).get_command(ctx, cmd_name)
