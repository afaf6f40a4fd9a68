"""The one place that says what a panel's tables hold.

For each table: its columns with type, range and whether they may be empty, the key that must be
unique, the columns that must point to a row of another table, and rules between columns. The
checks (`remitstats.panel.rules`), the files, the hash and the documentation all read it here.

Conventions
-----------
Dollars are millions of current US dollars, pesos are millions of Mexican pesos, shares are
percentages of 0 to 100. `cvegeo` is the 5-character code of a municipality, of which the first two
are the code of its state. A panel of another country keeps the names of the columns and may write
its codes in its own way; `remitstats.panel.code_form` gives its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from remitstats.panel.columns import (
    CVEGEO,
    amount_column,
    count_column,
    country_code,
    gini_column,
    month_column,
    municipality_code,
    number_column,
    percent_column,
    quarter_column,
    state_code,
    text_column,
    year_column,
)
from remitstats.panel.spec import ColumnSpec, TableSpec

_USD = "millions of current US dollars"
_COMPONENTS = (
    "illiterate_percent",
    "incomplete_primary_percent",
    "incomplete_basic_percent",
    "no_drainage_percent",
    "no_electricity_percent",
    "no_piped_water_percent",
    "crowding_percent",
    "earth_floor_percent",
    "small_locality_percent",
    "low_income_percent",
)
_PERCENTAGES = (
    *("emigrant_percent", "circular_percent", "return_percent", *_COMPONENTS),
    *("income_poverty_percent", "patrimony_poverty_percent", "income_below_line_percent"),
)

_ALL = (
    TableSpec(
        "municipality_wave",
        (
            municipality_code(),
            year_column("wave"),
            count_column(
                "dwellings",
                "a whole number of dwellings, 1 or more, or an empty cell for no data",
                minimum=1,
                required=True,
            ),
            percent_column("receiving_percent", required=True),
            *(percent_column(name) for name in _PERCENTAGES),
            gini_column(),
            amount_column("income_per_person_mxn_month", "current pesos a person and month"),
        ),
        key=("cvegeo", "wave"),
    ),
    TableSpec(
        "municipality_condition",
        (
            municipality_code(),
            year_column("year"),
            *(percent_column(name) for name in (*_COMPONENTS, "no_drainage_1995_percent")),
            number_column("marginalisation_index"),
            number_column("marginalisation_index_dp2"),
            percent_column("patrimony_poverty_percent"),
            percent_column("income_below_line_percent"),
            gini_column(),
            amount_column("income_per_person_mxn_month", "current pesos a person and month"),
            ColumnSpec(
                "income_source",
                "text",
                "municipality, district or remaining part, or an empty cell for no income",
                choices=("municipality", "district", "remaining part"),
            ),
        ),
        key=("cvegeo", "year"),
    ),
    TableSpec(
        "municipality",
        (
            municipality_code(refers_to=""),
            text_column("name", "the municipality's name", required=True, nullable=False),
            state_code(),
            ColumnSpec(
                "longitude",
                "number",
                "degrees east from -180 to 180, or an empty cell",
                minimum=-180,
                maximum=180,
            ),
            ColumnSpec(
                "latitude",
                "number",
                "degrees north from -90 to 90, or an empty cell",
                minimum=-90,
                maximum=90,
            ),
            ColumnSpec(
                "territory",
                "text",
                "the code of a municipality with which this one exchanged territory, its own if "
                "none, or an empty cell",
                pattern=CVEGEO,
            ),
        ),
        key=("cvegeo",),
    ),
    TableSpec(
        "state",
        (
            state_code(refers_to=""),
            text_column("name", "the state's name", required=True, nullable=False),
            text_column("region", "the name of the state's migration region", nullable=False),
        ),
        key=("state",),
    ),
    TableSpec(
        "municipality_census",
        (
            municipality_code(),
            year_column("year"),
            count_column(
                "population",
                "a whole number of persons, 0 or more, or an empty cell for no data",
                required=True,
            ),
            ColumnSpec(
                "kind",
                "text",
                "census, count or survey",
                nullable=False,
                choices=("census", "count", "survey"),
            ),
            count_column(
                "published_population",
                "a whole number of persons, 0 or more, or an empty cell for no data",
            ),
        ),
        key=("cvegeo", "year"),
    ),
    TableSpec(
        "municipality_quarter",
        (municipality_code(), quarter_column(), amount_column("remittances_usd_million", _USD)),
        key=("cvegeo", "quarter"),
    ),
    TableSpec(
        "state_quarter",
        (
            state_code(),
            quarter_column(),
            amount_column("remittances_usd_million", _USD),
            amount_column("remittances_ce166_usd_million", _USD),
            amount_column("unidentified_usd_million", _USD),
        ),
        key=("state", "quarter"),
    ),
    TableSpec(
        "state_year",
        (
            state_code(),
            year_column("year"),
            amount_column("remittances_usd_million", _USD),
            *(
                amount_column(f"{industry}gdp_{prices}_mxn_million", f"millions of {words} pesos")
                for industry in ("", "manufacturing_", "oil_")
                for prices, words in (("constant", "2018"), ("current", "current"))
            ),
        ),
        key=("state", "year"),
    ),
    TableSpec(
        "national_month",
        (
            month_column(),
            amount_column("remittances_usd_million", _USD),
            amount_column("remittance_operations_thousand", "thousands of transfers"),
            count_column("remittance_operations", "a whole number of transfers, or an empty cell"),
            amount_column("remittances_out_usd_million", _USD),
            count_column(
                "remittance_out_operations", "a whole number of transfers, or an empty cell"
            ),
            amount_column("mxn_per_usd", "pesos a dollar"),
            amount_column("consumer_price_index", "an index"),
        ),
        key=("month",),
    ),
    TableSpec(
        "country_year",
        (
            country_code(),
            year_column("year"),
            amount_column("gdp_per_person_maddison_dollars_2011", "international dollars of 2011"),
            amount_column("gdp_per_person_pwt_dollars_2017", "international dollars of 2017"),
        ),
        key=("country", "year"),
    ),
    TableSpec(
        "world_year",
        (
            country_code(),
            year_column("year"),
            ColumnSpec(
                "net_migration_per_thousand",
                "number",
                "persons a year per thousand inhabitants, negative where more leave, or an empty "
                "cell for no data",
            ),
            amount_column("remittances_gdp_percent_wdi_2022", "% of GDP"),
            amount_column("remittances_gdp_percent_wdi_2025", "% of GDP"),
            amount_column("gdp_per_person_maddison_dollars_2011", "international dollars of 2011"),
            amount_column("population_thousand_maddison", "thousands of persons"),
        ),
        key=("country", "year"),
    ),
    TableSpec(
        "national_year",
        (
            year_column("year"),
            amount_column("born_in_mexico_us_residents", "persons"),
            *(
                amount_column(f"{name}_usd_million", _USD)
                for name in (
                    *("merchandise_exports", "oil_exports", "other_exports"),
                    *("remittances", "tourism_receipts"),
                )
            ),
            percent_column("remittances_gdp_percent"),
        ),
        key=("year",),
    ),
    TableSpec(
        "country_migration",
        (
            country_code(),
            year_column("year"),
            ColumnSpec(
                "net_migration_thousand",
                "number",
                "thousands of persons, negative where more leave, or an empty cell for no data",
            ),
        ),
        key=("country", "year"),
    ),
    TableSpec(
        "published_figure",
        (
            text_column("figure", "the name of a figure", required=True, nullable=False),
            year_column("year"),
            number_column("value"),
            text_column("unit", "its unit"),
            text_column("origin", "who reported it"),
        ),
        key=("figure", "year"),
    ),
    TableSpec(
        "adjacency",
        (
            municipality_code("cvegeo_a"),
            municipality_code("cvegeo_b"),
            ColumnSpec(
                "rook",
                "boolean",
                "true if the two share a border line, false if only a corner",
                nullable=False,
            ),
        ),
        key=("cvegeo_a", "cvegeo_b"),
    ),
    TableSpec(
        "shape",
        (
            municipality_code(),
            ColumnSpec(
                "geometry",
                "geometry",
                "a polygon in well-known binary form (hexadecimal in a CSV file)",
                required=True,
                nullable=False,
            ),
        ),
        key=("cvegeo",),
    ),
    TableSpec(
        "account",
        (
            text_column(
                "source", "the file or step the line is about", required=True, nullable=False
            ),
            text_column("step", "what was done", required=True, nullable=False),
            *(
                count_column(name, "a whole number of rows, or an empty cell")
                for name in ("rows_in", "merged", "missing", "rows_out")
            ),
            text_column("note", "any text"),
        ),
        key=(),
        unique=False,
    ),
    TableSpec(
        "name_resolution",
        (
            state_code(),
            text_column("published_name", "the name as published", required=True, nullable=False),
            municipality_code(nullable=True),
            text_column("how", "how the name was resolved", required=True, nullable=False),
        ),
        key=("state", "published_name", "cvegeo"),
        unique=False,
    ),
)

TABLES: Mapping[str, TableSpec] = MappingProxyType({table.name: table for table in _ALL})
REQUIRED_TABLE = "municipality_wave"
