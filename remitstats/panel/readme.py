"""The text of ``data/README.md``: what is shipped, the decisions, the dictionary, the terms."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from remitstats.panel.codes import PARENTS
from remitstats.panel.comparability import COMPARABILITY
from remitstats.panel.names import EXPLICIT
from remitstats.sources.files import FILES

_HEAD = """\
# The shipped panel

<!-- Written by `python -m remitstats.panel.dictionary`; change the texts there. -->

`mexico.parquet` holds all tables of the panel of Mexico in one file. Read it with
`remitstats.load_mexico()`, or one table with
`pandas.read_parquet("mexico.parquet", filters=[("table", "==", "municipality_wave")])`, which
also shows the columns of the other tables, empty. `dictionary.json` says of every column where it
comes from, its unit and its meaning: it is the dictionary below as data, and also stands in the
file's own metadata.

The unit is the **municipality on the boundaries of the 2010 census** (2,456 of them). Percentages
of migration are percentages of dwellings. Dollars are nominal.

Build it anew from the official files with

    remitstats data build --raw DIR --out data/mexico.parquet

The build prints an account of rows in, merged, missing and out for every source; it is stored in
the file as the table `account`.

## Figures to check it by

| what | value |
|---|---|
| municipalities, states | 2,456; 32 |
| dwellings that receive remittances, weighted by dwellings, 2000 / 2010 / 2020 | \
4.351 / 3.623 / 5.054% |
| persons 1990 / 1995 / 2000 / 2005 | 81,249,645 / 91,158,290 / 97,483,412 / 103,263,388 |
| persons 2010 / 2015 / 2020 | 112,336,538 / 119,530,753 / 126,014,024 |
| CE166, millions of dollars, 2013 / 2020 / 2023 / 2024 | 23,090 / 41,704 / 63,319 / 64,746 |
| neighbour pairs | 7,192, of which 7,080 share a border line; one connected map |

The persons of 1995 are 90,638,604 in municipalities and 519,686 that INEGI gives for 15
municipalities of Chiapas together (code 07998); the latter are in the file's metadata
(`census_undistributed`).

## Decisions

- **Later municipalities are folded, whole, into the municipality that most of their area came
  from**:
{parents}.
  Eleven came from their parent with nine tenths of their area or more. Of Emiliano Zapata (07123)
  a quarter came from Chiapa de Corzo (07027) and of Coatetelco (17034) an eighth from 17017; both
  stay whole. Dwellings and persons are summed; percentages are means weighted by dwellings or
  persons, as their denominators call for. CE166 is published on 2010 boundaries already.
- **13 municipalities have no figures of 2000** because they were created afterwards. They have a
  row with empty cells; their people and dwellings of 2000 are in the municipalities they left.
- **Between 1990 and 2010 populations stand on the boundaries of their year.** 53 municipalities
  were created in between: they have no figure before, and those they left lost territory, not
  people. `municipality.territory` has one code for municipalities that exchanged territory; their
  sum compares between years. A new municipality's own figure does not compare with its parent's.
- **Zeros of CE166 stay zeros.** About 850 municipalities are exactly 0 in a quarter of 2013-17, 23
  in 2022Q2 and about 650 from 2022Q3 on. This is how payouts were reported, not behaviour: the
  reporting changed in 2018Q1 and 2022Q3. A model has to treat it as reporting.
- **CE166 counts where money is paid out, not where households live.**
- **"No identificado" is kept with its state** (`state_quarter.unidentified_usd_million`).
  Municipalities and unidentified money add up to the state's total in every quarter, to 0.0005
  million dollars: the publisher rounds municipalities to six decimals and states to four.
- **Two vintages stand side by side, never spliced**: CE166 (`remittances_ce166_usd_million`) and
  the revised CE100 (`remittances_usd_million`). In these files they agree to rounding up to 2023;
  from 2024 CE100 has been revised: 0.4% higher nationwide in 2024, 1.1% in 2025, up to 14% in a
  state's quarter.
- **The 2000-2003 jump of the national series** is partly wider coverage; the figures stand as
  published.
- **"-", "n.d", "N. D." and empty cells are missing figures**, not zeros; the zeros of the exchange
  rate in 1991 are missing figures too. Any other text in a column of numbers stops the build.
- **Indices of migration intensity (IAIM, IIM, DP2) are left out**: they are not comparable between
  waves. The index of marginalisation stands in `municipality_condition` only, in two columns for
  its two methods.
- **Components of marginalisation change their definition**: schooling (`incomplete_primary_percent`
  to 2015, `incomplete_basic_percent` in 2020), drainage (1995 and 2000 against the others), and the
  level of `low_income_percent` in 2020, when the minimum wage had risen.
- **Poverty, Gini and income per person are CONEVAL's model estimates**, not observations. A Gini
  coefficient is never averaged: its years are published on 2010 boundaries.
- **Income per person has one source a table**: CONEVAL's of 2020 in `municipality_wave`, PNUD's of
  2010, 2015 and 2020 in `municipality_condition`, where `income_source` says what a figure is of.
- **Two data sets of income per country stand side by side** in `country_year`, Maddison (to 2022)
  and the Penn World Table (to 2019); nothing is joined and nothing reaches 2023.
- **Remittances over product stand in two vintages of the World Bank** (`world_year`, to 2020 and
  from 1994 to 2024), never spliced. Breaks of single countries are left in and are for models to
  handle: Spain and Portugal in 1999, Mexico and South Korea in 1980, Mexico's widening coverage
  from 2000 to 2003.
- **Net migration of the United Nations is an estimate**, smoothed or held level between censuses:
  take it in means of five years or so, not as yearly observations.
- **Exports begin in 1991** (`national_year`): before, they were counted without maquiladoras. Each
  column is one publisher's in one vintage; remittances are the yearly sums of CE81.
- **Residents of the United States born in Mexico lack 2014**, which is twice its neighbours in the
  file. They are a stock from a sample survey, no count of departures.
- **Single figures of ENIGH are from secondary sources** (`published_figure`), without their
  sampling errors, and serve only to be held against claims.
- **Mid-year populations are left out**: between censuses they are modelled.
- **Population is INEGI's.** CONAPO's marginalisation files give other persons for 07052 and 07115
  (2000) and for 15059, 15108 and 15109 (2010), with the same totals, and 34,289 persons more in
  1995; theirs serve only as weights for folding 2020.

{comparability}
## Names that needed a decision

Banco de México gives municipalities by name only. Of 2,456 names, 2,446 are exact and four differ
in an accent. The others:

| state | name | code | how |
|---|---|---|---|
{names}

## Sources

Most are official statistics of Mexico, free to use with attribution: cite the publisher, the table
and the date of consultation. The others are of PNUD México, the Maddison Project, the Penn World
Table, the World Bank, the United Nations and two agencies of the United States; the dictionary has
their terms. CE166 was consulted on 5 May 2026; the national series reach
to May and June 2026.

| key | publisher | table | vintage |
|---|---|---|---|
{sources}

## Dictionary
"""


def readme_text(records: Sequence[Mapping[str, str]]) -> str:
    """Return the text of ``data/README.md``.

    Parameters
    ----------
    records : sequence of mapping
        As `remitstats.panel.dictionary.dictionary_records` gives them.
    """
    text = _HEAD.format(
        comparability=COMPARABILITY,
        parents=textwrap.fill(
            ", ".join(f"{later} into {parent}" for later, parent in PARENTS.items()),
            width=100,
            initial_indent="  ",
            subsequent_indent="  ",
        ),
        names="\n".join(
            f"| {state} | {name} | {code} | {how} |"
            for (state, name), (code, how) in EXPLICIT.items()
        ),
        sources="\n".join(
            f"| {file.key} | {file.publisher} | {file.table} | {file.vintage} |"
            for file in FILES.values()
        ),
    )
    tables: dict[str, list[Mapping[str, str]]] = {}
    for record in records:
        tables.setdefault(record["table"], []).append(record)
    return text + "".join(_section(name, columns) for name, columns in tables.items())


def _section(table: str, records: Sequence[Mapping[str, str]]) -> str:
    fields = ("column", "unit", "definition", "publisher", "source", "vintage", "terms")
    lines = [
        f"\n### {table}\n",
        "| " + " | ".join(fields) + " |",
        "|" + "---|" * len(fields),
        *(
            "| " + " | ".join(record[field].replace("|", "/") for field in fields) + " |"
            for record in records
        ),
    ]
    return "\n".join(lines) + "\n"
