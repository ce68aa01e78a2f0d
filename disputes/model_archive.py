"""Arrays out of a .npz archive that may be hostile (S20): no code runs, nothing grows, nothing is missing.

numpy.load would do with `allow_pickle=False`, but trusts the archive's sizes: a few kilobytes can claim gigabytes.
Ours are stored as they are, so whatever is packed, or larger than the archive itself, is refused before it is read.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from math import prod
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MOST_BYTES = 500_000_000
"""No model of ours comes near it: what ships has 20 MB."""
_KINDS = "fiuU"  # numbers and text; "O" would be pickled objects
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class NotAModel(ValueError):
    """The bytes are no model of ours; the message says why."""


def read_arrays(content: bytes, names: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    """The arrays of exactly these names. Raises NotAModel."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            return {name: _array(archive, info, len(content)) for name, info in _members(archive, names).items()}
    except (BadZipFile, EOFError, OSError, RuntimeError, ValueError, SyntaxError, TypeError, MemoryError) as error:
        raise NotAModel(f"not a model: {error}") from error


def _members(archive: ZipFile, names: Sequence[str]) -> dict[str, ZipInfo]:
    found = archive.infolist()
    if sorted(one.filename for one in found) != sorted(f"{name}.npy" for name in names):
        raise NotAModel("it holds other arrays than a model has")
    return {one.filename.removesuffix(".npy"): one for one in found}


def _array(archive: ZipFile, info: ZipInfo, size: int) -> NDArray[Any]:
    if info.compress_type != ZIP_STORED or info.file_size > min(size, MOST_BYTES):
        raise NotAModel(f"{info.filename} is packed or larger than the file")
    with archive.open(info) as member:
        shape, fortran, dtype = _header(member, info.filename)
        data = member.read()
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise NotAModel(f"{info.filename} holds {dtype}, not numbers or text")
    if len(data) != prod(shape) * dtype.itemsize:
        raise NotAModel(f"{info.filename} is cut off")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _header(member: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(member)
    if version not in _HEADERS:
        raise NotAModel(f"{name} is of a format nobody wrote")
    shape, fortran, dtype = _HEADERS[version](member)
    return shape, fortran, dtype
