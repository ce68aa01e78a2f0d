"""The trained model as plain arrays: what prediction needs, saved and loaded without pickle.

Prediction is NumPy alone: a linear model of this size loads in milliseconds, where unpickling scikit-learn's
objects takes seconds and runs foreign code.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from disputes.features import BLOCK_WEIGHTS, Features

Floats = NDArray[np.float32]
Placed = tuple[NDArray[np.int64], Floats]
"""Row numbers of the features a model knows, and their values."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Linear models over one feature space, their calibration, and the language table.

    `outputs` names the columns of `weights` and entries of `bias`: the reasons first (`reason_count` of them), then
    sentiments, "urgent" and flags, each prefixed by its family. `moves` and `strangers` hold log ratios: how much more
    likely a reason is after an earlier reason of the thread (row: earlier, column: now), and from an unknown (row 0)
    or known (row 1) sender. `languages` is a row of log probabilities per language.
    """

    version: str
    keys: NDArray[np.uint64]
    idf: Floats
    weights: Floats
    bias: Floats
    outputs: tuple[str, ...]
    reason_count: int
    temperature: float
    moves: Floats
    strangers: Floats
    languages: Floats

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons the model tells apart."""
        return self.outputs[: self.reason_count]

    def place(self, features: Features) -> Placed:
        """Row numbers in `weights` of the features the model knows, and their values; each block has its weight."""
        return place(features, self.keys, self.idf)

    def margins(self, placed: Placed) -> Floats:
        """The decision value of every output."""
        rows, values = placed
        margins: Floats = values @ self.weights[rows] + self.bias
        return margins


def place(features: Features, keys: NDArray[np.uint64], idf: Floats) -> Placed:
    """Positions of the known features among `keys`, with values normalised block by block."""
    rows = np.searchsorted(keys, features.keys)
    rows[rows == len(keys)] = 0
    known = keys[rows] == features.keys
    rows, values = rows[known], features.values[known] * idf[rows[known]]
    blocks = (features.keys[known] >> np.uint64(32)).astype(np.int64)
    norms = np.sqrt(np.bincount(blocks, values * values, minlength=len(BLOCK_WEIGHTS)))
    scale = (BLOCK_WEIGHTS / np.where(norms > 0, norms, 1)).astype(np.float32)
    return rows, values * scale[blocks]


def save_model(model: Model, path: Path) -> None:
    """Write the model to a .npz file, atomically: a reader sees the old file or the new one."""
    arrays: dict[str, Any] = {name: getattr(model, name) for name in _FIELDS}
    aside = path.with_name(f".{path.name}.{uuid4().hex}")
    with aside.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def load_model(path: Path) -> Model:
    """The model of a .npz file written by `save_model`; ValueError or KeyError where it is not one."""
    with np.load(path, allow_pickle=False) as arrays:
        read = {name: arrays[name] for name in _FIELDS}
    return Model(
        version=str(read.pop("version")),
        outputs=tuple(str(name) for name in read.pop("outputs")),
        reason_count=int(read.pop("reason_count")),
        temperature=float(read.pop("temperature")),
        **read,
    )


_FIELDS = tuple(Model.__dataclass_fields__)
