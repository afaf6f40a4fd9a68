"""What the estimates mean for a claim: verdicts by rules that stand in a ledger, open to change.

The rules are uniform by kind of claim. They were written with some of the official figures in
view: they are stated, not pre-registered.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "assess": ["Assessment", "counts", "evaluate"],
        "evidence": ["Evidence", "Sources", "read_sources"],
        "ledger": ["Claim", "Ledger", "LedgerError"],
        "read": ["read_ledger"],
        "regime": ["Chance", "Verdict", "VerdictRule", "regime_verdicts", "verdict_on"],
    },
)
