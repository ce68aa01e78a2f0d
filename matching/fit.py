"""Fitting the weights offline: penalised conditional logistic regression by Newton's method, in plain NumPy."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from matching.facts import MatchPolicy
from matching.matcher import Trial, choose_account, raw_chances
from matching.scoring import LN2, Features, Weights, log_odds

Array = npt.NDArray[np.float64]
_STEPS = 60
_ENOUGH = 1e-6
_MOST_BITS = 16.0
_PARTS = 4
_POLICY = MatchPolicy()
_LEAST_CHANCE = 0.02
_PULL_SCALE, _PULL_SHIFT = 2.0, 0.2


@dataclass(frozen=True, slots=True)
class Example:
    """A mail investigated, with what it is truly about (corrections of people, or a labelled corpus)."""

    trial: Trial
    account_id: int | None
    invoice_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Choice:
    """Candidates that compete and the one meant; None = none of them."""

    candidates: Sequence[Features]
    meant: int | None


def fit(examples: Sequence[Example], *, prior: Weights | None = None, strength: float = 1.0) -> Weights:
    """
    Weights under which what was truly meant is likeliest, drawn to `prior` (zero without one) by `strength`.

    A candidate's probability is a softmax over the candidates of its mention and "none of them"; the account's
    likewise over all candidate accounts.
    """
    start = prior or Weights({}, {})
    invoice = _fit_choices(list(_invoice_choices(examples)), start.invoice, strength)
    account = _fit_choices(list(_account_choices(examples)), start.account, strength)
    return Weights(invoice, account)


def calibrate(examples: Sequence[Example], *, prior: Weights | None = None, strength: float = 1.0) -> Weights:
    """
    `fit`, with scale and shift of each kind of evidence learned from parts that a fit without them had not seen.

    The parts hold whole accounts: mails of one customer look alike.
    """
    seen: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for part in range(_PARTS):
        rest = [each for each in examples if _part(each) != part]
        weights = fit(rest, prior=prior, strength=strength)
        for example in examples:
            if _part(example) == part:
                _note_chances(example, weights, seen)
    pairs = {regime: _platt(rows) for regime, rows in sorted(seen.items())}
    return replace(fit(examples, prior=prior, strength=strength), calibration=pairs)


def _part(example: Example) -> int:
    """The part of an example: that of its account, the same from run to run."""
    return int.from_bytes(hashlib.sha256(str(example.account_id).encode()).digest()[:4], "big") % _PARTS


def _note_chances(example: Example, weights: Weights, seen: dict[str, list[tuple[float, bool]]]) -> None:
    """Only what could be linked by itself is noted: of a surely known account, in mail that is not our own."""
    account = choose_account(example.trial, weights, _POLICY)
    if example.trial.mail.direction == "out" or account is None or account.probability < _POLICY.auto_account:
        return
    for candidate, chance in zip(example.trial.candidates, raw_chances(example.trial, weights), strict=True):
        if chance > _LEAST_CHANCE and candidate.invoice.account_id == account.id:
            seen[candidate.regime].append((log_odds(chance), candidate.invoice.id in example.invoice_ids))


def _platt(rows: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Scale and shift of log-odds under which what was right is likeliest, drawn to 1 and 0 where there is little."""
    given = np.array([[odds, 1.0] for odds, _ in rows])
    right = np.array([float(true) for _, true in rows])
    start, pull = np.array([1.0, 0.0]), np.diag([_PULL_SCALE, _PULL_SHIFT])
    pair = start.copy()
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(given @ pair)))
        gradient = given.T @ (right - chance) - pull @ (pair - start)
        hessian = (given.T * (chance * (1 - chance))) @ given + pull
        pair = pair + np.linalg.solve(hessian, gradient)
    return round(float(pair[0]), 3), round(float(pair[1]), 3)


def _account_choices(examples: Iterable[Example]) -> Iterator[_Choice]:
    for example in examples:
        accounts = example.trial.accounts
        meant = next((at for at, each in enumerate(accounts) if each.account.id == example.account_id), None)
        if accounts:
            yield _Choice([each.features for each in accounts], meant)


def _invoice_choices(examples: Iterable[Example]) -> Iterator[_Choice]:
    for example in examples:
        groups: dict[str, list[int]] = defaultdict(list)
        for at, candidate in enumerate(example.trial.candidates):
            groups[candidate.group].append(at)
        for members in groups.values():
            yield from _split(example, members)


def _split(example: Example, members: Sequence[int]) -> Iterator[_Choice]:
    """One choice for each invoice meant, against those that were not: a mention may mean several."""
    candidates = [example.trial.candidates[at] for at in members]
    right = [each for each in candidates if each.invoice.id in example.invoice_ids]
    wrong = [each.features for each in candidates if each.invoice.id not in example.invoice_ids]
    if not right:
        yield _Choice(wrong, None)
    for each in right:
        yield _Choice([each.features, *wrong], 0)


def _fit_choices(choices: Sequence[_Choice], prior: Mapping[str, float], strength: float) -> dict[str, float]:
    if not choices:
        return dict(prior)
    names = sorted({name for choice in choices for each in choice.candidates for name in each} | set(prior))
    start = np.array([prior.get(name, 0.0) * LN2 for name in names])
    weights = _newton(*_arrays(choices, names), start, strength)
    limit = _MOST_BITS
    bits = (max(-limit, min(limit, float(value) / LN2)) for value in weights)
    return {name: round(value, 3) for name, value in zip(names, bits, strict=True)}


def _arrays(choices: Sequence[_Choice], names: Sequence[str]) -> tuple[Array, npt.NDArray[np.int64], Array]:
    """Rows of features, where each choice's rows begin, and 1 for the row meant."""
    column = {name: at for at, name in enumerate(names)}
    rows = np.zeros((sum(len(choice.candidates) for choice in choices), len(names)))
    meant = np.zeros(len(rows))
    begins = []
    at = 0
    for choice in choices:
        begins.append(at)
        for number, features in enumerate(choice.candidates):
            for name, value in features.items():
                rows[at, column[name]] = value
            meant[at] = float(number == choice.meant)
            at += 1
    return rows, np.array(begins, dtype=np.int64), meant


def _newton(rows: Array, begins: npt.NDArray[np.int64], meant: Array, prior: Array, strength: float) -> Array:
    """Maximise log-likelihood - strength/2 * |w - prior|^2, halving steps that go too far."""
    weights = prior.copy()
    best = _objective(rows, begins, meant, weights, prior=prior, strength=strength)
    for _ in range(_STEPS):
        chance = _chances(rows @ weights, begins)
        gradient = rows.T @ (meant - chance) - strength * (weights - prior)
        pulled = np.add.reduceat(rows * chance[:, None], begins, axis=0)
        hessian = rows.T @ (rows * chance[:, None]) - pulled.T @ pulled + strength * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > _ENOUGH:
            value = _objective(rows, begins, meant, weights + size * step, prior=prior, strength=strength)
            if value >= best:
                break
            size /= 2
        weights = weights + size * step
        if value - best < _ENOUGH * max(1.0, abs(best)):
            break
        best = value
    return weights


def _chances(scores: Array, begins: npt.NDArray[np.int64]) -> Array:
    """Softmax within each choice, "none of them" having score 0."""
    counts = np.diff(np.append(begins, len(scores)))
    top = np.repeat(np.maximum(np.maximum.reduceat(scores, begins), 0.0), counts)
    odds = np.exp(scores - top)
    total = np.repeat(np.add.reduceat(odds, begins), counts) + np.exp(-top)
    return np.asarray(odds / total)


def _objective(
    rows: Array, begins: npt.NDArray[np.int64], meant: Array, weights: Array, *, prior: Array, strength: float
) -> float:
    scores = rows @ weights
    counts = np.diff(np.append(begins, len(scores)))
    top = np.maximum(np.maximum.reduceat(scores, begins), 0.0)
    total = np.add.reduceat(np.exp(scores - np.repeat(top, counts)), begins) + np.exp(-top)
    likelihood = float(meant @ scores - np.sum(np.log(total) + top))
    return likelihood - strength / 2 * float(np.sum((weights - prior) ** 2))


def log_loss(chances: Sequence[float], truth: Sequence[bool]) -> float:
    """Mean surprise in bits of probabilities against what was true: what a fit is judged by."""
    pairs = zip(chances, truth, strict=True)
    return -sum(math.log2(max(chance if true else 1 - chance, 1e-9)) for chance, true in pairs) / max(len(chances), 1)
