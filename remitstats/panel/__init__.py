"""The tidy panel: its tables and rules, its files, how it is checked and loaded.

Names are looked up when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "check": ["check_for_reliance", "check_panel"],
        "file": ["read_panel", "write_panel"],
        "lags": ["lag"],
        "load": ["load_mexico", "load_panel"],
        "panel": ["Panel"],
        "schema": ["TABLES"],
        "spec": ["ColumnSpec", "TableSpec"],
    },
)
