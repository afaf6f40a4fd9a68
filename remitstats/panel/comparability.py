"""Which conditions compare between years: a section of ``data/README.md``.

A test computes every figure of it from the panel anew.
"""

from __future__ import annotations

_HEAD = """\
## What compares between years in municipality_condition

"Rank" is the rank correlation over all municipalities with both figures, unweighted. A high rank
correlation says that the order of municipalities is alike, not that levels may be subtracted.

| series | years | compares? | evidence |
|---|---|---|---|
"""

_ROWS = (
    (
        "illiteracy, electricity, piped water",
        "all",
        "level and order",
        "the same indicator in all years; 1995, 2005 are counts, 2015 is a survey",
    ),
    (
        "crowding, earth floor",
        "all but 1995",
        "level and order",
        "the same indicator in all years",
    ),
    (
        "incomplete primary",
        "1990-2015 but 1995",
        "level and order",
        "one definition; rank 2010 to 2015 0.984",
    ),
    (
        "incomplete basic (2020) against incomplete primary",
        "2015 to 2020",
        "order at best",
        "nine years of school against six: mean of municipalities 29.3% in 2015, 45.8% in "
        "2020; rank 0.924",
    ),
    (
        "no drainage",
        "1990, 2005-2020",
        "level and order",
        "2000 is a wider definition (toilet for own use)",
    ),
    (
        "no drainage of 1995",
        "1995",
        "no",
        "any toilet: median 56.5% against 40.9% in 1990 and 14.3% in 2000; rank 0.653 "
        "with 1990, 0.536 with 2000",
    ),
    (
        "small localities",
        "1990-2020 but 1995",
        "not 2010 to 2015",
        "2,339 of 2,456 municipalities have the very figure of 2010 in 2015: no new observation",
    ),
    (
        "low income (up to two minimum wages)",
        "1990-2015 but 1995",
        "order; level with care",
        "the minimum wage follows its own path",
    ),
    (
        "low income",
        "2015 to 2020",
        "order only",
        "the minimum wage rose: median 57.0% in 2015, 84.6% in 2020; rank 0.834 (2010 to "
        "2015: 0.821)",
    ),
    (
        "index of marginalisation, 1990-2015",
        "none",
        "order within a year",
        "standardised anew each year: mean 0 and deviation 1 by construction; rank "
        "between neighbouring years 0.967 to 0.988",
    ),
    (
        "index of 2020 (DP2)",
        "none",
        "order within 2020",
        "higher is LESS marginalised; rank with the index of 2015 -0.979",
    ),
    (
        "patrimony poverty",
        "1990, 2000, 2010",
        "level and order, as model estimates",
        "rank 1990 to 2000 0.848, 2000 to 2010 0.942",
    ),
    (
        "income below the line",
        "2010, 2015, 2020",
        "order; level with care",
        "model estimates; the line has another definition in 2020; rank 2010 to 2015 "
        "0.911, 2015 to 2020 0.898",
    ),
    (
        "income below the line against patrimony poverty",
        "2010",
        "no",
        "another line, another income: rank 0.896; income below the line is 5.3 points "
        "higher on average, with a standard deviation of 9.5 and differences from -40.3 "
        "to 41.6 points",
    ),
    (
        "Gini",
        "1990, 2000, 2010",
        "weakly",
        "model estimates of little stability: rank 1990 to 2000 0.441, 2000 to 2010 "
        "0.465; mean 0.401, 0.461, 0.374",
    ),
    (
        "income per person",
        "2010, 2015, 2020",
        "order; level after deflating",
        "rank 2010 to 2015 0.930, 2015 to 2020 0.926",
    ),
)
"""Series, years, what compares, by what figures."""

_NOTES = """
So no series of poverty or income runs from 1990 to 2020 on one definition: patrimony poverty ends
in 2010, where income below the line and income per person begin. Standardise within a year, or
keep to a pair of years with one definition; do not join the two.

**Income per person** is in pesos of each year. The workbook does not say so, but its figures of
2020 are CONEVAL's (in pesos of August 2020) in 1,873 municipalities, to rounding; and PNUD's own
index of income counts a peso of 2020 as 0.69 of one of 2010, while consumer prices rose by 47%
from August to August.

In **Oaxaca** a municipality has the figure of its district: the 30 districts hold 44% of the
variance, in 2020, of the logarithm of CONEVAL's income of its 570 municipalities, and the rank
correlation of the two is 0.553. Where `income_source` is "district", do not read differences
between neighbours. The ranks above count each municipality of Oaxaca.

The eleven "remaining parts" of 2020 are between 0.96 and 1.22 times CONEVAL's figure for the whole.

**The index of marginalisation** is, but for rounding, a weighted sum of the year's components in
this table (2020: all nine; 1995 has only some of them), which is why its mean, weighted by persons,
serves for the parts of a folded municipality.

**Mexico against the United States** (`country_year`): income per person is 0.262 of that of the
United States in 1990, 0.298 in 2010 and 0.278 in 2022 by Maddison, 0.310, 0.314 and (2019) 0.305 by
the Penn World Table. Levels differ between the two, so does the change: report both.
"""

COMPARABILITY = _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in _ROWS) + _NOTES
