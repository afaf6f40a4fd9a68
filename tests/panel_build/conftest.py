from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def steps():
    """What was told of the steps while the panel was built."""
    return []


@pytest.fixture(scope="session")
def mexico(raw, steps):
    """The panel, built from the official files."""
    from remitstats.panel.build import build_panel

    return build_panel(raw, lambda *step: steps.append(step))
