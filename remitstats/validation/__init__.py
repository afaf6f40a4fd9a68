"""Studies of what estimates and verdicts are worth, on panels whose truth is known."""
