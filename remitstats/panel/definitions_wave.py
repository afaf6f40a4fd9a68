"""What the columns of ``municipality_wave`` mean; definitions change between waves."""

from __future__ import annotations

from remitstats.panel.definition import CVEGEO, Definition

_MIGRATION = ("conapo-iaim-2000", "conapo-iim-2010", "conapo-iim-2020")
_MARGINALISATION = ("conapo-im-1990-2015", "conapo-im-2020")
_EARLIER = ("conapo-im-1990-2015",)
BY_DWELLINGS = "Folded to 2010 boundaries weighted by dwellings."
BY_PERSONS = "Folded to 2010 boundaries weighted by total population."
_SAMPLE = "From the census long form, a sample of about 10%: noisy in small municipalities."
MODELLED = "Itself a model estimate: its errors are correlated with its covariates."


def _occupants(column: str, what: str) -> Definition:
    return Definition(
        column,
        "% of occupants of private dwellings",
        f"Occupants of dwellings {what}. {BY_PERSONS}",
        _MARGINALISATION,
    )


WAVE = (
    CVEGEO,
    Definition("wave", "year", "Census wave: 2000, 2010, 2020.", _MIGRATION),
    Definition(
        "dwellings",
        "inhabited private dwellings",
        "Dwellings the percentages of migration refer to. Null in 2000 for the 13 municipalities "
        "created between the 2000 and 2010 censuses; their dwellings are in the municipalities "
        "they were part of. Summed when folded.",
        _MIGRATION,
    ),
    Definition(
        "receiving_percent",
        "% of dwellings",
        f"Dwellings that receive remittances. {_SAMPLE} Zeros are real zeros of the sample. "
        f"{BY_DWELLINGS}",
        _MIGRATION,
    ),
    Definition(
        "emigrant_percent",
        "% of dwellings",
        "Dwellings with emigrants to the United States in the five years before the census. "
        f"{_SAMPLE} {BY_DWELLINGS}",
        _MIGRATION,
    ),
    Definition(
        "circular_percent",
        "% of dwellings",
        "Dwellings with circular migrants: left for the United States in the five years before "
        f"the census and came back. {_SAMPLE} {BY_DWELLINGS}",
        _MIGRATION,
    ),
    Definition(
        "return_percent",
        "% of dwellings",
        "Dwellings with return migrants: lived in the United States five years before the census. "
        f"{_SAMPLE} {BY_DWELLINGS}",
        _MIGRATION,
    ),
    Definition(
        "illiterate_percent",
        "% of persons aged 15 and over",
        f"Cannot read and write (ANALF). {BY_PERSONS}",
        _MARGINALISATION,
    ),
    Definition(
        "incomplete_primary_percent",
        "% of persons aged 15 and over",
        "Did not complete primary school (SPRIM); 2000 and 2010 only, 2020 has "
        "incomplete_basic_percent instead.",
        _EARLIER,
    ),
    Definition(
        "incomplete_basic_percent",
        "% of persons aged 15 and over",
        "Did not complete basic education, nine years (SBASC); 2020 only, not comparable with "
        f"incomplete_primary_percent. {BY_PERSONS}",
        ("conapo-im-2020",),
    ),
    Definition(
        "no_drainage_percent",
        "% of occupants of private dwellings",
        "2000: occupants of dwellings without drainage and without a toilet for their own use "
        "(OVSDSE); 2010 and 2020: without drainage and without any toilet (OVSDE), a narrower "
        f"definition: do not compare the level of 2000 with later ones. {BY_PERSONS}",
        _MARGINALISATION,
    ),
    _occupants("no_electricity_percent", "without electricity (OVSEE)"),
    _occupants("no_piped_water_percent", "without piped water (OVSAE)"),
    Definition(
        "crowding_percent",
        "% of private dwellings",
        f"Crowded dwellings (VHAC). {BY_DWELLINGS}",
        _MARGINALISATION,
    ),
    _occupants("earth_floor_percent", "with an earth floor (OVPT)"),
    Definition(
        "small_locality_percent",
        "% of persons",
        f"Live in localities of fewer than 5,000 inhabitants (PL<5000). {BY_PERSONS}",
        _MARGINALISATION,
    ),
    Definition(
        "low_income_percent",
        "% of employed persons",
        "Earn up to two minimum wages (PO2SM). The minimum wage was raised strongly before 2020: "
        "the level of 2020 is not comparable with 2000 and 2010; compare ranks within a wave. "
        f"{BY_PERSONS}",
        _MARGINALISATION,
    ),
    Definition(
        "patrimony_poverty_percent",
        "% of persons",
        "Income below what food, clothing, housing, transport, health and schooling cost; 2000 "
        "and 2010. For 2000 CONEVAL also gives ten of the municipalities created afterwards. "
        f"{MODELLED}",
        ("coneval-1990-2010",),
    ),
    Definition(
        "income_below_line_percent",
        "% of persons",
        "Income below the line: 2010 below the wellbeing line (línea de bienestar), 2020 below "
        "the income poverty line (línea de pobreza por ingresos) that took its place; another "
        "measure than patrimony_poverty_percent. Folded weighted by CONEVAL's population; two of "
        "the later municipalities (04012, 07125) and 29048 have no figure: the parent's stands "
        f"alone, 29048 is null. {MODELLED}",
        ("coneval-poverty-2010", "coneval-poverty-2020"),
    ),
    Definition(
        "gini",
        "coefficient, 0 to 1",
        "Gini coefficient of income per person; 2000 and 2010, on 2010 boundaries as published, "
        "so that nothing is folded (a mean of two Gini coefficients is not the Gini coefficient "
        "of both). For 2000 CONEVAL also gives ten of the municipalities created afterwards. "
        f"{MODELLED}",
        ("coneval-1990-2010",),
    ),
    Definition(
        "income_per_person_mxn_month",
        "Mexican pesos of 2020 a month",
        "Current total income per person (ICTPC); 2020. A mean, and folded as one: weighted by "
        "CONEVAL's population; 04012 and 07125 have no figure and the parent's stands alone, "
        f"29048 is null. {MODELLED}",
        ("coneval-ictpc-2020", "coneval-poverty-2020"),
    ),
)
