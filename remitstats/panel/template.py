"""An empty panel of a country to be filled in: files with headers, and a page that explains them.

The files hold no example rows: one forgotten would be taken for data. The examples stand in the
page. What a column accepts is read from the schema, so that the page can't say anything else than
the check.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remitstats.errors import PanelError
from remitstats.panel import words
from remitstats.panel.atomic import whole_folder
from remitstats.panel.code_form import KEY, Codes, codes_of, problems_of_codes, tables_for
from remitstats.panel.sample import ACCEPTED as SAMPLE_PARTS
from remitstats.panel.sample import KEY as SAMPLE

README = "README.md"
METADATA = "metadata.json"
LONGEST_COUNTRY = 60


@dataclass(frozen=True)
class TemplateTable:
    """A table of the template.

    Parameters
    ----------
    name : str
        Of the table; its file is ``NAME.csv``.
    columns : mapping of str to str
        Columns of the file with what they mean.
    about : str
        What the table is, and what follows from leaving it out.
    made : bool
        Whether the template has the file, with its headers.
    """

    name: str
    columns: Mapping[str, str]
    about: str
    made: bool = True


TABLES = (
    TemplateTable(
        "municipality_wave",
        {
            "cvegeo": "code of the municipality",
            "wave": "year of the census",
            "dwellings": "inhabited dwellings",
            "receiving_percent": "dwellings that receive remittances, per cent of all",
        },
        "Needed. One row for each municipality and census wave. Leave cells empty where a "
        "municipality was not measured in a wave; never write 0 for it.",
    ),
    TemplateTable(
        "municipality",
        {
            "cvegeo": "code of the municipality",
            "name": "its name",
            "state": "code of the group it belongs to: state, department, province",
            "longitude": "of a point in it; may be empty",
            "latitude": "of a point in it; may be empty",
        },
        "One row for each municipality. Left empty, municipalities are called by their codes, and "
        "grouped by how their codes begin if the form of the groups' codes says how long that is.",
    ),
    TemplateTable(
        "state",
        {
            "state": "code of the group",
            "name": "its name",
            "region": "a larger part of the country, for sums",
        },
        "One row for each group. Left empty, groups are called by their codes.",
    ),
    TemplateTable(
        "adjacency",
        {
            "cvegeo_a": "code of a municipality",
            "cvegeo_b": "code of a neighbour; of the two codes the later one",
            "rook": "whether they share a border line, or only a corner",
        },
        "One row for each pair of neighbours, the earlier code first; for an island, the nearest "
        "municipality across the water. Left empty, there is no effect of space.",
    ),
    TemplateTable(
        "shape",
        {"cvegeo": "code of the municipality", "geometry": "its polygon, in degrees (WGS84)"},
        "Optional: the shapes for maps. Without it the report has no maps.",
        made=False,
    ),
    TemplateTable(
        "municipality_census",
        {
            "cvegeo": "code of the municipality",
            "year": "of the count",
            "population": "persons",
            "kind": "what was done",
        },
        "Optional: population. It is checked and kept; reliance does not need it.",
        made=False,
    ),
    TemplateTable(
        "municipality_quarter",
        {
            "cvegeo": "code of the municipality",
            "quarter": "of the year",
            "remittances_usd_million": "remittances paid out there in the quarter",
        },
        "Optional: quarterly flows. They are checked and kept. The model of dependence knows the "
        "breaks of Mexico's series and is not fitted to those of another country; the report says "
        "so.",
        made=False,
    ),
    TemplateTable(
        "national_year",
        {
            "year": "of the figures",
            "remittances_usd_million": "remittances received by the country, millions of dollars",
            "oil_exports_usd_million": "exports of oil",
            "other_exports_usd_million": "exports of goods without oil: all, where it has none",
            "tourism_receipts_usd_million": "receipts of tourism",
        },
        "Optional: foreign exchange of the whole country by year, for the model macro (which grows "
        "fastest?). It needs remittances and one other column or more, each with a figure in every "
        "year from 2005 to 2019; from 1995 on, it also tells those years from the later ones. "
        "Columns without figures may be left out.",
        made=False,
    ),
)


def write_template(
    folder: Path, country: str, municipality: str = "any", state: str = "any"
) -> list[Path]:
    """Write the template of a country's panel into a new folder: all of it, or nothing.

    Parameters
    ----------
    folder : Path
        A new or an empty folder.
    country : str
        The country's name.
    municipality, state : str
        How codes are written; see `remitstats.panel.code_form`.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    PanelError
        If the country or a form can't be used.
    RemitstatsError
        If the folder holds something already or can't be written.
    """
    metadata: dict[str, Any] = {
        "country": country,
        "title": f"Reliance on remittances in {country}",
        KEY: {"municipality": municipality, "state": state},
        SAMPLE: dict.fromkeys(SAMPLE_PARTS),
    }
    problems = problems_of_codes(metadata)
    if not country.isprintable() or not 0 < len(country.strip()) <= LONGEST_COUNTRY:
        accepted = f"a name of at most {LONGEST_COUNTRY} characters"
        problems.append(
            words.problem("the template", "-", "country", words.show(country), accepted)
        )
    if problems:
        raise PanelError("There is no template for such a panel.", problems)
    texts = {f"{table.name}.csv": ",".join(table.columns) + "\n" for table in TABLES if table.made}
    texts[METADATA] = json.dumps(metadata, ensure_ascii=False, indent=2) + "\n"
    texts[README] = readme(country, codes_of(metadata))
    with whole_folder(folder) as temporary:
        for name, text in texts.items():
            (temporary / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def readme(country: str, codes: Codes) -> str:
    """Return the page that explains the files of a template."""
    parts = [_HEAD.format(country=country)]
    schema = tables_for(codes)
    for table in TABLES:
        spec = schema[table.name]
        lines = [
            f"\n## {table.name}.csv\n",
            table.about + "\n",
            "| column | meaning | accepted |",
            "|---|---|---|",
        ]
        for name, meaning in table.columns.items():
            column = spec.column(name)
            assert column is not None  # noqa: S101  (a test holds the template to the schema)
            lines.append(f"| `{name}` | {meaning} | {column.accepted} |")
        if table.made:
            header, row = ",".join(table.columns), ",".join(_example(table, codes))
            lines += ["\nFor example:\n", f"    {header}", f"    {row}"]
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def _example(table: TemplateTable, codes: Codes) -> list[str]:
    """Return a row that is accepted."""
    first, second = (_code(codes.municipality.form, digit) for digit in "12")
    cells = {
        **{"cvegeo": first, "cvegeo_a": first, "cvegeo_b": second},
        **{"wave": "2024", "dwellings": "5230", "receiving_percent": "18.4"},
        **{"name": "A name", "state": _code(codes.state.form, "1"), "region": "West"},
        **{"longitude": "-89.2", "latitude": "13.7", "rook": "true"},
    }
    return [cells[column] for column in table.columns]


def _code(form: str, last: str) -> str:
    """Return a code of a form that ends on a digit or a letter of one's choice."""
    if form == "any":
        return f"code-{last}"
    letters = {"9": ("0", last), "A": ("A", "AB"[int(last) - 1])}
    filled = [letters.get(character, (character, character))[0] for character in form]
    free = [at for at, character in enumerate(form) if character in letters]
    if free:
        filled[free[-1]] = letters[form[free[-1]]][1]
    return "".join(filled)


_HEAD = """# The panel of {country}

Fill in the files below, as CSV (UTF-8, commas, decimal points), then

    remitstats data check FOLDER
    remitstats run --panel FOLDER

`data check` names every cell that can't be used, with its line, and says what the report will leave
out for what the panel lacks. A file of which only the header is there counts as left out.
"Municipality" is whatever unit you have, and "state" whatever groups of it; the names of files and
columns are the same for all countries.

`metadata.json` says what no table says:

- `country`, `title`: as they shall stand in the report.
- `codes`: how the codes are written. 9 stands for a digit, A for a capital letter, anything else
  for itself (`9999`, `AA-99`); `any` takes letters, digits, '-', '_' and '.'. A form of digits
  alone finds codes that lost a leading zero in a spreadsheet.
- `sample`: how the percentages were measured. `fraction` is the share of dwellings that were asked
  (1 for all; or an object by wave, such as {{"2007": 1, "2024": 0.1}}), `complete_below` the number
  of dwellings up to which all were asked, `design_effect` by how much clusters inflate the variance
  (1 for none). They decide how sure the report is, so that the check asks for them. If nothing is
  known of the sample, remove `sample`: a twentieth of dwellings, all of them up to 1,000, and a
  design effect of 2 are assumed then, and the report's page on the method says so.
"""
