"""Every figure of the section on comparability, computed from the panel and the files anew."""

from __future__ import annotations

import itertools
from contextlib import closing

import numpy as np
import pytest
from openpyxl import load_workbook

from remitstats.panel.comparability import COMPARABILITY
from remitstats.sources import inegi
from remitstats.sources.files import FILES

INCOME = "income_per_person_mxn_month"
TEXT = " ".join(COMPARABILITY.split())


@pytest.fixture(scope="module")
def years(mexico):
    table = mexico.table("municipality_condition")
    return {int(year): part.set_index("cvegeo") for year, part in table.groupby("year")}


def rank(first, second):
    return f"{first.corr(second, method='spearman'):.3f}"


def test_ranks_between_years(years):
    def between(column, start, end):
        return rank(years[start][column], years[end][column])

    for column, words in (
        ("incomplete_primary_percent", "one definition; rank 2010 to 2015 {0}"),
        ("income_below_line_percent", "rank 2010 to 2015 {0}, 2015 to 2020 {1}"),
        (INCOME, "rank 2010 to 2015 {0}, 2015 to 2020 {1}"),
        ("low_income_percent", "rank {1} (2010 to 2015: {0})"),
    ):
        assert words.format(between(column, 2010, 2015), between(column, 2015, 2020)) in TEXT
    for column in ("patrimony_poverty_percent", "gini"):
        words = f"rank 1990 to 2000 {between(column, 1990, 2000)}, 2000 to 2010"
        assert f"{words} {between(column, 2000, 2010)}" in TEXT


def test_schooling_and_low_income_change_their_level_in_2020(years):
    primary = years[2015]["incomplete_primary_percent"]
    basic = years[2020]["incomplete_basic_percent"]
    levels = f"{primary.mean():.1f}% in 2015, {basic.mean():.1f}% in 2020"
    assert f"{levels}; rank {rank(primary, basic)}" in TEXT
    low = [years[year]["low_income_percent"].median() for year in (2015, 2020)]
    assert f"median {low[0]:.1f}% in 2015, {low[1]:.1f}% in 2020" in TEXT


def test_drainage_of_1995_is_another_thing(years):
    wide = years[1995]["no_drainage_1995_percent"]
    narrow = {year: years[year]["no_drainage_percent"] for year in (1990, 2000)}
    medians = f"{narrow[1990].median():.1f}% in 1990 and {narrow[2000].median():.1f}% in 2000"
    assert f"median {wide.median():.1f}% against {medians}" in TEXT
    ranks = f"{rank(narrow[1990], wide)} with 1990, {rank(narrow[2000], wide)} with 2000"
    assert f"rank {ranks}" in TEXT


def test_small_localities_of_2015_are_those_of_2010(years):
    column = "small_locality_percent"
    same = int((years[2010][column] == years[2015][column]).sum())
    assert f"{same:,} of {len(years[2010]):,} municipalities have the very figure" in TEXT


def test_the_index_is_standardised_anew_each_year_and_turned_round_in_2020(years):
    column = "marginalisation_index"
    known = [1990, 1995, 2000, 2005, 2010, 2015]
    for year in known:
        assert years[year][column].mean() == pytest.approx(0, abs=0.002)
        assert years[year][column].std() == pytest.approx(1, abs=0.002)
    ranks = sorted(
        rank(years[start][column], years[end][column]) for start, end in itertools.pairwise(known)
    )
    assert f"neighbouring years {ranks[0]} to {ranks[-1]}" in TEXT
    last = rank(years[2015][column], years[2020]["marginalisation_index_dp2"])
    assert f"rank with the index of 2015 {last}" in TEXT


def test_the_two_poverties_of_2010(years):
    patrimony = years[2010]["patrimony_poverty_percent"]
    below = years[2010]["income_below_line_percent"]
    apart = below - patrimony
    assert f"another income: rank {rank(patrimony, below)}" in TEXT
    assert f"{apart.mean():.1f} points higher" in TEXT
    assert f"standard deviation of {apart.std():.1f}" in TEXT
    assert f"from {apart.min():.1f} to {apart.max():.1f} points" in TEXT


def test_means_of_gini(years):
    means = ", ".join(f"{years[year]['gini'].mean():.3f}" for year in (1990, 2000, 2010))
    assert f"mean {means}" in TEXT


def test_income_is_in_pesos_of_each_year(raw):
    with closing(load_workbook(raw / FILES["pnud-idh"].path, read_only=True)) as book:
        every = list(book.worksheets[0].iter_rows(min_row=7, values_only=True))
    rows = [row for row in every if "ND" not in row]
    income = {year: np.array([row[at] for row in rows]) for year, at in ((2010, 7), (2020, 9))}
    index = {year: np.array([row[at] for row in rows]) for year, at in ((2010, 22), (2020, 24))}
    # The index is the logarithm of income on a scale from 100 to 75,000: what a peso counts.
    counts = {year: np.median(100 * 750 ** index[year] / income[year]) for year in income}
    assert f"a peso of 2020 as {counts[2020] / counts[2010]:.2f} of one of 2010" in TEXT
    prices = inegi.read_prices(raw).set_index("month")["consumer_price_index"]
    assert f"prices rose by {prices['2020-08'] / prices['2010-08'] - 1:.0%}" in TEXT


def test_incomes_of_2020_against_conevals(mexico, years):
    wave = mexico.table("municipality_wave")
    theirs = wave[wave["wave"] == 2020].set_index("cvegeo")[INCOME]
    ours, source = years[2020][INCOME], years[2020]["income_source"]
    ratio = ours / theirs
    same = (ratio - 1).abs() < 1e-5
    assert f"in {int((same & (source == 'municipality')).sum()):,} municipalities" in TEXT
    part = ratio[source == "remaining part"]
    assert len(part) == 11
    assert f"between {part.min():.2f} and {part.max():.2f} times" in TEXT
    oaxaca = source == "district"
    logs = np.log(theirs[oaxaca])
    within = logs - logs.groupby(ours[oaxaca]).transform("mean")
    share = 1 - within.var(ddof=0) / logs.var(ddof=0)
    assert f"hold {share:.0%} of the variance" in TEXT
    assert f"correlation of the two is {rank(ours[oaxaca], theirs[oaxaca])}" in TEXT


def test_income_against_the_united_states(mexico):
    table = mexico.table("country_year").set_index(["year", "country"])

    def ratio(column, *years):
        parts = table[column].unstack("country")
        return [f"{parts.loc[year, 'MEX'] / parts.loc[year, 'USA']:.3f}" for year in years]

    first = ratio("gdp_per_person_maddison_dollars_2011", 1990, 2010, 2022)
    assert f"{first[0]} of that of the United States in 1990, {first[1]} in 2010" in TEXT
    assert f"and {first[2]} in 2022 by Maddison" in TEXT
    second = ratio("gdp_per_person_pwt_dollars_2017", 1990, 2010, 2019)
    assert f"{second[0]}, {second[1]} and (2019) {second[2]} by the Penn World Table" in TEXT
