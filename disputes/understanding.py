"""Understanding a mail: rules where language is closed, then the model."""

from collections.abc import Mapping

import numpy as np

from disputes.circumstances import shift, told_apart
from disputes.concepts import shipped_concepts
from disputes.explaining import deciding_words
from disputes.features import features_of
from disputes.flags import flags_of, is_urgent
from disputes.language import detect_language
from disputes.machines import colleague_rule, machine_rule, stranger_rule
from disputes.matter import is_reply
from disputes.model_file import Floats, Model
from disputes.passages import Passages, read_passages
from disputes.promises import find_promise, only_tells_of_money_gone
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
from disputes.reasons import PROMISE, kind_of
from disputes.satisfaction import ASKED, rated_by_mail

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
_UPSET, _ANGRY = -0.05, -0.05  # the model's margins; chosen by leaving one corpus out
_FOLLOW_UP = 2.0  # how much less the words of a follow-up are believed, short as they are; by leaving one corpus out
_PROMISE_ODDS = 12.0  # a found commitment against none; nine of ten such mails are nothing else
_GONE_ODDS = 0.2  # words of money gone and none of money to come; one such mail in fifty is a promise
_BY_MODEL = "model"
_MACHINES = frozenset({"auto_reply", "bounce"})
_SPAM, _BANK, _DIVERSION = "spam", "bank_details", "payment_diversion"


def understand(mail: MailText, facts: CaseFacts, model: Model) -> Understanding:
    """Kind, reason, tone, language, flags and promise of a mail, with the words that decided; pure, milliseconds."""
    language = detect_language(mail, facts, model.languages)
    passages = read_passages(mail, shipped_concepts()[language])
    placed = model.place(features_of(mail, facts, passages))
    margins = model.margins(placed)
    tones = dict(zip(model.outputs[model.reason_count :], margins[model.reason_count :].tolist(), strict=True))
    flags = flags_of(tones, passages)
    rule = _rule(mail, facts, passages, flags)
    chances = told_apart(
        probabilities(margins, facts, model),
        model.reasons,
        answers=bool(mail.quoted_text.strip()) or is_reply(mail.subject),
        payment_fits=facts.payment_fits,
    )
    ranking = _ranking(chances, model.reasons, rule)
    promise = _promise(mail, passages, tones, ranking[0][0]) if mail.direction == "in" else None
    odds = _promise_odds(promise, passages)
    if odds != 1 and rule is None:
        ranking = _ranking(_with_promise(chances, model.reasons, odds), model.reasons, None)
    if rule is None and ranking[0][0] == _SPAM and facts.sender_known and _DIVERSION in flags:
        rule = (_BANK, "rule:known_sender_with_new_account")  # people must see it, so it needs a case (M15)
        ranking = _ranking(chances, model.reasons, rule)
    reason, confidence = ranking[0]
    by_person = reason not in _MACHINES
    return Understanding(
        kind=kind_of(reason),
        reason=reason,
        ranking=ranking,
        confidence=confidence,
        sentiment=_sentiment(tones),
        urgent=by_person and is_urgent(tones, flags, reason),
        language=language,
        flags=flags if by_person else frozenset(),
        promise=promise if by_person else None,
        model_version=model.version,
        decided_by=rule[1] if rule else _BY_MODEL,
        words=deciding_words(passages, reason, model, placed),
    )


def _rule(mail: MailText, facts: CaseFacts, passages: Passages, flags: frozenset[str]) -> tuple[str, str] | None:
    """What is sure without the model: machines, strangers' advertising, a bare number where we asked for one."""
    if mail.direction != "in":
        return colleague_rule(mail, passages.new)
    rated = rated_by_mail(mail.new_text) if facts.last_asked == ASKED else None
    if rated is not None and not rated[1]:
        return "acknowledgement", "rule:rating"
    return machine_rule(mail) or stranger_rule(passages.new, facts, flags)


def _sentiment(tones: Mapping[str, float]) -> str:
    """Calm, annoyed or angry: steps of one scale, so nobody is angry who is not annoyed first."""
    if tones["upset"] <= _UPSET:
        return SENTIMENTS[0]
    return SENTIMENTS[2 if tones["angry"] > _ANGRY else 1]


def _promise(mail: MailText, passages: Passages, tones: Mapping[str, float], reason: str) -> PromiseFound | None:
    return find_promise(passages.new, mail.sent_at.date(), leaning=tones["promises"], reason=reason)


def probabilities(margins: Floats, facts: CaseFacts, model: Model) -> Floats:
    """Calibrated probability of each reason of the model; they sum to 1."""
    believed = model.temperature * (_FOLLOW_UP if facts.earlier else 1.0)
    odds = margins[: model.reason_count] / believed
    odds = odds + shift(facts, model.reasons, model.moves, model.strangers)
    raised: Floats = np.exp(odds - odds.max())
    chances: Floats = raised / raised.sum()
    return chances


def _promise_odds(promise: PromiseFound | None, passages: Passages) -> float:
    """How much likelier a found commitment makes a promise, and talk of money gone alone the less likely."""
    if promise is not None:
        return _PROMISE_ODDS
    return _GONE_ODDS if only_tells_of_money_gone(passages.new) else 1.0


def _with_promise(chances: Floats, reasons: tuple[str, ...], odds: float) -> Floats:
    """The chances with those of a promise raised or lowered: who commits to a day mostly writes for that alone."""
    leaning = chances.copy()
    leaning[reasons.index(PROMISE)] *= odds
    told: Floats = leaning / leaning.sum()
    return told


def _ranking(chances: Floats, reasons: tuple[str, ...], rule: tuple[str, str] | None) -> Ranking:
    """The reasons, most probable first; what a rule says comes first."""
    if rule is not None:
        chances = _overruled(chances, reasons.index(rule[0]))
    order = np.argsort(-chances, kind="stable")
    return tuple((reasons[i], float(chances[i])) for i in order)


def _overruled(chances: Floats, chosen: int) -> Floats:
    """The chances with the rule's reason first; the others keep their proportions in what is left."""
    others = chances.copy()
    others[chosen] = 0
    left = others / max(float(others.sum()), 1e-9) * (1 - _RULE_CONFIDENCE)
    left[chosen] = _RULE_CONFIDENCE
    return left
