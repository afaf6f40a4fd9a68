"""Posterior draws to the quantities users ask for: labelled tables, no text, no plots."""
