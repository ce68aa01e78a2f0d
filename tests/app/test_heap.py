"""What a process loaded to stay is kept out of every later collection."""

import gc
from collections.abc import Iterator

import pytest

from app.core import heap


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_loaded_is_not_looked_through_again_and_what_comes_later_is() -> None:
    loaded = [[number] for number in range(1_000)]
    heap.settle()
    assert gc.get_freeze_count() >= len(loaded)
    assert not any(one is loaded for one in gc.get_objects())
    later: list[object] = []
    assert any(one is later for one in gc.get_objects())
