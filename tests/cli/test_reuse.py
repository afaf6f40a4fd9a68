"""A finished fit is used again when, and only when, it is the same fit and whole."""

from __future__ import annotations

import json

import pytest

AGAIN = "(a finished fit was used again)"


def fits_of(finished):
    return sorted((finished.folder / finished.fits).glob("*.nc"))


def summary(finished, out=None):
    path = finished.folder / (out or finished.out) / "results.json"
    return json.loads(path.read_text("utf-8"))


def numbers(finished, out=None):
    """Return the results without what depends on when and how they were asked for."""
    timeless = summary(finished, out)
    del timeless["wall_seconds"], timeless["command"]
    return timeless


@pytest.fixture
def again(copied, in_folder):
    """Return a runner of the same fit in a copy of the finished run; later options win."""

    def run(*words, command=("fit", "reliance"), out=copied.out):
        asked = (*command, *copied.options, "--out", out, "--fits", copied.fits, *words)
        result = in_folder(copied.folder)(*asked)
        assert result.returncode == 3, result.stderr
        return result

    return run


def test_the_same_run_again_uses_the_stored_fit_and_says_so(copied, again):
    (stored,) = fits_of(copied)
    before = (stored.stat().st_mtime_ns, numbers(copied))
    result = again("--models", "reliance", command=("run",))
    assert AGAIN in result.stderr
    assert "sampling" not in result.stderr
    assert result.stdout == f"{copied.out}/index.html\n"
    (stored,) = fits_of(copied)
    assert (stored.stat().st_mtime_ns, numbers(copied)) == before


@pytest.mark.parametrize(
    "change", [("--seed", "8"), ("--prior", "state_sd=2,0.05")], ids=["seed", "prior"]
)
def test_another_fit_is_fitted_anew(change, copied, again):
    (old,) = fits_of(copied)
    kept = old.read_bytes()
    result = again(*change)
    assert AGAIN not in result.stderr
    assert "sampling …" in result.stderr
    assert len(fits_of(copied)) == 2
    assert old.read_bytes() == kept


def test_a_damaged_stored_fit_is_fitted_anew_not_read(copied, again):
    (stored,) = fits_of(copied)
    content = bytearray(stored.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    stored.write_bytes(content)
    result = again(out="other")
    assert AGAIN not in result.stderr
    assert "sampling …" in result.stderr
    assert numbers(copied, "other") == numbers(copied)


def test_damaged_results_are_made_again_from_the_stored_fit(copied, again):
    before = numbers(copied)
    (stored,) = fits_of(copied)
    time_stored = stored.stat().st_mtime_ns
    path = copied.folder / copied.out / "results.json"
    path.write_text(path.read_text("utf-8")[:1000], encoding="utf-8")
    result = again()
    assert AGAIN in result.stderr
    assert "estimates" in result.stderr
    assert numbers(copied) == before
    assert stored.stat().st_mtime_ns == time_stored


def test_a_damaged_table_is_made_again(copied, again):
    path = copied.folder / copied.out / "summaries" / "level.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:500])
    again()
    assert path.read_bytes() == whole
