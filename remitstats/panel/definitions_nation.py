"""What the columns of the tables of whole countries mean."""

from __future__ import annotations

from remitstats.panel.definition import YEAR, Definition

_WDI, _TRADE = "wdi-remittances-2025", "inegi-trade"

NATION = (
    YEAR,
    Definition(
        "born_in_mexico_us_residents",
        "persons",
        "People born in Mexico who live in the United States, from a sample survey; 1994 to 2021. "
        "2014 is null: the file doubles it. A stock: who came and left again is not in it.",
        ("cps-born-in-mexico",),
    ),
    Definition(
        "merchandise_exports_usd_million",
        "millions of US dollars",
        "Exports of goods, nominal, maquiladoras included; from 1991, when they first are.",
        (_TRADE,),
    ),
    Definition(
        "oil_exports_usd_million",
        "millions of US dollars",
        "Exports of crude oil and its products, nominal; from 1991.",
        (_TRADE,),
    ),
    Definition(
        "other_exports_usd_million",
        "millions of US dollars",
        "Exports of goods without oil, nominal, nearly all of them manufactures; the difference of "
        "the two columns beside it.",
        (_TRADE,),
    ),
    Definition(
        "remittances_gdp_percent",
        "% of GDP",
        "Personal remittances received over gross domestic product; one vintage of the World Bank, "
        "of which the years before 2003 count fewer channels.",
        (_WDI,),
    ),
    Definition(
        "remittances_usd_million",
        "millions of US dollars",
        "Sum of the twelve months of CE81, nominal; whole years only. The jump of 2000-03 is "
        "partly wider coverage of the agents that report.",
        ("banxico-ce81",),
    ),
    Definition(
        "tourism_receipts_usd_million",
        "millions of US dollars",
        "Receipts of international tourism, nominal; 1995 to 2020.",
        ("wdi-tourism",),
    ),
)

_WORLD = ("wpp-2024", "wdi-remittances-2022", "wdi-remittances-2025", "maddison-2023")
_BREAKS = (
    "Zeros of the file are null. Mexico and South Korea have a break between 1979 and 1980, Spain "
    "and Portugal between 1998 and 1999; Mexico counted ever more agents from 2000 to 2003."
)

WORLD = (
    Definition(
        "country",
        "ISO 3166 code, text of 3 letters",
        "A country or territory; groups of countries are left out.",
        _WORLD,
    ),
    Definition("year", "year", "From 1950, up to where the data sets end.", _WORLD),
    Definition(
        "net_migration_per_thousand",
        "persons a year per thousand inhabitants",
        "Immigrants less emigrants over the population; 1950 to 2023. The publisher's estimate, "
        "mostly what is left between two censuses, smoothed or held level in between: neighbouring "
        "years are no independent observations.",
        ("wpp-2024",),
    ),
    Definition(
        "remittances_gdp_percent_wdi_2022",
        "% of GDP",
        f"Personal remittances received over gross domestic product, 1970 to 2020. {_BREAKS}",
        ("wdi-remittances-2022",),
    ),
    Definition(
        "remittances_gdp_percent_wdi_2025",
        "% of GDP",
        "The same in a later vintage, with revised product, 1994 to 2024; South Korea is not in "
        "it. Never spliced with the other.",
        ("wdi-remittances-2025",),
    ),
    Definition(
        "gdp_per_person_maddison_dollars_2011",
        "international dollars of 2011 a year",
        "Gross domestic product per person at purchasing power parity (gdppc), 1950 to 2022.",
        ("maddison-2023",),
    ),
    Definition(
        "population_thousand_maddison",
        "thousands of persons",
        "Mid-year population, 1950 to 2022; serves only to tell large countries from small ones.",
        ("maddison-2023",),
    ),
)

MIGRATION = (
    Definition(
        "country", "ISO 3166 code, text of 3 letters", "One of nine countries.", ("wpp-2024",)
    ),
    YEAR,
    Definition(
        "net_migration_thousand",
        "thousands of persons a year",
        "Immigrants less emigrants; negative where more leave. Estimated by the publisher, the "
        "earlier years from little.",
        ("wpp-2024",),
    ),
)

FIGURES = (
    Definition(
        "figure",
        "text",
        "households_receiving, households_receiving_percent or manufacturing_compensation_index.",
        ("enigh-receiving", "bls-compensation"),
    ),
    YEAR,
    Definition(
        "value",
        "that of the column unit",
        "The figure. Those of surveys are estimates whose sampling error is not in the source.",
        ("enigh-receiving", "bls-compensation"),
    ),
    Definition("unit", "text", "Unit of the value.", ("enigh-receiving", "bls-compensation")),
    Definition(
        "origin",
        "text",
        "Who reported it; the figures of ENIGH are from secondary sources.",
        ("enigh-receiving", "bls-compensation"),
    ),
)
