from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
