"""What the columns of ``municipality_condition`` and ``country_year`` mean."""

from __future__ import annotations

from dataclasses import replace

from remitstats.panel.definition import CVEGEO, Definition
from remitstats.panel.definitions_wave import BY_DWELLINGS, BY_PERSONS, MODELLED, WAVE

_INDEX = ("conapo-im-1990-2015",)
_INDEX_2020 = ("conapo-im-2020",)
_SAME = {definition.column: definition for definition in WAVE}
_BELOW_LINE = ("coneval-poverty-2010", "coneval-poverty-2015", "coneval-poverty-2020")
_NOT_1995 = "Not 1995."


def _as_in_waves(column: str, years: str) -> Definition:
    """Return a column that means what it means in ``municipality_wave``, with its years."""
    known = _SAME[column]
    return replace(known, meaning=f"{known.meaning} {years}".strip())


CONDITION = (
    CVEGEO,
    Definition(
        "year",
        "year",
        "1990, 1995, 2000, 2005, 2010, 2015 or 2020. All 2,456 municipalities have a row in each; "
        "a municipality that did not exist yet has empty cells of marginalisation (53 in 1990, 28 "
        "in 1995, 13 in 2000, 2 in 2005).",
        (*_INDEX, *_INDEX_2020),
    ),
    _as_in_waves("illiterate_percent", ""),
    Definition(
        "incomplete_primary_percent",
        "% of persons aged 15 and over",
        "Did not complete primary school (SPRIM); to 2015, not 1995. 2020 has "
        f"incomplete_basic_percent instead. {BY_PERSONS}",
        _INDEX,
    ),
    _as_in_waves("incomplete_basic_percent", ""),
    Definition(
        "no_drainage_percent",
        "% of occupants of private dwellings",
        "2000: occupants of dwellings without drainage and without a toilet for their own use "
        "(OVSDSE); 1990, 2005, 2010, 2015, 2020: without drainage and without any toilet (OVSDE), "
        "a narrower definition: do not compare the level of 2000 with the others. 1995 has "
        f"no_drainage_1995_percent. {BY_PERSONS}",
        (*_INDEX, *_INDEX_2020),
    ),
    _as_in_waves("no_electricity_percent", ""),
    _as_in_waves("no_piped_water_percent", ""),
    Definition(
        "crowding_percent",
        "% of private dwellings",
        f"Crowded dwellings (VHAC). {BY_DWELLINGS} In 2015, when dwellings are not published and "
        f"only 23010 is folded, by persons. {_NOT_1995}",
        (*_INDEX, *_INDEX_2020),
    ),
    _as_in_waves("earth_floor_percent", _NOT_1995),
    _as_in_waves(
        "small_locality_percent",
        f"{_NOT_1995} The survey of 2015 has no localities: the figures of 2015 are those of "
        "2010 in 2,339 municipalities and no new observation.",
    ),
    Definition(
        "low_income_percent",
        "% of employed persons",
        "Earn up to two minimum wages (PO2SM). The minimum wage was raised strongly before 2020: "
        "the level of 2020 is not comparable with earlier years; compare ranks within a year. "
        f"{BY_PERSONS} {_NOT_1995}",
        (*_INDEX, *_INDEX_2020),
    ),
    Definition(
        "no_drainage_1995_percent",
        "% of occupants of private dwellings",
        "Occupants of dwellings without drainage, with or without a toilet (OVSD); 1995 only, when "
        "nothing narrower was asked. Wider than no_drainage_percent: not comparable with it.",
        _INDEX,
    ),
    Definition(
        "marginalisation_index",
        "index without unit, mean 0 and standard deviation 1 in each year",
        "Published index of marginalisation (IM), 1990 to 2015; higher: more marginalised. The "
        "first principal component of that year's components, standardised anew each year: not "
        "comparable between years, and no change of it is a change of conditions. Folded weighted "
        "by total population (2015, 23010).",
        _INDEX,
    ),
    Definition(
        "marginalisation_index_dp2",
        "index without unit",
        "Published index of marginalisation by the method of distances (DP2), 2020; higher: LESS "
        "marginalised, the other way round than marginalisation_index. Another method and scale: "
        "not comparable with any earlier year. Folded weighted by total population.",
        _INDEX_2020,
    ),
    Definition(
        "patrimony_poverty_percent",
        "% of persons",
        "Income below what food, clothing, housing, transport, health and schooling cost; 1990, "
        "2000, 2010. CONEVAL also gives 51 of the municipalities created after 1990 for 1990, and "
        f"ten of those created after 2000 for 2000. {MODELLED}",
        ("coneval-1990-2010",),
    ),
    Definition(
        "income_below_line_percent",
        "% of persons",
        "Income below the line: 2010 and 2015 below the wellbeing line (línea de bienestar), 2020 "
        "below the income poverty line (línea de pobreza por ingresos) that took its place; "
        "another measure than patrimony_poverty_percent. Folded weighted by CONEVAL's population. "
        "2015: eleven municipalities have no figure; 2020: 29048 has none, and two of the later "
        f"municipalities (04012, 07125), where the parent's stands alone. {MODELLED}",
        _BELOW_LINE,
    ),
    Definition(
        "gini",
        "coefficient, 0 to 1",
        "Gini coefficient of income per person; 1990, 2000, 2010, on 2010 boundaries as published, "
        "so that nothing is folded. CONEVAL also gives 51 of the municipalities created after 1990 "
        f"for 1990, and ten of those created after 2000 for 2000. {MODELLED}",
        ("coneval-1990-2010",),
    ),
    Definition(
        "income_per_person_mxn_month",
        "current Mexican pesos a month",
        "Current total income per person (ICTPC) as PNUD publishes it: 2010, 2015, 2020. Of a "
        "municipality, or in Oaxaca of the district the municipality lies in: see income_source. "
        "The workbook names no year of prices; the pesos are those of each year, so deflate "
        "before comparing years. In 2020 the figures outside Oaxaca are CONEVAL's of "
        "municipality_wave, which has municipalities in Oaxaca, too; the two tables are not "
        "mixed. Folded (23010 only) weighted by the workbook's population; 2015: seven "
        f"municipalities have no figure, 2020: 29048 has none. {MODELLED}",
        ("pnud-idh", "pnud-oaxaca-districts"),
    ),
    Definition(
        "income_source",
        "text",
        "What the income is of. municipality: the municipality itself. district: the district of "
        "Oaxaca the municipality lies in, the same figure for all in it. remaining part: in 2020, "
        "one of eleven municipalities without the later ones that left it, which PNUD does not "
        "give. Empty where there is no income.",
        ("pnud-idh", "pnud-oaxaca-districts"),
    ),
)

COUNTRY = (
    Definition(
        "country",
        "ISO 3166 code, text of 3 letters",
        "MEX or USA.",
        ("maddison-2023", "pwt-1001"),
    ),
    Definition(
        "year",
        "year",
        "1990 to 2022; neither data set reaches 2023.",
        ("maddison-2023", "pwt-1001"),
    ),
    Definition(
        "gdp_per_person_maddison_dollars_2011",
        "international dollars of 2011 a year",
        "Gross domestic product per person at purchasing power parity (gdppc), 1990 to 2022. Take "
        "the gap between the countries within this column; never spliced with the other.",
        ("maddison-2023",),
    ),
    Definition(
        "gdp_per_person_pwt_dollars_2017",
        "international dollars of 2017 a year",
        "Expenditure-side real gross domestic product (rgdpe) per person at chained purchasing "
        "power parities, made to compare living standards between countries and years; 1990 to "
        "2019. Take the gap between the countries within this column.",
        ("pwt-1001",),
    ),
)
