from __future__ import annotations

from remitstats.geography.regions import REGION_STATES, STATE_NAMES, state_table


def test_every_state_belongs_to_one_region():
    states = [state for states in REGION_STATES.values() for state in states]
    assert sorted(states) == sorted(STATE_NAMES) == [f"{n:02d}" for n in range(1, 33)]


def test_regions_are_conapos():
    table = state_table()
    regions = table.groupby("region")["name"].agg(set).to_dict()
    assert regions["Traditional"] == {
        *("Aguascalientes", "Colima", "Durango", "Guanajuato", "Jalisco", "Michoacán", "Nayarit"),
        *("San Luis Potosí", "Zacatecas"),
    }
    assert regions["North"] == {
        *("Baja California", "Baja California Sur", "Coahuila", "Chihuahua", "Nuevo León"),
        *("Sinaloa", "Sonora", "Tamaulipas"),
    }
    assert regions["Centre"] == {
        *("Ciudad de México", "Hidalgo", "México", "Morelos", "Puebla", "Querétaro", "Tlaxcala"),
    }
    assert regions["South-Southeast"] == {
        *("Campeche", "Chiapas", "Guerrero", "Oaxaca", "Quintana Roo", "Tabasco", "Veracruz"),
        "Yucatán",
    }
