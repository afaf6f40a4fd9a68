"""Which official files the panel is built from, and where each comes from.

One entry a file: its place under the raw folder, its publisher and table, its vintage, the
encoding it is published in and the columns it must have. The readers check files against these
entries, the dictionary of the panel takes its provenance from them.
"""

from __future__ import annotations

from remitstats.sources.source_file import CITE, SourceFile

CONSULTED = "2026-05-05"
"""Date on which the publishers' tables were consulted (as CE166 records it in its head)."""

BANXICO = "Banco de México"
BLS = "United States Bureau of Labor Statistics"
CENSUS_BUREAU = "United States Census Bureau"
CONAPO = "Consejo Nacional de Población (CONAPO)"
CONEVAL = "Consejo Nacional de Evaluación de la Política de Desarrollo Social (CONEVAL)"
INEGI = "Instituto Nacional de Estadística y Geografía (INEGI)"
IPUMS = "IPUMS International, University of Minnesota"
MADDISON = "Groningen Growth and Development Centre, Maddison Project"
PNUD = "Programa de las Naciones Unidas para el Desarrollo en México (PNUD)"
UNITED_NATIONS = "United Nations, Department of Economic and Social Affairs"
WORLD_BANK = "World Bank"
PWT = "Groningen Growth and Development Centre, Penn World Table"

_POVERTY_COLUMNS = ("clave_municipio", "municipio", "poblacion")
_COUNTRY_COLUMNS = ("iso3", "year", "is_country")
_EXCHANGE_COLUMNS = ("year", "merch_exports_inegi", "oil_exports_s1_minus_s2")
_CENSUS_COLUMNS = ("region", "municipio_name", "year", "pop", "long", "lat")

FILES: dict[str, SourceFile] = {
    file.key: file
    for file in (
        SourceFile(
            "banxico-ce166",
            "banxico/ce166_municipal_quarterly_2013q1_2026q1.csv",
            BANXICO,
            "SIE, CE166: Ingresos por remesas, distribución por municipio",
            "consulted 2026-05-05, 2013Q1 to 2026Q1",
            encoding="latin-1",
        ),
        SourceFile(
            "banxico-ce100",
            "banxico/remittances_by_state_quarterly_2003.csv",
            BANXICO,
            "SIE, CE100: Ingresos por remesas, distribución por entidad federativa",
            "revised vintage, 2003Q1 to 2026Q1",
            columns=("PERIODO", "CVE_ENT", "ENTIDAD", "VALOR_USD"),
        ),
        SourceFile(
            "banxico-ce81",
            "banxico/remittances_national_monthly_1995.csv",
            BANXICO,
            "SIE, CE81 and CE165: Ingresos y egresos por remesas",
            "revised vintage, inflows 1995-01 to 2026-05, outflows 2013-01 to 2026-05",
            columns=("PERIODO", "ID_FLUJO", "FLUJO", "OPERACIONES", "VALOR_USD"),
        ),
        SourceFile(
            "banxico-fix",
            "banxico/usdmxn_monthly.csv",
            BANXICO,
            "SIE: FIX exchange rate, monthly mean",
            "1991-11 to 2026-06",
            columns=("PERIODO", "TIPO_CAMBIO"),
        ),
        SourceFile(
            "conapo-iaim-2000",
            "conapo/iaim_2000_municipal.csv",
            CONAPO,
            "Índice absoluto de intensidad migratoria México-Estados Unidos 2000, por municipio",
            "2000 census, 10% sample",
            encoding="latin-1",
            columns=(
                *("ENT", "MUN", "NOM_MUN", "TOT_VIV", "VIV_REM", "VIV_EMIG"),
                *("VIV_CIRC", "VIV_RET", "IAIM", "GAIM", "POS_NAL"),
            ),
        ),
        SourceFile(
            "conapo-iim-2010",
            "conapo/iim_2010_municipal.csv",
            CONAPO,
            "Índice de intensidad migratoria México-Estados Unidos 2010, base municipal",
            "2010 census, long-form sample",
            encoding="latin-1",
            columns=(
                *("ENT", "NOM_ENT", "MUN", "NOM_MUN", "TOT_VIV", "VIV_REM", "VIV_EMIG"),
                *("VIV_CIRC", "VIV_RET", "IIM_2010", "IIM0a100", "GIM_2010"),
                *("LUG_EDO", "LUG_NAL"),
            ),
        ),
        SourceFile(
            "conapo-iim-2020",
            "conapo/iim_2020_municipal.csv",
            CONAPO,
            "Índice de intensidad migratoria México-Estados Unidos 2020, por municipio",
            "2020 census, long-form sample",
            columns=(
                *("cve_ent", "cve_mun", "nom_mun", "viv_tot", "viv_rem", "viv_emig"),
                *("viv_circ", "viv_ret", "iim_dp2", "gim_dp2", "pos_nal"),
            ),
        ),
        SourceFile(
            "conapo-im-1990-2015",
            "conapo/marginacion_1990_2015_municipal.csv",
            CONAPO,
            "Índice de marginación por municipio 1990-2015",
            "censuses 1990, 2000, 2010; counts 1995, 2005; survey 2015",
            columns=(
                *("CVE_ENT", "ENT", "CVE_MUN", "MUN", "POB_TOT", "VP", "ANALF", "SPRIM"),
                *("OVSDE", "OVSEE", "OVSAE", "VHAC", "OVPT", "PL<5000", "PO2SM", "OVSD"),
                *("OVSDSE", "IM", "GM", "IND0A100", "LUG_NAC", "LUGAR_EST", "AÑO"),
            ),
        ),
        SourceFile(
            "conapo-im-2020",
            "conapo/marginacion_2020_municipal.csv",
            CONAPO,
            "Índice de marginación por municipio 2020",
            "2020 census",
            columns=(
                *("CVE_ENT", "NOM_ENT", "CVE_MUN", "NOM_MUN", "POB_TOT", "ANALF", "SBASC"),
                *("OVSDE", "OVSEE", "OVSAE", "OVPT", "VHAC", "PL.5000", "PO2SM"),
                *("IM_2020", "GM_2020", "IMN_2020"),
            ),
        ),
        SourceFile(
            "coneval-1990-2010",
            "coneval/indicadores_municipales_1990_2010.csv",
            CONEVAL,
            "Indicadores municipales 1990-2010 (pobreza por ingresos, Gini)",
            "model-based estimates: censuses 1990, 2000, 2010; ENIGH surveys 1992, 2000, 2010",
            encoding="latin-1",
            columns=(
                *("clave_mun", "nom_mun", "pobreza_patrim_90", "pobreza_patrim_00"),
                *("pobreza_patrim_10", "gini_90", "gini_00", "gini_10"),
            ),
            width=139,
        ),
        SourceFile(
            "coneval-ictpc-2020",
            "coneval/ictpc_2020_municipal.xlsx",
            CONEVAL,
            "Ingreso corriente total per cápita (ICTPC) por municipio 2020",
            "model-based estimates, 2020",
            columns=(
                *("Clave de entidad", "Entidad federativa", "Clave de municipio", "Municipio"),
                "Ingreso corriente total per cápita",
            ),
        ),
        SourceFile(
            "coneval-poverty-2010",
            "coneval/indicadores_de_pobreza_municipal_2010.csv",
            CONEVAL,
            "Medición de la pobreza a escala municipal 2010",
            "model-based estimates, 2010",
            encoding="latin-1",
            columns=(*_POVERTY_COLUMNS, "plb", "plb_pob"),
            width=37,
        ),
        SourceFile(
            "coneval-poverty-2015",
            "coneval/indicadores_de_pobreza_municipal_2015.csv",
            CONEVAL,
            "Medición de la pobreza a escala municipal 2015",
            "model-based estimates, 2015",
            encoding="latin-1",
            columns=(*_POVERTY_COLUMNS, "plb", "plb_pob"),
            width=37,
        ),
        SourceFile(
            "coneval-poverty-2020",
            "coneval/indicadores_de_pobreza_municipal_2020.csv",
            CONEVAL,
            "Medición de la pobreza a escala municipal 2020",
            "model-based estimates, 2020",
            encoding="latin-1",
            columns=(*_POVERTY_COLUMNS, "plp", "plp_pob"),
            width=37,
        ),
        SourceFile(
            "pnud-idh",
            "pnud/idh_municipal_2010_2020.xlsx",
            PNUD,
            "Índice de desarrollo humano municipal 2010-2020: ingreso corriente total per cápita",
            "2010, 2015, 2020",
            columns=(
                *("Clave de Municipio", "MUNICIPIO", "DISTRITO (OAXACA)"),
                *(f"POBLACIÓN TOTAL {year}" for year in (2010, 2015, 2020)),
                *(f"INGRESO CORRIENTE TOTAL PER CÁPITA {year}" for year in (2010, 2015, 2020)),
            ),
            width=28,
            terms=f"{CITE} The workbook states no other terms.",
        ),
        SourceFile(
            "pnud-oaxaca-districts",
            "pnud/oaxaca_districts.xlsx",
            PNUD,
            "Municipalities of Oaxaca by district",
            "570 municipalities in 30 districts",
            columns=(
                *("CVEGEO", "CVE_ENT", "Mun_Res", "NOM_ENT", "NOM_MUN", "Distrito"),
                *("CVE_DIST", "NOM_DIST"),
            ),
            terms=f"{CITE} The workbook states no other terms.",
        ),
        SourceFile(
            "inegi-census-1990-2010",
            "inegi/census_population_1990_2010.csv",
            INEGI,
            "Censos de población 1990, 2000, 2010 and conteos 1995, 2005: población total",
            "final results",
            columns=("cvegeo", "name", "year", "sex", "population"),
        ),
        SourceFile(
            "inegi-survey-2015",
            "inegi/census_population_2015.csv",
            INEGI,
            "Encuesta intercensal 2015: población total",
            "2015 survey",
            columns=_CENSUS_COLUMNS,
            width=19,
        ),
        SourceFile(
            "inegi-census-2020",
            "inegi/census_population_2020.csv",
            INEGI,
            "Censo de población y vivienda 2020: población total",
            "final results",
            columns=_CENSUS_COLUMNS,
            width=17,
        ),
        SourceFile(
            "inegi-state-gdp",
            "inegi/state_gdp_by_sector_2003_2024.csv",
            INEGI,
            "Producto interno bruto por entidad federativa",
            "base year 2018, 2003 to 2024 (the latest years are preliminary)",
            columns=(
                *("PERIODO", "CVE_ENT", "ENTIDAD", "CLAVE_INDUSTRIA", "INDUSTRIA"),
                *("VALOR_CONSTANTE", "VALOR_CORRIENTE"),
            ),
        ),
        SourceFile(
            "inegi-inpc",
            "inegi/inpc_monthly.csv",
            INEGI,
            "Índice nacional de precios al consumidor, monthly",
            "base second half of July 2018 = 100, 1982-01 to 2026-06",
            columns=("PERIODO", "GENERAL", "SUBYACENTE", "NO_SUBYACENTE"),
        ),
        SourceFile(
            "maddison-2023",
            "world/panel_country_year.csv",
            MADDISON,
            "Maddison Project Database 2023: GDP per capita",
            "release 2023, to 2022",
            columns=(*_COUNTRY_COLUMNS, "gdppc_mpd2023", "pop_thousand_mpd2023"),
            width=19,
            terms="CC BY 4.0. Cite Bolt and van Zanden, Maddison Project Database 2023.",
        ),
        SourceFile(
            "pwt-1001",
            "world/panel_country_year.csv",
            PWT,
            "Penn World Table 10.01: expenditure-side real GDP at chained PPPs, per person",
            "version 10.01, to 2019",
            columns=(*_COUNTRY_COLUMNS, "rgdpe_pc_pwt1001"),
            width=19,
            terms="CC BY 4.0. Cite Feenstra, Inklaar and Timmer, Penn World Table 10.01.",
        ),
        SourceFile(
            "inegi-trade",
            "world/mexico_fx_sources_annual_usd_mn.csv",
            INEGI,
            "Balanza comercial de mercancías: exports, and exports of oil",
            "to 2021; before 1991 without maquiladoras, not used",
            columns=_EXCHANGE_COLUMNS,
            width=12,
        ),
        SourceFile(
            "wdi-tourism",
            "world/mexico_fx_sources_annual_usd_mn.csv",
            WORLD_BANK,
            "World Development Indicators: international tourism, receipts (ST.INT.RCPT.CD)",
            "1995 to 2020",
            columns=("year", "tourism_receipts_wdi"),
            width=12,
            terms="CC BY 4.0. Cite World Bank, World Development Indicators.",
        ),
        SourceFile(
            "wdi-remittances-2022",
            "world/panel_country_year.csv",
            WORLD_BANK,
            "World Development Indicators: personal remittances received, % of GDP",
            "vintage 2022, to 2020",
            columns=(*_COUNTRY_COLUMNS, "rem_gdp_wdi2022"),
            width=19,
            terms="CC BY 4.0. Cite World Bank, World Development Indicators.",
        ),
        SourceFile(
            "wdi-remittances-2025",
            "world/panel_country_year.csv",
            WORLD_BANK,
            "World Development Indicators: personal remittances received, % of GDP",
            "vintage 2025",
            columns=(*_COUNTRY_COLUMNS, "rem_gdp_wdi2025"),
            width=19,
            terms="CC BY 4.0. Cite World Bank, World Development Indicators.",
        ),
        SourceFile(
            "cps-born-in-mexico",
            "world/panel_country_year.csv",
            CENSUS_BUREAU,
            "Current Population Survey: residents born in Mexico",
            "1994 to 2021, a sample; 2014, which is doubled in the file, is left out",
            columns=(*_COUNTRY_COLUMNS, "us_resident_stock_cps"),
            width=19,
            terms="Public domain. Cite Current Population Survey.",
        ),
        SourceFile(
            "wpp-2024",
            "world/panel_country_year.csv",
            UNITED_NATIONS,
            "World Population Prospects 2024: net migration",
            "revision 2024, estimates to 2023",
            columns=(
                *_COUNTRY_COLUMNS,
                *("net_mig_thousand_wpp2024", "net_mig_rate_per1000_wpp2024"),
            ),
            width=19,
            terms="CC BY 3.0 IGO. Cite World Population Prospects 2024.",
        ),
        SourceFile(
            "enigh-receiving",
            "world/enigh_remittance_households.csv",
            INEGI,
            "ENIGH: households that receive remittances, as reported by secondary sources",
            "surveys of 1998, 2000, 2002 and 2024",
            columns=("year", "households_receiving", "share_of_households_pct", "note", "source"),
        ),
        SourceFile(
            "bls-compensation",
            "world/bls_hourly_comp_index_us100_prodworkers.csv",
            BLS,
            "Hourly compensation costs of production workers in manufacturing, index, US = 100",
            "1975 to 2008",
            columns=(
                *("country", "1975", "1980", "1985", "1990", "1995"),
                *("2000", "2005", "2006", "2007", "2008"),
            ),
            terms="Public domain. Cite publisher and table.",
        ),
        SourceFile(
            "geo-shapes",
            "geo/municipalities_2020.topojson",
            INEGI,
            "Marco geoestadístico 2020, municipal polygons, simplified",
            "2020 boundaries",
        ),
        SourceFile(
            "geo-adjacency",
            "geo/adjacency_2020_queen_rook.csv",
            "derived from INEGI",
            "Neighbours, derived from INEGI's Marco geoestadístico 2020",
            "2020 boundaries",
            columns=("cvegeo_a", "cvegeo_b", "rook"),
        ),
        SourceFile(
            "geo-parents",
            "geo/new_municipalities_2015_2020_parents.csv",
            "derived from INEGI",
            "Parents of the municipalities created after 2010, derived by overlay of boundaries",
            "2010-15 against 2020 boundaries",
            columns=("new_cvegeo_2020", "parent_cvegeo_2015", "area_share_of_new"),
        ),
        SourceFile(
            "ipums-geo2",
            "geo/ipums_geo2_stable_units_1990_2010.csv",
            IPUMS,
            "GEO2_MX: municipalities by units whose boundaries are stable, 1990 to 2010",
            "censuses 1990, 1995, 2000, 2005, 2010",
            columns=("census", "cvegeo", "geo2_mx", "label"),
            terms="Cite IPUMS International, GEO2_MX (international.ipums.org).",
        ),
    )
}
