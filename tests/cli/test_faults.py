"""Full disks, folders that can't be written, two runs at once, clocks that jump."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from remitstats.errors import RemitstatsError
from remitstats.panel.atomic import whole_file, whole_folder
from remitstats.panel.turns import only_writer
from remitstats.pipeline import require_writable


def small_files_only():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize(
    "words",
    [("data", "export", "--out", "mexico"), ("simulate", "circle", "--out", "made-up.csv")],
    ids=" ".join,
)
def test_a_disk_that_runs_full_is_said_in_words(words, remitstats):
    result = remitstats(*words, limit=small_files_only)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert "file too large" in result.stderr.lower()
    assert remitstats.files == {}


FULL = Path("/dev/full")
if_full = pytest.mark.skipif(not FULL.exists(), reason="a disk that is always full: of Linux")


@if_full
@pytest.mark.parametrize("words", [("--version",), ("data", "info")], ids=" ".join)
def test_output_sent_to_a_full_disk_is_said_in_words(words, remitstats):
    with FULL.open("w") as full:
        done = subprocess.run(
            remitstats.words(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == (
        "The output can't be written: no space left on device. Send it elsewhere.\n"
    )


@if_full
def test_output_and_errors_sent_to_a_full_disk_end_in_an_exit_code(remitstats):
    with FULL.open("w") as full:
        done = subprocess.run(remitstats.words("--version"), stdout=full, stderr=full, check=False)
    assert done.returncode == 2


def test_a_second_run_into_the_same_folder_is_told_and_the_first_goes_on(remitstats, small):
    first = remitstats.start("fit", "reliance", *small, "--draws", "500000")
    try:
        for line in first.stderr:
            if "sampling" in line:
                break
        second = remitstats("run", *small, "--models", "reliance")
        assert second.returncode == 2
        assert "Another run is writing into reports. Wait until it has ended" in second.stderr
        assert second.stdout == ""
        assert first.poll() is None
        elsewhere = remitstats("fit", "reliance", *small, "--out", "elsewhere")
        assert elsewhere.returncode == 3, elsewhere.stderr
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=60)
    again = remitstats("fit", "reliance", *small)  # the lock went with the process
    assert again.returncode == 3, again.stderr


def test_one_at_a_time_has_a_folder_and_nothing_is_left_of_the_lock(tmp_path):
    folder = tmp_path / "new" / "reports"
    with only_writer([folder]):
        with pytest.raises(RemitstatsError, match="Another run is writing into"):
            taken(folder)
        with only_writer([folder / "circle"]):  # another model's folder is another folder
            pass
    assert list(tmp_path.iterdir()) == []
    with only_writer([folder]):
        (folder / "results.json").write_text("{}")
    assert (folder / "results.json").exists()


def test_a_folder_that_an_ended_run_removed_is_made_again(tmp_path):
    for _ in range(3):
        with only_writer([tmp_path / "reports"]):
            assert (tmp_path / "reports").is_dir()


@pytest.fixture
def without_rights(tmp_path):
    """Take from this process the right to write everywhere that root has."""
    user = os.geteuid()
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:  # with a folder of each worker, where tests run on several
        if parent.stat().st_uid == user:
            parent.chmod(parent.stat().st_mode | 0o055)

    @contextmanager
    def alone(mode):
        folder = tmp_path / "folder"
        folder.mkdir()
        folder.chmod(mode)
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)

    return alone


def written(path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("x")


def made(path: Path) -> None:
    with whole_folder(path):
        pass


def taken(path: Path) -> None:
    with only_writer([path]):
        pass


@pytest.mark.parametrize("write", [written, made, taken, require_writable])
def test_a_folder_that_is_read_only_is_refused_in_words(write, without_rights):
    with without_rights(0o555) as folder:
        with pytest.raises(RemitstatsError, match=r"(?i)permission denied"):
            write(folder / "file")
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("write", [written, made, taken, require_writable])
def test_a_folder_that_can_not_be_entered_is_refused_in_words(write, without_rights):
    refused = pytest.raises(RemitstatsError, match=r"(?i)permission denied")
    with without_rights(0o000) as folder, refused:
        write(folder / "deeper" / "file")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("year", [1971, 2100])
def test_a_clock_that_jumps_loses_no_finished_fit_and_repeats_none(year, copied, in_folder):
    (stored,) = (copied.folder / copied.fits).glob("*.nc")
    then = time.mktime((year, 1, 1, 0, 0, 0, 0, 0, 0))
    for path in copied.folder.rglob("*"):
        os.utime(path, (then, then))
    options = (*copied.options, "--out", "other", "--fits", copied.fits)
    again = in_folder(copied.folder)("fit", "reliance", *options)
    assert again.returncode == 3, again.stderr
    assert "(a finished fit was used again)" in again.stderr
    assert stored.stat().st_mtime == then
