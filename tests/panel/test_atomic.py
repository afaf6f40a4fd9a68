"""Files and folders appear whole or not at all, and what killed writers left goes away."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from remitstats.panel.atomic import remove_stale, whole_file, whole_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from remitstats.panel import atomic
with getattr(atomic, sys.argv[1])(Path(sys.argv[2])) as temporary:
    inside = temporary / "table.csv" if temporary.is_dir() else temporary
    inside.write_text("half", encoding="utf-8")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(temporary: Path) -> None:
    inside = temporary / "table.csv" if temporary.is_dir() else temporary
    inside.write_text("whole", encoding="utf-8")


@pytest.mark.parametrize("writer", [whole_file, whole_folder], ids=["file", "folder"])
def test_what_a_killed_writer_left_goes_when_the_same_is_written_again(
    writer: Callable[[Path], AbstractContextManager[Path]], tmp_path: Path
) -> None:
    target = tmp_path / "a [new] place"
    ran = subprocess.run([sys.executable, "-c", KILLED, writer.__name__, str(target)], check=False)
    assert ran.returncode == -signal.SIGKILL
    (leftover,) = names(tmp_path)
    assert leftover.endswith(".part")
    with writer(tmp_path / "another") as temporary:  # is no business of it
        fill(temporary)
    assert leftover in names(tmp_path)
    with writer(target) as temporary:
        assert leftover not in names(tmp_path)
        fill(temporary)
    assert names(tmp_path) == ["a [new] place", "another"]


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    with whole_file(target) as first:
        with whole_file(target) as second:
            assert first != second
            first.write_text("first", encoding="utf-8")
            second.write_text("second", encoding="utf-8")
        assert target.read_text("utf-8") == "second"
    assert target.read_text("utf-8") == "first"
    assert names(tmp_path) == ["table.csv"]


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(KeyError), whole_file(target) as temporary:
        temporary.write_text("new", encoding="utf-8")
        raise KeyError
    assert target.read_text("utf-8") == "old"
    assert names(tmp_path) == ["table.csv"]


def test_a_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with whole_file(tmp_path / "whole") as temporary:
        temporary.write_text("", encoding="utf-8")
    assert stat.S_IMODE((tmp_path / "whole").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_only_temporary_names_that_are_ours_are_removed(tmp_path: Path) -> None:
    for name in (".a.nc.1.part", ".b.nc.1.part", ".a.nc.part", "a.nc.1.part", ".a.nc.x.part"):
        (tmp_path / name).touch()
    outside = tmp_path / "outside"
    outside.touch()
    (tmp_path / ".a.nc.2.part").symlink_to(outside)
    removed = remove_stale(tmp_path, lambda name: name == "a.nc")
    assert [path.name for path in removed] == [".a.nc.1.part"]
    assert len(names(tmp_path)) == 6
    assert os.path.lexists(tmp_path / ".a.nc.2.part")
