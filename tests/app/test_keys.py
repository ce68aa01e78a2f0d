"""Keys come from one secret: set, or made once and kept."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.core.keys import FILE, SECRET_BYTES, BadSecret, key_for
from app.core.settings import Settings


def test_a_set_secret_gives_one_key_a_purpose(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, secret_key=SecretStr("set by the operator"))
    assert key_for(settings, "reply token") == key_for(settings, "reply token")
    assert key_for(settings, "reply token") != key_for(settings, "action link")
    assert not (tmp_path / FILE).exists()


def test_without_one_a_secret_is_made_once_and_kept_for_us_alone(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path / "new")
    first = key_for(settings, "reply token")
    assert key_for(settings, "reply token") == first
    kept = tmp_path / "new" / FILE
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.iterdir()] == [FILE]
    assert key_for(Settings(data_folder=tmp_path / "other"), "reply token") != first


def test_a_damaged_secret_is_not_signed_with(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"x" * (SECRET_BYTES - 1))
    with pytest.raises(BadSecret, match="cut short"):
        key_for(Settings(data_folder=tmp_path), "reply token")
