"""Understanding a mail: rules where language is closed, then the model."""

import numpy as np

from disputes.circumstances import shift
from disputes.concepts import shipped_concepts
from disputes.explaining import deciding_words
from disputes.features import features_of
from disputes.flags import flags_of, is_urgent
from disputes.language import detect_language
from disputes.machines import machine_rule
from disputes.model_file import Floats, Model
from disputes.promises import find_promise
from disputes.reading import (
    FLAGS,
    LANGUAGES,
    NO_FACTS,
    SENTIMENTS,
    CaseFacts,
    MailText,
    PromiseFound,
    Span,
    Understanding,
)
from disputes.reasons import kind_of

__all__ = [
    "FLAGS",
    "LANGUAGES",
    "NO_FACTS",
    "CaseFacts",
    "MailText",
    "PromiseFound",
    "Span",
    "Understanding",
    "understand",
]

Ranking = tuple[tuple[str, float], ...]
_RULE_CONFIDENCE = 0.97
_BY_MODEL = "model"
_MACHINES = frozenset({"auto_reply", "bounce"})


def understand(mail: MailText, facts: CaseFacts, model: Model) -> Understanding:
    """Kind, reason, tone, language, flags and promise of a mail, with the words that decided; pure, milliseconds."""
    language = detect_language(mail, facts, model.languages)
    concepts = shipped_concepts()[language]
    placed = model.place(features_of(mail, facts, concepts))
    margins = model.margins(placed)
    ranking, decided_by = _decide(mail, probabilities(margins, facts, model), model.reasons)
    reason, confidence = ranking[0]
    tones = dict(zip(model.outputs[model.reason_count :], margins[model.reason_count :].tolist(), strict=True))
    flags = frozenset() if reason in _MACHINES else flags_of(tones)
    return Understanding(
        kind=kind_of(reason),
        reason=reason,
        ranking=ranking,
        confidence=confidence,
        sentiment=max(SENTIMENTS, key=lambda name: tones[name]),
        urgent=is_urgent(tones, flags) and reason not in _MACHINES,
        language=language,
        flags=flags,
        promise=find_promise(mail, concepts) if reason == "promise_to_pay" else None,
        model_version=model.version,
        decided_by=decided_by,
        words=deciding_words(mail, reason, concepts, model, placed),
    )


def probabilities(margins: Floats, facts: CaseFacts, model: Model) -> Floats:
    """Calibrated probability of each reason of the model; they sum to 1."""
    odds = margins[: model.reason_count] / model.temperature
    odds = odds + shift(facts, model.reasons, model.moves, model.strangers)
    raised: Floats = np.exp(odds - odds.max())
    chances: Floats = raised / raised.sum()
    return chances


def _decide(mail: MailText, chances: Floats, reasons: tuple[str, ...]) -> tuple[Ranking, str]:
    """The ranking, most probable first, and what decided: a rule for machines' mail, else the model."""
    rule = machine_rule(mail) if mail.direction == "in" else None
    if rule is not None:
        chances = _overruled(chances, reasons.index(rule[0]))
    order = np.argsort(-chances, kind="stable")
    ranking = tuple((reasons[i], float(chances[i])) for i in order)
    return ranking, rule[1] if rule is not None else _BY_MODEL


def _overruled(chances: Floats, chosen: int) -> Floats:
    """The chances with the rule's reason first; the others keep their proportions in what is left."""
    others = chances.copy()
    others[chosen] = 0
    left = others / max(float(others.sum()), 1e-9) * (1 - _RULE_CONFIDENCE)
    left[chosen] = _RULE_CONFIDENCE
    return left
