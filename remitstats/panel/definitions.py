"""What every column of the shipped panel means: unit, definition, where it comes from.

Written here once; `remitstats.panel.dictionary` joins it with the provenance of the files.
"""

from __future__ import annotations

from dataclasses import replace

from remitstats.panel.definition import CVEGEO, QUARTER, STATE, YEAR, Definition
from remitstats.panel.definitions_condition import CONDITION, COUNTRY
from remitstats.panel.definitions_nation import FIGURES, MIGRATION, NATION, WORLD
from remitstats.panel.definitions_wave import WAVE

_CENSUSES = ("inegi-census-1990-2010", "inegi-survey-2015", "inegi-census-2020")
_CE166_MEANING = (
    "Family remittances paid out in the municipality, nominal. Where money is paid out is not "
    "where households live. Zeros stand as published: about 850 a quarter in 2013-17, 23 in "
    "2022Q2, about 650 from 2022Q3 on; they show how payouts were reported (regime breaks "
    "2018Q1 and 2022Q3), not behaviour. Never spliced with the revised CE100."
)

TABLES: dict[str, tuple[Definition, ...]] = {
    "municipality": (
        CVEGEO,
        Definition(
            "name",
            "text",
            "Name at the 2020 census; the two San Juan Mixtepec and the two San Pedro Mixtepec of "
            "Oaxaca are told apart by their district.",
            ("inegi-census-2020",),
        ),
        STATE,
        Definition(
            "longitude",
            "degrees east, WGS84",
            "Point of the municipality as published (near its seat); of a parent its own.",
            ("inegi-census-2020",),
        ),
        Definition(
            "latitude",
            "degrees north, WGS84",
            "Point of the municipality as published (near its seat); of a parent its own.",
            ("inegi-census-2020",),
        ),
        Definition(
            "territory",
            "INEGI code",
            "The same code for municipalities that exchanged territory between 1990 and 2010 (the "
            "lowest among them): together they kept their boundaries. Its own code where "
            "boundaries did not change. Derived from IPUMS's stable units.",
            ("ipums-geo2",),
        ),
    ),
    "state": (
        STATE,
        Definition("name", "text", "Short name of the state.", ("inegi-census-2020",)),
        Definition(
            "region",
            "text",
            "CONAPO's migration region: Traditional, North, Centre or South-Southeast.",
            ("conapo-iim-2010",),
        ),
    ),
    "municipality_wave": WAVE,
    "municipality_condition": CONDITION,
    "municipality_census": (
        CVEGEO,
        Definition("year", "year", "1990, 1995, 2000, 2005, 2010, 2015 or 2020.", _CENSUSES),
        Definition(
            "population",
            "persons",
            "Total population, summed when folded. Null where the municipality did not exist yet "
            "(its people are in the one it left), and in 1995 for 15 municipalities of Chiapas "
            "whose 519,686 people INEGI gives in one sum (metadata: census_undistributed).",
            _CENSUSES,
        ),
        Definition(
            "kind",
            "text",
            "census (1990, 2000, 2010, 2020), count (1995, 2005) or survey (2015, a sample).",
            _CENSUSES,
        ),
        Definition(
            "published_population",
            "persons",
            "Total population of the municipality on the boundaries of the year itself, as "
            "published: differs from population in 2015 and 2020, where later municipalities "
            "are folded into it.",
            _CENSUSES,
        ),
    ),
    "municipality_quarter": (
        CVEGEO,
        replace(QUARTER, sources=("banxico-ce166",)),
        Definition(
            "remittances_usd_million", "millions of US dollars", _CE166_MEANING, ("banxico-ce166",)
        ),
    ),
    "state_quarter": (
        STATE,
        replace(QUARTER, sources=("banxico-ce100", "banxico-ce166")),
        Definition(
            "remittances_usd_million",
            "millions of US dollars",
            "Family remittances, nominal, revised vintage (CE100). Never spliced with CE166.",
            ("banxico-ce100",),
        ),
        Definition(
            "remittances_ce166_usd_million",
            "millions of US dollars",
            "State total of CE166, nominal: municipalities and unidentified money add up to it, "
            "to the rounding of the publisher (0.0005). Null before 2013.",
            ("banxico-ce166",),
        ),
        Definition(
            "unidentified_usd_million",
            "millions of US dollars",
            "Money paid out in the state whose municipality was not identified (CE166, 'No "
            "identificado'); belongs to no row of municipality_quarter. Null before 2013.",
            ("banxico-ce166",),
        ),
    ),
    "state_year": (
        STATE,
        replace(YEAR, sources=("banxico-ce100", "inegi-state-gdp")),
        Definition(
            "remittances_usd_million",
            "millions of US dollars",
            "Sum of the four quarters of CE100, nominal; null for incomplete years.",
            ("banxico-ce100",),
        ),
        *(
            Definition(
                f"{prefix}gdp_{prices}_mxn_million",
                f"millions of {unit}",
                f"{what}, at {words} prices.",
                ("inegi-state-gdp",),
            )
            for prefix, what in (
                ("", "Gross domestic product of the state"),
                ("manufacturing_", "Value added of manufacturing (industry 31-33)"),
                ("oil_", "Value added of oil and gas extraction (industry 21-1)"),
            )
            for prices, unit, words in (
                ("constant", "Mexican pesos of 2018", "constant"),
                ("current", "Mexican pesos", "current"),
            )
        ),
    ),
    "national_month": (
        Definition(
            "month",
            "text, such as 1995-01",
            "Month; the series begin in different ones.",
            ("banxico-ce81", "banxico-fix", "inegi-inpc"),
        ),
        Definition(
            "remittances_usd_million",
            "millions of US dollars",
            "Family remittances into Mexico, nominal, revised vintage; from 1995. The jump of "
            "2000-03 is partly wider coverage of the agents that report.",
            ("banxico-ce81",),
        ),
        Definition(
            "remittance_operations", "transfers", "Transfers into Mexico.", ("banxico-ce81",)
        ),
        Definition(
            "remittances_out_usd_million",
            "millions of US dollars",
            "Family remittances out of Mexico, nominal; from 2013.",
            ("banxico-ce81",),
        ),
        Definition(
            "remittance_out_operations",
            "transfers",
            "Transfers out of Mexico; from 2013.",
            ("banxico-ce81",),
        ),
        Definition(
            "mxn_per_usd",
            "Mexican pesos a US dollar",
            "FIX rate, mean of the month; the file's zeros of January to October 1991, before "
            "the FIX existed, are null.",
            ("banxico-fix",),
        ),
        Definition(
            "consumer_price_index",
            "index, second half of July 2018 = 100",
            "National consumer price index; from 1982.",
            ("inegi-inpc",),
        ),
    ),
    "country_year": COUNTRY,
    "world_year": WORLD,
    "national_year": NATION,
    "country_migration": MIGRATION,
    "published_figure": FIGURES,
    "adjacency": (
        Definition(
            "cvegeo_a",
            "INEGI code",
            "The neighbour of the smaller code; each pair once.",
            ("geo-adjacency",),
        ),
        Definition(
            "cvegeo_b", "INEGI code", "The neighbour of the greater code.", ("geo-adjacency",)
        ),
        Definition(
            "rook",
            "true or false",
            "True if the two share a border line, false if only a corner. On 2010 boundaries a "
            "later municipality's neighbours are its parent's.",
            ("geo-adjacency",),
        ),
    ),
    "shape": (
        CVEGEO,
        Definition(
            "geometry",
            "well-known binary, longitude and latitude in degrees, WGS84",
            "Polygon for maps: dissolved to 2010 boundaries, on a grid of 2^-13 degree (13 m), "
            "simplified with shared borders kept shared. Not for measuring areas.",
            ("geo-shapes",),
        ),
    ),
    "account": (
        Definition("source", "text", "Key of the official file."),
        Definition("step", "text", "What was done."),
        Definition("rows_in", "rows", "Rows the step received."),
        Definition("merged", "rows", "Rows added to another row; their figures are kept."),
        Definition("missing", "rows", "Rows handed on without a figure."),
        Definition("rows_out", "rows", "Rows handed on."),
        Definition("note", "text", "What else happened; empty if nothing."),
    ),
    "name_resolution": (
        STATE,
        Definition(
            "published_name", "text", "Name of the municipality in CE166.", ("banxico-ce166",)
        ),
        CVEGEO,
        Definition(
            "how",
            "text",
            "accent-folded: the same but for accents and case; renamed and ambiguous: resolved "
            "one by one, with the reason. Names that are exact are not listed.",
        ),
    ),
}
