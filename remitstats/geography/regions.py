"""States and CONAPO's migration regions.

CONAPO groups the 32 states by the history of their emigration to the United States:
Traditional (the centre-west, from which people have left since the late 19th century), North,
Centre, and South-Southeast (the most recent).
"""

from __future__ import annotations

import pandas as pd

REGION_STATES: dict[str, tuple[str, ...]] = {
    "Traditional": ("01", "06", "10", "11", "14", "16", "18", "24", "32"),
    "North": ("02", "03", "05", "08", "19", "25", "26", "28"),
    "Centre": ("09", "13", "15", "17", "21", "22", "29"),
    "South-Southeast": ("04", "07", "12", "20", "23", "27", "30", "31"),
}
"""Migration region -> codes of its states."""

STATE_NAMES: dict[str, str] = {
    "01": "Aguascalientes",
    "02": "Baja California",
    "03": "Baja California Sur",
    "04": "Campeche",
    "05": "Coahuila",
    "06": "Colima",
    "07": "Chiapas",
    "08": "Chihuahua",
    "09": "Ciudad de México",
    "10": "Durango",
    "11": "Guanajuato",
    "12": "Guerrero",
    "13": "Hidalgo",
    "14": "Jalisco",
    "15": "México",
    "16": "Michoacán",
    "17": "Morelos",
    "18": "Nayarit",
    "19": "Nuevo León",
    "20": "Oaxaca",
    "21": "Puebla",
    "22": "Querétaro",
    "23": "Quintana Roo",
    "24": "San Luis Potosí",
    "25": "Sinaloa",
    "26": "Sonora",
    "27": "Tabasco",
    "28": "Tamaulipas",
    "29": "Tlaxcala",
    "30": "Veracruz",
    "31": "Yucatán",
    "32": "Zacatecas",
}
"""State code -> the short name by which the publishers list it."""


def state_table() -> pd.DataFrame:
    """Return the panel's table ``state``: ``state``, ``name``, ``region``, 32 rows."""
    region = {state: name for name, states in REGION_STATES.items() for state in states}
    table = pd.DataFrame({"state": list(STATE_NAMES), "name": list(STATE_NAMES.values())})
    table["region"] = table["state"].map(region)
    return table
