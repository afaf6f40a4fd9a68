"""Files that are no text in order: Parquet, workbooks, links and pipes, folders, the very large."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cases import BASE, HEADER, MEGABYTE, ROWS, Case, of_bytes, of_text


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
