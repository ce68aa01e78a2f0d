"""The codes other systems know reasons by, both ways: what we tell them, and what theirs mean. Pure.

Sources of the shipped codes: Peppol BIS Invoice Response 3 (T111), list OPStatusReason; AFNOR XP Z12-012, reasons of
the statuses 207 and 208; ANSI X12 element 426 (adjustment reason), of which standards.md names the useful part: which
of our reasons a code of 426 stands for is our reading. SAP ships none: the reasons of its disputes and deductions are
customised in each system.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationInfo, field_validator, model_validator

from disputes.own_reasons import Reasons
from disputes.reasons import REASONS, is_reason, shipped
from disputes.rulebook import Rules, read
from disputes.tokens import word_set

SYSTEMS: Mapping[str, str] = MappingProxyType({"sap": "SAP", "x12": "X12 426", "peppol": "Peppol", "cdar": "CDAR"})
"""System -> its name, the same in every language."""
MOST_CODES = 20
PEPPOL = word_set("NON REF LEG REC QUA DEL PRI QTY ITM PAY UNR FIN PPD OTH")
"""All of OPStatusReason."""
CDAR = word_set(
    "AUTRE COORD_BANC_ERR TX_TVA_ERR MONTANTTOTAL_ERR CALCUL_ERR NON_CONFORME DOUBLON DEST_INC DEST_ERR"
    " TRANSAC_INC EMMET_INC CONTRAT_TERM DOUBLE_FACT CMD_ERR ADR_ERR SIRET_ERR CODE_ROUTAGE_ERR REF_CT_ABSENT"
    " REF_ERR PU_ERR REM_ERR QTE_ERR ART_ERR MODPAI_ERR QUALITE_ERR LIVR_INCOMP JUSTIF_ABS"
)
"""The reasons of the statuses 207 and 208."""
_LISTS: Mapping[str, frozenset[str]] = MappingProxyType({"peppol": PEPPOL, "cdar": CDAR})
_LENGTHS: Mapping[str, int] = MappingProxyType({"sap": 20, "x12": 2})
_X12: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "price": ("01", "03", "24", "43"),  # pricing, extension (price times quantity), wrong and missing discount
        "quantity": ("06",),
        "quality": ("05", "04"),  # quality, damaged
        "wrong_item": ("07",),
        "duplicate_invoice": ("19",),
        "missing_reference": ("17",),  # data missing
        "wrong_recipient": ("18",),  # not our bill
        "payment_terms": ("09",),
        "charges": ("30", "50"),  # delivery charge, late charge
        "copy_invoice": ("44",),  # documents missing, as JUSTIF_ABS is
        "statement": ("44",),
        "proof_of_delivery": ("44",),
    }
)
_GENERAL = frozenset({"other_dispute", "other_query"})
"""What a code that several reasons share stands for when it comes from outside, where one of them is among those."""


class ReasonCodes(Rules):
    """What is said of one reason (`name`): its codes by system, the first the one that is sent.

    None: nothing is said, what is said elsewhere holds; an empty list: there is no code.
    """

    name: str
    sap: tuple[str, ...] | None = None
    x12: tuple[str, ...] | None = None
    peppol: tuple[str, ...] | None = None
    cdar: tuple[str, ...] | None = None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if not is_reason(name):
            raise ValueError(f"there is no reason {name}")
        return name

    @field_validator(*SYSTEMS)
    @classmethod
    def _codes(cls, given: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        return given if given is None else _checked(info.field_name or "", given)

    def of(self, system: str) -> tuple[str, ...] | None:
        """What is said of a system's codes."""
        found: tuple[str, ...] | None = getattr(self, system) if system in SYSTEMS else None
        return found


class Codes(Rules):
    """What a deployment, or one entity of it, says of codes; reasons and systems it does not name are inherited."""

    codes: tuple[ReasonCodes, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> "Codes":
        names = [one.name for one in self.codes]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the codes of {twice} are given twice")
        return self

    def of(self, reason: str, system: str) -> tuple[str, ...] | None:
        """What is said of a reason and a system; None for nothing."""
        return next((one.of(system) for one in self.codes if one.name == reason), None)


def read_codes(content: Mapping[str, Any]) -> Codes:
    """Codes from a policy's content. Raises BadPolicy with each place at fault."""
    return read(Codes, content, what="The codes")


def fault(system: str, code: str) -> str:
    """What is wrong with a code of a system; "" where nothing is."""
    if system in _LISTS:
        known = code in _LISTS[system]
        return "" if known else f"{code} is not in the list of {SYSTEMS[system]}"
    longest = _LENGTHS[system]
    plain = code.isascii() and code.isprintable() and not any(sign in code for sign in ",; ")
    if system == "x12":
        plain = plain and code.isalnum() and code == code.upper() and len(code) == longest  # element 426 is AN 2/2
    return "" if plain and 0 < len(code) <= longest else f"{code!r} is no code of {SYSTEMS[system]}"


def _checked(system: str, given: tuple[str, ...]) -> tuple[str, ...]:
    if len(given) > MOST_CODES:
        raise ValueError(f"a reason has at most {MOST_CODES} codes of a system")
    if wrong := next(filter(None, (fault(system, code) for code in given)), ""):
        raise ValueError(wrong)
    return tuple(dict.fromkeys(given))


def shipped_codes(reason: str, system: str) -> tuple[str, ...]:
    """What ships for a shipped reason; () for none, and for names that do not ship."""
    row = REASONS.get(reason)
    if row is None:
        return ()
    of: Mapping[str, tuple[str, ...]] = {
        "peppol": (row.peppol,) if row.peppol else (),
        "cdar": row.cdar,
        "x12": _X12.get(reason, ()),
    }
    return of.get(system, ())


@dataclass(frozen=True)
class CodeMap:
    """Codes as they hold for an entity: `layers` are what was said of them, the nearest first; then what ships."""

    reasons: Reasons
    layers: Sequence[Codes] = ()

    def codes(self, reason: str, system: str) -> tuple[str, ...]:
        """What a system is told for a reason, the main one first. A form without codes has those of its parent."""
        for name in dict.fromkeys((reason, shipped(reason))):
            for layer in self.layers:
                if (found := layer.of(name, system)) is not None:
                    return found
        return shipped_codes(shipped(reason), system)

    def reason_for(self, system: str, code: str) -> str | None:
        """What a system's code stands for; None for one nothing maps. What was said nearest decides.

        Among reasons that share a code it is the general one ("other"), else the first as people are shown them. A
        retired form stands for its parent.
        """
        for stage in (*(self._said(layer, system) for layer in self.layers), tuple(REASONS)):
            meant = [name for name in stage if code in self.codes(name, system)]
            here = sorted(meant, key=lambda name: (name not in _GENERAL, self._place(name)))
            if here:
                return self.reasons.current(here[0])
        return None

    def shared(self, system: str) -> Mapping[str, str]:
        """Codes that several reasons send, each with the reason it stands for when it comes in.

        A form that only has its parent's codes is no other sender.
        """
        senders: dict[str, set[str]] = {}
        for name in self.reasons.every:
            if name not in REASONS and all(layer.of(name, system) is None for layer in self.layers):
                continue
            for code in self.codes(name, system):
                senders.setdefault(code, set()).add(name)
        return {code: self.reason_for(system, code) or "" for code, names in senders.items() if len(names) > 1}

    def _said(self, layer: Codes, system: str) -> Sequence[str]:
        return [one.name for one in layer.codes if one.of(system) is not None and self._exists(one.name)]

    def _exists(self, name: str) -> bool:
        return name in REASONS or name in self.reasons.own

    def _place(self, name: str) -> int:
        order = list(self.reasons.every)
        return order.index(name) if name in order else len(order)
