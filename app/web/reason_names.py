"""What reasons are called on a page: the shipped ones translated, a deployment's own as it typed them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.core.i18n import Words
from disputes.own_reasons import Reasons
from disputes.reasons import DISPUTE, QUERY, REASONS


@dataclass(frozen=True)
class ReasonNames:
    """Names a reason in a reader's language. `read` gives the deployment's, asked only where they matter."""

    words: Words
    read: Callable[[], Reasons] = Reasons

    @cached_property
    def known(self) -> Reasons:
        """Every reason there is."""
        return self.read()

    def __call__(self, name: str | None) -> str:
        """A reason's name; one nobody knows any more in plain words."""
        if not name or name in REASONS:
            return self.words.gettext(REASONS[name].label) if name else ""
        own = self.known.own.get(name)
        return own.label(self.words.language) if own else self.words.gettext(self.known.label(name, "en"))

    def of_kind(self, kind: str) -> Sequence[tuple[str, str]]:
        """The reasons of a kind that may be used, with their names."""
        return [(name, self(name)) for name in self.known.of_kind(kind)]

    @property
    def of_cases(self) -> Sequence[tuple[str, str]]:
        """The reasons a case may have, with their names, disputes first."""
        return [*self.of_kind(DISPUTE), *self.of_kind(QUERY)]
