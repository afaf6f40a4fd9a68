"""Malformed CSV texts: their encoding, where they end, separators, headers, rows and cells."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator

from careful import number_of
from cases import BASE, HEADER, ROWS, Case, of_bytes, of_text, with_cell, with_rows


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
    if column == "cvegeo":  # a code of Mexico that is not among the others
        return "either" if value.strip() == "01001" else "refuse"
    number = number_of(value)
    if number is None:
        return "refuse"
    low, high = {"wave": (1900, 2100), "dwellings": (1, 2**63 - 1)}.get(column, (0, 100))
    whole = column == "receiving_percent" or number == number.to_integral_value()
    return "either" if whole and low <= number <= high else "refuse"
