"""Figures of the report, one kind a file: tables in, Matplotlib figures out, no pyplot."""
