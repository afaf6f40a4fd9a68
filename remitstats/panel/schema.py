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

from remitstats.panel.spec import ColumnSpec, TableSpec

CVEGEO = r"[0-9]{5}"
STATE = r"[0-9]{2}"
COUNTRY = r"[A-Z]{3}"
QUARTER = r"(19|20)[0-9]{2}Q[1-4]"
MONTH = r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])"


def _cvegeo(name: str = "cvegeo", refers_to: str = "municipality", **options: bool) -> ColumnSpec:
    return ColumnSpec(
        name,
        "text",
        "a municipality's code as text of five digits, such as 09001",
        required=True,
        nullable=options.get("nullable", False),
        pattern=CVEGEO,
        refers_to=refers_to,
    )


def _state(refers_to: str = "state") -> ColumnSpec:
    return ColumnSpec(
        "state",
        "text",
        "a state's code as text of two digits, such as 09",
        required=True,
        nullable=False,
        pattern=STATE,
        refers_to=refers_to,
    )


def _country() -> ColumnSpec:
    return ColumnSpec(
        "country",
        "text",
        "a country's code of three capital letters (ISO 3166), such as MEX",
        required=True,
        nullable=False,
        pattern=COUNTRY,
    )


def _text(name: str, accepted: str, *, required: bool = False, nullable: bool = True) -> ColumnSpec:
    return ColumnSpec(name, "text", accepted, required=required, nullable=nullable)


def _percent(name: str, *, required: bool = False) -> ColumnSpec:
    return ColumnSpec(
        name,
        "number",
        "a percentage from 0 to 100, or an empty cell for no data",
        required=required,
        minimum=0,
        maximum=100,
    )


def _index(name: str) -> ColumnSpec:
    return ColumnSpec(name, "number", "a number, or an empty cell for no data")


def _amount(name: str, unit: str) -> ColumnSpec:
    return ColumnSpec(name, "number", f"{unit}, 0 or more, or an empty cell for no data", minimum=0)


def _year(name: str) -> ColumnSpec:
    return ColumnSpec(
        name,
        "integer",
        "a year from 1900 to 2100",
        required=True,
        nullable=False,
        minimum=1900,
        maximum=2100,
    )


def _count(name: str, accepted: str, *, minimum: int = 0, required: bool = False) -> ColumnSpec:
    return ColumnSpec(name, "integer", accepted, required=required, minimum=minimum)


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
_GINI = ColumnSpec(
    "gini",
    "number",
    "a Gini coefficient from 0 to 1, or an empty cell for no data",
    minimum=0,
    maximum=1,
)
_QUARTER = ColumnSpec(
    "quarter",
    "text",
    "a quarter written like 2013Q1",
    required=True,
    nullable=False,
    pattern=QUARTER,
)

_ALL = (
    TableSpec(
        "municipality_wave",
        (
            _cvegeo(),
            _year("wave"),
            _count(
                "dwellings",
                "a whole number of dwellings, 1 or more, or an empty cell for no data",
                minimum=1,
                required=True,
            ),
            _percent("receiving_percent", required=True),
            *(_percent(name) for name in _PERCENTAGES),
            _GINI,
            _amount("income_per_person_mxn_month", "current pesos a person and month"),
        ),
        key=("cvegeo", "wave"),
    ),
    TableSpec(
        "municipality_condition",
        (
            _cvegeo(),
            _year("year"),
            *(_percent(name) for name in (*_COMPONENTS, "no_drainage_1995_percent")),
            _index("marginalisation_index"),
            _index("marginalisation_index_dp2"),
            _percent("patrimony_poverty_percent"),
            _percent("income_below_line_percent"),
            _GINI,
            _amount("income_per_person_mxn_month", "current pesos a person and month"),
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
            _cvegeo(refers_to=""),
            _text("name", "the municipality's name", required=True, nullable=False),
            _state(),
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
            _state(refers_to=""),
            _text("name", "the state's name", required=True, nullable=False),
            _text("region", "the name of the state's migration region", nullable=False),
        ),
        key=("state",),
    ),
    TableSpec(
        "municipality_census",
        (
            _cvegeo(),
            _year("year"),
            _count(
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
            _count(
                "published_population",
                "a whole number of persons, 0 or more, or an empty cell for no data",
            ),
        ),
        key=("cvegeo", "year"),
    ),
    TableSpec(
        "municipality_quarter",
        (_cvegeo(), _QUARTER, _amount("remittances_usd_million", _USD)),
        key=("cvegeo", "quarter"),
    ),
    TableSpec(
        "state_quarter",
        (
            _state(),
            _QUARTER,
            _amount("remittances_usd_million", _USD),
            _amount("remittances_ce166_usd_million", _USD),
            _amount("unidentified_usd_million", _USD),
        ),
        key=("state", "quarter"),
    ),
    TableSpec(
        "state_year",
        (
            _state(),
            _year("year"),
            _amount("remittances_usd_million", _USD),
            *(
                _amount(f"{industry}gdp_{prices}_mxn_million", f"millions of {words} pesos")
                for industry in ("", "manufacturing_", "oil_")
                for prices, words in (("constant", "2018"), ("current", "current"))
            ),
        ),
        key=("state", "year"),
    ),
    TableSpec(
        "national_month",
        (
            ColumnSpec(
                "month",
                "text",
                "a month written like 1995-01",
                required=True,
                nullable=False,
                pattern=MONTH,
            ),
            _amount("remittances_usd_million", _USD),
            _amount("remittance_operations_thousand", "thousands of transfers"),
            _count("remittance_operations", "a whole number of transfers, or an empty cell"),
            _amount("remittances_out_usd_million", _USD),
            _count("remittance_out_operations", "a whole number of transfers, or an empty cell"),
            _amount("mxn_per_usd", "pesos a dollar"),
            _amount("consumer_price_index", "an index"),
        ),
        key=("month",),
    ),
    TableSpec(
        "country_year",
        (
            _country(),
            _year("year"),
            _amount("gdp_per_person_maddison_dollars_2011", "international dollars of 2011"),
            _amount("gdp_per_person_pwt_dollars_2017", "international dollars of 2017"),
        ),
        key=("country", "year"),
    ),
    TableSpec(
        "world_year",
        (
            _country(),
            _year("year"),
            ColumnSpec(
                "net_migration_per_thousand",
                "number",
                "persons a year per thousand inhabitants, negative where more leave, or an empty "
                "cell for no data",
            ),
            _amount("remittances_gdp_percent_wdi_2022", "% of GDP"),
            _amount("remittances_gdp_percent_wdi_2025", "% of GDP"),
            _amount("gdp_per_person_maddison_dollars_2011", "international dollars of 2011"),
            _amount("population_thousand_maddison", "thousands of persons"),
        ),
        key=("country", "year"),
    ),
    TableSpec(
        "national_year",
        (
            _year("year"),
            _amount("born_in_mexico_us_residents", "persons"),
            *(
                _amount(f"{name}_usd_million", _USD)
                for name in (
                    *("merchandise_exports", "oil_exports", "other_exports"),
                    *("remittances", "tourism_receipts"),
                )
            ),
            _percent("remittances_gdp_percent"),
        ),
        key=("year",),
    ),
    TableSpec(
        "country_migration",
        (
            _country(),
            _year("year"),
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
            _text("figure", "the name of a figure", required=True, nullable=False),
            _year("year"),
            ColumnSpec("value", "number", "a number, or an empty cell for no data"),
            _text("unit", "its unit"),
            _text("origin", "who reported it"),
        ),
        key=("figure", "year"),
    ),
    TableSpec(
        "adjacency",
        (
            _cvegeo("cvegeo_a"),
            _cvegeo("cvegeo_b"),
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
            _cvegeo(),
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
            _text("source", "the file or step the line is about", required=True, nullable=False),
            _text("step", "what was done", required=True, nullable=False),
            *(
                _count(name, "a whole number of rows, or an empty cell")
                for name in ("rows_in", "merged", "missing", "rows_out")
            ),
            _text("note", "any text"),
        ),
        key=(),
        unique=False,
    ),
    TableSpec(
        "name_resolution",
        (
            _state(),
            _text("published_name", "the name as published", required=True, nullable=False),
            _cvegeo(nullable=True),
            _text("how", "how the name was resolved", required=True, nullable=False),
        ),
        key=("state", "published_name", "cvegeo"),
        unique=False,
    ),
)

TABLES: Mapping[str, TableSpec] = MappingProxyType({table.name: table for table in _ALL})
REQUIRED_TABLE = "municipality_wave"
