"""A model's file may come from anywhere (S20): it runs nothing, grows to nothing, and is used whole or not at all."""

import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest

from disputes.model_archive import NotAModel
from disputes.model_file import Model, load_model, model_bytes, read_model, save_model

Arrays = dict[str, Any]


def packed(arrays: Arrays, *, compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive as numpy writes one, whatever the arrays are."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=True)
    return file.getvalue()


def arrays_of(model: Model) -> Arrays:
    return {name: getattr(model, name) for name in Model.__dataclass_fields__}


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_a_model_is_read_as_it_was_written(small_model: Model, tmp_path: Path) -> None:
    assert model_bytes(small_model) == model_bytes(small_model)
    save_model(small_model, tmp_path / "model.npz")
    for read in (load_model(tmp_path / "model.npz"), read_model(model_bytes(small_model))):
        assert read.version == small_model.version
        assert read.outputs == small_model.outputs
        assert np.array_equal(read.weights, small_model.weights)


def test_no_pickle_is_opened(small_model: Model, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    plain = pickle.dumps(Trap(trap))
    objects = packed({**arrays_of(small_model), "outputs": np.array([Trap(trap)], dtype=object)})
    for hostile in (plain, objects):
        with pytest.raises(NotAModel):
            read_model(hostile)
    assert not trap.exists()


def test_an_archive_that_claims_more_than_it_has_is_refused_at_once(small_model: Model) -> None:
    bomb = packed(
        {**arrays_of(small_model), "weights": np.zeros(40_000_000, np.float32)}, compression=zipfile.ZIP_DEFLATED
    )
    assert len(bomb) < 3_000_000, "160 MB of zeros in a small file"
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
    claims = BytesIO()
    with zipfile.ZipFile(claims, "w") as archive:
        for name in arrays_of(small_model):
            archive.writestr(f"{name}.npy", header.getvalue())
    began = process_time()
    for hostile in (bomb, claims.getvalue()):
        with pytest.raises(NotAModel):
            read_model(hostile)
    assert process_time() - began < 1


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_file_cut_off_anywhere_is_refused(small_model: Model, kept: float) -> None:
    whole = model_bytes(small_model)
    with pytest.raises(NotAModel):
        read_model(whole[: int(kept if kept >= 1 else kept * len(whole))])


def test_a_changed_byte_is_seen(small_model: Model) -> None:
    whole = bytearray(model_bytes(small_model))
    whole[len(whole) // 2] ^= 0xFF
    with pytest.raises(NotAModel):
        read_model(bytes(whole))


@pytest.mark.parametrize(
    "changed",
    [
        {"weights": np.zeros((3, 3), np.float32)},
        {"weights": np.zeros(0, np.float32)},
        {"bias": np.array([np.nan], np.float32)},
        {"languages": np.zeros((6, 10), np.float32)},
        {"languages": np.array("?")},
        {"keys": np.array([2, 1], np.uint64)},
        {"keys": np.array([], np.uint64)},
        {"reason_count": np.array([1, 2])},
        {"reason_count": 0},
        {"reason_count": 10_000},
        {"temperature": 0.0},
        {"temperature": np.inf},
        {"temperature": "warm"},
        {"outputs": np.array(["price", "price"])},
        {"outputs": np.array([1.5, 2.5])},
        {"moves": np.zeros((2, 2), np.float32)},
    ],
)
def test_arrays_that_do_not_fit_each_other_are_refused(small_model: Model, changed: Arrays) -> None:
    with pytest.raises(NotAModel):
        read_model(packed({**arrays_of(small_model), **changed}))


def test_other_arrays_and_other_reasons_are_refused(small_model: Model) -> None:
    arrays = arrays_of(small_model)
    with pytest.raises(NotAModel, match="other arrays"):
        read_model(packed({**arrays, "more": np.zeros(1)}))
    with pytest.raises(NotAModel, match="other arrays"):
        read_model(packed({name: array for name, array in arrays.items() if name != "moves"}))
    renamed = replace(small_model, outputs=("weather", *small_model.outputs[1:]))
    with pytest.raises(NotAModel, match="other reasons"):
        read_model(model_bytes(renamed))
