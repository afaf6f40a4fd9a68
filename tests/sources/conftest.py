from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from remitstats.sources.files import FILES


@pytest.fixture
def spoilt(raw: Path, tmp_path: Path) -> Callable[[str, Callable[[bytes], bytes]], Path]:
    """A raw folder with one file changed; the rest is not there."""

    def make(key: str, change: Callable[[bytes], bytes]) -> Path:
        path = tmp_path / "raw" / FILES[key].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(change((raw / FILES[key].path).read_bytes()))
        return tmp_path / "raw"

    return make
