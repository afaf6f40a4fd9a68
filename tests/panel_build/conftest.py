from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def mexico(raw):
    """The panel, built from the official files."""
    from remitstats.panel.build import build_panel

    return build_panel(raw)
