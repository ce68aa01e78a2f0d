"""Flags of a message: the model's margins, each with the threshold its cost asks for, and fixed wordings."""

from collections.abc import Mapping

from disputes.reading import FLAGS

_THRESHOLDS: Mapping[str, float] = {
    # missing a diverted payment or a lawyer costs more than a look too many
    "payment_diversion": -0.35,
    "legal_threat": -0.2,
    "callback_requested": -0.2,
    "delivery_block": 0.2,
    "insolvency": 0.4,
    "partial": -0.2,
}
_UNHURRIED = frozenset({"remittance", "already_paid", "promise_to_pay", "acknowledgement", "spam"})
_PRESSING = frozenset({"legal_threat", "insolvency", "delivery_block"})


def flags_of(tones: Mapping[str, float]) -> frozenset[str]:
    """The flags whose margin passes their threshold; `tones` holds the model's margin for each flag."""
    return frozenset(flag for flag in FLAGS if tones.get(flag, -1.0) > _THRESHOLDS[flag])


def is_urgent(tones: Mapping[str, float], flags: frozenset[str], reason: str) -> bool:
    """Whether somebody waits by the hour: the flags say so (lawyers, courts, a lorry held back), or the model does.

    Mails about a payment name today and tomorrow without hurry, and spam shouts at everybody.
    """
    return bool(flags & _PRESSING) or (tones["urgent"] > 0 and reason not in _UNHURRIED)
