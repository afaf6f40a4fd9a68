"""What the columns of the tables of the whole country mean."""

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
