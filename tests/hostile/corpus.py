"""Malformed files, made one by one from a small panel that is in order.

Each case says by itself what a careful reader makes of it: `"refuse"`, or `"accept"` with the very
numbers of its text (see `careful`), or `"either"` where both would be honest.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HEADER = "cvegeo,wave,dwellings,receiving_percent"
ROWS = (
    "02001,2000,81000,4.1",
    "02001,2010,122000,3.6",
    "02002,2000,186000,2.5",
    "02002,2010,262000,3.2",
    "03001,2000,15000,1.1",
    "03001,2010,18000,1.2",
    "03002,2000,11000,1.6",
    "03002,2010,16000,1.4",
)
BASE = "\n".join((HEADER, *ROWS)) + "\n"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Case:
    """A file that somebody might have.

    Parameters
    ----------
    name : str
        What is wrong with it.
    expected : str
        "refuse", "accept" or "either".
    write : callable
        Writes it into an empty folder and returns its path.
    said : str
        What a refusal must say.
    heavy : bool
        Whether it is large, or takes long.
    """

    name: str
    expected: str
    write: Callable[[Path], Path]
    said: str = ""
    heavy: bool = False


def of_bytes(content: bytes, suffix: str = ".csv") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / f"panel{suffix}"
        path.write_bytes(content)
        return path

    return write


def of_text(text: str) -> Callable[[Path], Path]:
    return of_bytes(text.encode("utf-8", errors="surrogatepass"))


def with_rows(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def with_cell(column: int, value: str) -> str:
    cells = ROWS[2].split(",")
    cells[column] = f'"{value}"' if any(mark in value for mark in ",\n\r") else value
    return with_rows(*ROWS[:2], ",".join(cells), *ROWS[3:])


def encodings() -> Iterator[Case]:
    accents = BASE.replace("cvegeo,wave", "cvegeo,wave").replace("\n02001,2000", "\n02001,2000", 1)
    noted = accents.replace(HEADER, HEADER + ",note").replace("4.1\n", "4.1,Mérida\n")
    noted = "\n".join(
        line if number < 2 else line + "," for number, line in enumerate(noted.splitlines())
    )
    for code in ("latin-1", "cp1252", "mac-roman", "cp850"):
        yield Case(f"text in {code}", "refuse", of_bytes(noted.encode(code)), "UTF-8")
    for code in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "cp037"):
        yield Case(f"text in {code}", "refuse", of_bytes(BASE.encode(code)))
    yield Case("a byte-order mark", "accept", of_bytes(b"\xef\xbb\xbf" + BASE.encode()))
    yield Case("two byte-order marks", "refuse", of_bytes(b"\xef\xbb\xbf" * 2 + BASE.encode()))
    mark = BASE.replace("02002,2000", "\ufeff02002,2000")
    yield Case("a byte-order mark in the middle", "refuse", of_text(mark), "line 4")
    for byte in (b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\x80"):
        content = BASE.encode().replace(b"186000", b"186" + byte + b"000")
        yield Case(f"the byte {byte!r} inside a number", "refuse", of_bytes(content))
    yield Case("nothing but zero bytes", "refuse", of_bytes(bytes(500)))
    yield Case("gzip", "refuse", of_bytes(gzip.compress(BASE.encode())))
    yield Case("an empty file", "refuse", of_bytes(b""), "empty")
    yield Case("one line end", "refuse", of_bytes(b"\n"), "empty")
    noise = random.Random(1).randbytes(4000)
    for suffix in (".csv", ".parquet", ""):
        yield Case(f"noise called {suffix}", "refuse", of_bytes(noise, suffix))
    yield Case("Windows line ends", "accept", of_text(BASE.replace("\n", "\r\n")))
    yield Case("old Macintosh line ends", "either", of_text(BASE.replace("\n", "\r")))
    yield Case("line ends of all kinds", "either", of_text(BASE.replace("0\n", "0\r\n", 2)))
    yield Case("no last line end", "accept", of_text(BASE[:-1]))
    yield Case("an end-of-file character", "refuse", of_text(BASE + "\x1a"))


def truncations() -> Iterator[Case]:
    for length in range(5, len(BASE), 13):
        yield Case(f"cut off after {length} bytes", "either", of_text(BASE[:length]))


def separators() -> Iterator[Case]:
    for mark in ";\t| :":
        yield Case(f"{mark!r} for commas", "refuse", of_text(BASE.replace(",", mark)))
        half = HEADER + "\n" + "\n".join(ROWS).replace(",", mark)
        yield Case(f"{mark!r} below a header with commas", "refuse", of_text(half))
        mixed = with_rows(*ROWS[:3], ROWS[3].replace(",", mark), *ROWS[4:])
        yield Case(f"{mark!r} in one line", "refuse", of_text(mixed), "line 5")
    comma = BASE.replace(",", ";").replace(".", ",")
    yield Case("semicolons and decimal commas", "refuse", of_text(comma), "semicolons")
    unquoted = BASE.replace(".", ",").replace("cvegeo", "cvegeo", 1)
    yield Case("decimal commas between commas", "refuse", of_text(unquoted), "5 cells")
    quoted = HEADER + "".join(
        '\n{},{},{},"{}"'.format(*row.replace(".", ",").rsplit(",", 4)[:3],
                                 row.rsplit(",", 1)[1].replace(".", ",")) for row in ROWS
    )  # fmt: skip
    yield Case("decimal commas in quotes", "refuse", of_text(quoted), "decimal point")
    yield Case("sep= in the first line", "refuse", of_text("sep=,\n" + BASE))


def headers() -> Iterator[Case]:
    names = HEADER.split(",")
    for left in range(4):
        for right in range(left + 1, 4):
            order = list(range(4))
            order[left], order[right] = right, left
            lines = [line.split(",") for line in BASE.splitlines()]
            both = "\n".join(",".join(cells[at] for at in order) for cells in lines)
            swapped = f"{names[left]} and {names[right]}"
            yield Case(f"{swapped} in another order", "accept", of_text(both))
            body = "\n".join(both.splitlines()[1:])
            yield Case(
                f"{swapped} swapped under the header", "refuse", of_text(f"{HEADER}\n{body}")
            )
    for at, name in enumerate(names):
        lost = "\n".join(
            ",".join(cell for place, cell in enumerate(line.split(",")) if place != at)
            for line in BASE.splitlines()
        )
        yield Case(f"no column {name}", "refuse", of_text(lost), name)
        for other in (
            name.upper(),
            f" {name}",
            f"{name} ",
            name[:-1],
            f"{name}.1",
            f"\u200b{name}",
        ):
            text = BASE.replace(name, other, 1)
            yield Case(f"{other!r} for {name}", "refuse", of_text(text), name)
        twice = BASE.replace(HEADER, f"{HEADER},{name}", 1).replace("\n0", ",1\n0")
        yield Case(f"{name} twice", "refuse", of_text(twice))
        quoted = BASE.replace(name, f'"{name}"', 1)
        yield Case(f"{name} in quotes", "accept", of_text(quoted))
    yield Case("no header", "refuse", of_text("\n".join(ROWS)))
    yield Case("a header and nothing else", "refuse", of_text(HEADER), "no rows")
    yield Case("the header again", "refuse", of_text(BASE + HEADER + "\n" + BASE), "line 10")
    yield Case("a title above", "refuse", of_text("Reliance in Mexico\n" + BASE))
    yield Case("a title in cells above", "refuse", of_text("Reliance,,,\n" + BASE))
    yield Case("a merged title above", "refuse", of_text(",,Reliance,\n" + BASE))
    yield Case("a column without a name", "refuse", of_text(BASE.replace("\n", ",\n")))
    yield Case("an index column", "refuse", of_text(",".join(["", BASE.replace("\n", "\n0,")])))


def rows() -> Iterator[Case]:
    yield Case("a row twice", "refuse", of_text(BASE + ROWS[3] + "\n"), "line 10")
    other = "02002,2010,262000,9.9"
    yield Case("a row twice with another number", "refuse", of_text(BASE + other + "\n"), "line 10")
    yield Case("every row twice", "refuse", of_text(BASE + "\n".join(ROWS)), "line 17")
    for row, said in (
        ("02003", "1 cells"),
        ("02003,2000", "2 cells"),
        ("02003,2000,1000", "3 cells"),
        ("02003,2000,1000,1.5,", "5 cells"),
        ("02003,2000,12,345,1.5", "5 cells"),
        ("# a comment", "1 cells"),
        ("   ", "1 cells"),
        ("Total,2000,400000,2.4", "line 10"),
        (",2000,400000,2.4", "line 10"),
        (",,,", "line 10"),
        ("Source: census,,,", "line 10"),
        ('"02003,2000,1000,1.5', "quotation"),
        ('02003,2000,1000,"1.5"x', "quotation"),
        ('"02""003",2000,1000,1.5', "line 10"),
        ('"02\n003",2000,1000,1.5', "line 10"),
        ("'02003','2000','1000','1.5'", "line 10"),
    ):
        yield Case(f"the row {row!r}", "refuse", of_text(BASE + row + "\n"), said)
    yield Case("blank lines", "accept", of_text(BASE.replace("\n02", "\n\n02")))
    yield Case("all cells in quotes", "accept", of_text(quoted_all()))
    merged = with_rows(ROWS[0], ",2010,122000,3.6", *ROWS[2:])
    yield Case("merged cells, of which the first has the code", "refuse", of_text(merged), "line 3")
    merged = with_rows(ROWS[0], "02001,,122000,3.6", *ROWS[2:])
    yield Case("merged cells, of which the first has the wave", "refuse", of_text(merged), "line 3")
    yield Case("one municipality", "refuse", of_text(with_rows(*ROWS[:2])), "state")
    yield Case("one wave", "refuse", of_text(with_rows(*ROWS[::2])), "wave")


def quoted_all() -> str:
    lines = (",".join(f'"{cell}"' for cell in line.split(",")) for line in BASE.splitlines())
    return "\n".join(lines) + "\n"


VALUES = (
    *("nan", "NaN", "inf", "-inf", "Infinity", "1e400", "1e308", "-1", "-0", "0", "1e-400"),
    *("9" * 400, "n.d.", "-", "NA", "NULL", "#N/A", "None", "..", "1,200", "1.200,5", "12%"),
    *("$5", "1 200", "1_000", "0x10", "١٢", "½", "TRUE", "=1+1", '=HYPERLINK("http://x")'),
    *("+1+1", "@SUM(A1)", "2010-01-01", "1/2/2010", "ene-01", "40179", "1e3", "+5", "5.", ".5"),
    *("--5", "5-", "(5)", "1001", "01001 ", " 1001", "'01001", "1001.0", "1.001E+03", "010011"),
    *("2000.0", "20000", "\ufeff5", "5\u00a0", "５", "\u202e5", "😀", "x" * 10_000, "5\n"),
    *("0.1.2", "1e", "e5", "4.1 %"),
)


def cells() -> Iterator[Case]:
    for column, name in enumerate(HEADER.split(",")):
        for value in VALUES:
            shown = value if len(value) < 30 else f"{value[:10]}… ({len(value)} characters)"
            verdict = judged(name, value)
            yield Case(f"{shown!r} for {name}", verdict, of_text(with_cell(column, value)))


def judged(column: str, value: str) -> str:
    """Say what a careful reader does with a cell: what is no plain number is refused."""
    from tests_hostile_careful import number_of

    if column == "cvegeo":  # a code of Mexico that is not among the others
        return "either" if value.strip() == "01001" else "refuse"
    number = number_of(value)
    if number is None:
        return "refuse"
    low, high = {"wave": (1900, 2100), "dwellings": (1, 2**63 - 1)}.get(column, (0, 100))
    whole = column == "receiving_percent" or number == number.to_integral_value()
    return "either" if whole and low <= number <= high else "refuse"


def parquet() -> Iterator[Case]:
    lines = [row.split(",") for row in ROWS]
    columns = dict(zip(HEADER.split(","), map(list, zip(*lines, strict=True)), strict=True))
    good = {
        "cvegeo": pa.array(columns["cvegeo"]),
        "wave": pa.array(map(int, columns["wave"])),
        "dwellings": pa.array(map(int, columns["dwellings"])),
        "receiving_percent": pa.array(map(float, columns["receiving_percent"])),
    }

    def written(**changes: pa.Array) -> bytes:
        place = io.BytesIO()
        pq.write_table(pa.table(good | changes), place)
        return place.getvalue()

    whole = written()
    yield Case("Parquet in order", "accept", of_bytes(whole, ".parquet"))
    yield Case("Parquet called CSV", "accept", of_bytes(whole, ".csv"))
    yield Case("CSV called Parquet", "refuse", of_bytes(BASE.encode(), ".parquet"))
    for share in (0.01, 0.2, 0.5, 0.8, 0.99):
        cut = whole[: int(len(whole) * share)]
        yield Case(f"Parquet cut off at {share}", "refuse", of_bytes(cut, ".parquet"))
    for seed in range(16):
        chance = random.Random(seed)
        content = bytearray(whole)
        for _ in range(4):
            content[chance.randrange(4, len(content) - 8)] ^= 1 << chance.randrange(8)
        damage = f"Parquet with four bits turned over ({seed})"
        yield Case(damage, "either", of_bytes(bytes(content), ".parquet"))
    years = [
        pa.scalar(int(y) * 365 - 719_162, pa.int32()).cast(pa.date32()) for y in columns["wave"]
    ]
    for name, change, verdict in (
        ("codes as numbers", {"cvegeo": pa.array([int(c) for c in columns["cvegeo"]])}, "refuse"),
        ("codes as floats", {"cvegeo": pa.array([float(c) for c in columns["cvegeo"]])}, "refuse"),
        ("codes as bytes", {"cvegeo": pa.array([c.encode() for c in columns["cvegeo"]])}, "either"),
        ("waves as dates", {"wave": pa.array([y.as_py() for y in years])}, "refuse"),
        ("waves as texts", {"wave": pa.array(columns["wave"])}, "either"),
        ("dwellings with NaN", {"dwellings": pa.array([float("nan")] + [9.0] * 7)}, "either"),
        ("dwellings with infinity", {"dwellings": pa.array([float("inf")] + [9.0] * 7)}, "refuse"),
        ("dwellings of 2**63", {"dwellings": pa.array([2**63] + [9] * 7, pa.uint64())}, "refuse"),
        ("dwellings as lists", {"dwellings": pa.array([[1]] * 8)}, "refuse"),
        ("dwellings as truth", {"dwellings": pa.array([True] * 8)}, "refuse"),
        ("per cent as halves", {"receiving_percent": pa.array([3.5] * 8, pa.float32())}, "accept"),
        ("per cent of 1e300", {"receiving_percent": pa.array([1e300] * 8)}, "refuse"),
        ("per cent as nothing", {"receiving_percent": pa.nulls(8)}, "refuse"),
        ("a column of maps", {"note": pa.array([[("a", 1)]] * 8, pa.map_(pa.string(), pa.int8()))},
         "either"),
    ):  # fmt: skip
        yield Case(f"Parquet, {name}", verdict, of_bytes(written(**change), ".parquet"))
    yield Case("Parquet with JSON without a bottom", "refuse", deep_parquet, "JSON")
    yield Case("Parquet of 400 million equal cells", "refuse", parquet_bomb, "cells", heavy=True)


def deep_parquet(folder: Path) -> Path:
    path = folder / "panel.parquet"
    table = pa.table({"table": ["municipality_wave"], "cvegeo": ["02001"]})
    stored = {"remitstats.metadata": "[" * 100_000}
    pq.write_table(table.replace_schema_metadata(stored), path)
    return path


def parquet_bomb(folder: Path) -> Path:
    path = folder / "panel.parquet"
    schema = pa.schema([("cvegeo", pa.string()), ("wave", pa.int64())])
    block = pa.table(
        {"cvegeo": pa.array(["02001"] * 2_000_000), "wave": [2000] * 2_000_000}, schema
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(block)
    return path


def workbooks() -> Iterator[Case]:
    def bomb(folder: Path) -> Path:
        path = folder / "panel.xlsx"
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
        ):
            for _ in range(1000):
                part.write(bytes(MEGABYTE))
        return path

    yield Case("a workbook that unpacks to a gigabyte", "refuse", bomb, "Excel", heavy=True)
    yield Case(
        "an old workbook", "refuse", of_bytes(b"\xd0\xcf\x11\xe0" + bytes(900), ".xls"), ".xls"
    )
    yield Case("an archive called CSV", "refuse", of_bytes(b"PK\x03\x04" + bytes(99)), "Excel")


def places() -> Iterator[Case]:
    def link(folder: Path) -> Path:
        (folder / "there.csv").write_text(BASE)
        (folder / "panel.csv").symlink_to("there.csv")
        return folder / "panel.csv"

    def loop(folder: Path) -> Path:
        (folder / "panel.csv").symlink_to("panel.csv")
        return folder / "panel.csv"

    def dangling(folder: Path) -> Path:
        (folder / "panel.csv").symlink_to("nowhere.csv")
        return folder / "panel.csv"

    def pipe(folder: Path) -> Path:
        os.mkfifo(folder / "panel.csv")
        return folder / "panel.csv"

    def pipe_inside(folder: Path) -> Path:
        os.mkfifo(folder / "municipality_wave.csv")
        (folder / "state.csv").write_text("state,name,region\n")
        return folder

    def device(name: str) -> Callable[[Path], Path]:
        def write(folder: Path) -> Path:
            (folder / "panel.csv").symlink_to(f"/dev/{name}")
            return folder / "panel.csv"

        return write

    def folder_called(folder: Path) -> Path:
        (folder / "panel.csv").mkdir()
        return folder / "panel.csv"

    def unreadable(folder: Path) -> Path:
        path = of_text(BASE)(folder)
        path.chmod(0)
        return path

    def sparse(folder: Path) -> Path:
        path = of_text(BASE)(folder)
        os.truncate(path, 20_000_000_000)
        return path

    yield Case("a link", "accept", link)
    yield Case("a link to itself", "refuse", loop)
    yield Case("a link to nowhere", "refuse", dangling)
    yield Case("a pipe nobody writes into", "refuse", pipe, "pipe")

    def link_inside(folder: Path) -> Path:
        (folder / "municipality_wave.csv").write_text(BASE)
        (folder / "state.csv").symlink_to("nowhere.csv")
        return folder

    yield Case("a link to nowhere in a folder of tables", "refuse", link_inside, "state.csv")
    yield Case("a pipe in a folder of tables", "refuse", pipe_inside, "pipe")
    for name in ("zero", "null", "urandom"):
        yield Case(f"a link to /dev/{name}", "refuse", device(name), "device")
    yield Case("a folder called CSV", "refuse", folder_called)
    expected = "accept" if os.geteuid() == 0 else "refuse"  # root reads it all the same
    yield Case("a file nobody may read", expected, unreadable)
    yield Case("a file of 20 GB of nothing", "refuse", sparse, "megabytes")


def large() -> Iterator[Case]:
    line = b"x" * (99 * MEGABYTE)
    for name, content, said in (
        ("one line of 99 MB", line, ""),
        (
            "a cell of 99 MB",
            BASE.encode() + b"02003,2000,1000," + line[: -MEGABYTE // 2],
            "line 10",
        ),
        ("a line of 99 million commas", b"," * len(line), "cells"),
        ("99 million blank lines", b"\n" * len(line), "lines"),
        ("99 million carriage returns", b"\r" * len(line), "lines"),
        ("an open quotation mark before 99 MB", b'"' + line, ""),
        ("99 million quotation marks", b'"' * len(line), ""),
        ("a row of a million cells", BASE.encode() + b"1," * MEGABYTE, "1000001 cells"),
        ("more than is read", BASE.encode() + line + line, "megabytes"),
        ("300,000 bad rows", BASE.encode() + b"x,y,z,w\n" * 300_000, "more"),
    ):
        yield Case(name, "refuse", of_bytes(content), said, heavy=True)


def folders() -> Iterator[Case]:
    def panel_with(**files: str) -> Callable[[Path], Path]:
        def write(folder: Path) -> Path:
            (folder / "municipality_wave.csv").write_text(BASE)
            for name, text in files.items():
                (folder / name.replace("__", ".")).write_text(text)
            return folder

        return write

    yield Case(
        "metadata without a bottom", "refuse", panel_with(metadata__json="[" * 100_000), "nested"
    )
    yield Case("metadata that is no object", "refuse", panel_with(metadata__json="[1]"), "object")
    yield Case("metadata cut off", "refuse", panel_with(metadata__json='{"a": '), "JSON")
    yield Case("a table twice", "refuse", panel_with(municipality_wave__CSV=BASE))
    yield Case(
        "an unknown table", "refuse", panel_with(municipalities__csv="a\n1\n"), "municipality"
    )
    yield Case("an empty table", "refuse", panel_with(state__csv=""), "empty")
    yield Case(
        "neighbours of nobody",
        "refuse",
        panel_with(adjacency__csv="cvegeo_a,cvegeo_b,rook\n02001,99999,true\n"),
        "99999",
    )
    yield Case(
        "a municipality beside itself",
        "refuse",
        panel_with(adjacency__csv="cvegeo_a,cvegeo_b,rook\n02001,02001,true\n"),
        "02001",
    )
    yield Case("a workbook among the tables", "refuse", panel_with(state__xlsx="PK"), "spreadsheet")
    yield Case("files that start with a dot", "accept", panel_with(**{"._state__csv": "\0\1"}))


def corpus() -> list[Case]:
    """Return all cases; no two have the same name."""
    kinds = (encodings, truncations, separators, headers, rows, cells, parquet, workbooks, places)
    found = [case for kind in (*kinds, folders, large) for case in kind()]
    assert len({case.name for case in found}) == len(found)
    return found
