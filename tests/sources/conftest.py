from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from remitstats.sources.files import FILES

# Other work on the machine must not fail a property.
settings.register_profile("remitstats", deadline=None)
settings.load_profile("remitstats")

RAW = Path(
    os.environ.get(
        "REMITSTATS_RAW", Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "raw"
    )
)


@pytest.fixture(scope="session")
def raw() -> Path:
    if not RAW.is_dir():
        pytest.skip(f"the official files are not at {RAW} (REMITSTATS_RAW names another place)")
    return RAW


@pytest.fixture
def spoilt(raw: Path, tmp_path: Path) -> Callable[[str, Callable[[bytes], bytes]], Path]:
    """A raw folder with one file changed; the rest is not there."""

    def make(key: str, change: Callable[[bytes], bytes]) -> Path:
        path = tmp_path / "raw" / FILES[key].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(change((raw / FILES[key].path).read_bytes()))
        return tmp_path / "raw"

    return make
