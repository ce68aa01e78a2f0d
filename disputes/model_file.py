"""The trained model as plain arrays: what prediction needs, saved and loaded without pickle.

Prediction is NumPy alone: a linear model of this size loads in milliseconds, where unpickling scikit-learn's
objects takes seconds and runs foreign code.
"""

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from disputes.features import BLOCK_WEIGHTS, Features
from disputes.language import BUCKETS
from disputes.model_archive import MOST_BYTES, NotAModel, read_arrays
from disputes.reading import FLAGS, LANGUAGES, UPSETS
from disputes.reasons import REASONS, is_reason

Floats = NDArray[np.float32]
Placed = tuple[NDArray[np.int64], Floats]
"""Row numbers of the features a model knows, and their values."""


TONES = (*UPSETS, "urgent", *sorted(FLAGS), "promises")
"""What a model tells beside the reason, in the order of its outputs."""


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


def model_bytes(model: Model) -> bytes:
    """The model as the content of a .npz file: the same bytes for the same model, always."""
    arrays: dict[str, Any] = {name: getattr(model, name) for name in _FIELDS}
    file = BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def save_model(model: Model, path: Path) -> None:
    """Write the model to a .npz file, atomically: a reader sees the old file or the new one."""
    aside = path.with_name(f".{path.name}.{uuid4().hex}")
    with aside.open("wb") as file:
        file.write(model_bytes(model))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def load_model(path: Path) -> Model:
    """The model of a .npz file written by `save_model`. Raises NotAModel where it is not one, OSError."""
    if path.stat().st_size > MOST_BYTES:
        raise NotAModel(f"not a model: {path.name} is too large")
    return read_model(path.read_bytes())


def read_model(content: bytes) -> Model:
    """The model in bytes that may come from anywhere (S20). Raises NotAModel."""
    read = dict(read_arrays(content, _FIELDS))
    try:
        version, outputs = str(read.pop("version")), tuple(str(name) for name in read.pop("outputs"))
        reason_count, temperature = int(read.pop("reason_count")), float(read.pop("temperature"))
    except (TypeError, ValueError) as error:
        raise NotAModel(f"not a model: {error}") from error
    model = Model(version=version, outputs=outputs, reason_count=reason_count, temperature=temperature, **read)
    _check_outputs(model)
    _check_arrays(model)
    return model


def _check_outputs(model: Model) -> None:
    """The model tells apart reasons and tones that this program knows."""
    told, tones = model.outputs[: model.reason_count], model.outputs[model.reason_count :]
    if not (0 < model.reason_count < len(model.outputs) == len(set(model.outputs))):
        raise NotAModel("not a model: its outputs do not add up")
    if not REASONS.keys() <= set(told) or not all(is_reason(name) for name in told) or set(tones) != set(TONES):
        raise NotAModel("not a model: it tells other reasons or tones apart than this program")


def _check_arrays(model: Model) -> None:
    """Every array has the shape and kind that prediction counts on, and numbers that are some."""
    features, outputs, reasons = len(model.keys), len(model.outputs), model.reason_count
    shapes = {
        "idf": (features,),
        "weights": (features, outputs),
        "bias": (outputs,),
        "moves": (reasons, reasons),
        "strangers": (2, reasons),
        "languages": (len(LANGUAGES), BUCKETS),
    }
    for name, shape in shapes.items():
        found = getattr(model, name)
        if found.shape != shape or found.dtype != np.float32 or not np.isfinite(found).all():
            raise NotAModel(f"not a model: {name} has no right shape or no right numbers")
    rising = model.keys.ndim == 1 and model.keys.dtype == np.uint64 and bool((model.keys[1:] > model.keys[:-1]).all())
    if not rising or not features or not np.isfinite(model.temperature) or model.temperature <= 0:
        raise NotAModel("not a model: its features are in no order, or its temperature is none")


_FIELDS = tuple(Model.__dataclass_fields__)
