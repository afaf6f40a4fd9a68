"""Cells held out of a panel, and folds of them, each fitted without sight of its cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from remitstats.errors import RemitstatsError
from remitstats.fitting.folds import fold_jobs, hold_out, random_folds
from remitstats.fitting.jobs import FitJob
from remitstats.fitting.many import fit_many
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import load_fit
from remitstats.panel.panel import Panel

SHORT = Settings(draws=10, tune=10, chains=2, seed=4)


def test_held_out_cells_lose_their_percentages_and_nothing_else(small: Panel) -> None:
    cells = [("01001", 2010), ("02002", 2020)]
    before, after = (p.table("municipality_wave") for p in (small, hold_out(small, cells)))
    empty = after["receiving_percent"].isna()
    assert [
        (c, int(w)) for c, w in zip(after["cvegeo"][empty], after["wave"][empty], strict=True)
    ] == cells
    assert after.drop(columns="receiving_percent").equals(before.drop(columns="receiving_percent"))
    assert after["receiving_percent"][~empty].equals(before["receiving_percent"][~empty])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (("01009", 2010), "no municipality '01009'"),
        (("01001", 2000), "no wave 2000 of municipality 01001. Waves: 2010, 2020"),
    ],
)
def test_cells_that_are_not_there_cannot_be_held_out(
    small: Panel, cell: tuple[str, int], said: str
) -> None:
    with pytest.raises(RemitstatsError, match=said):
        hold_out(small, [cell])
    without = hold_out(small, [("01001", 2010)])
    with pytest.raises(RemitstatsError, match="no percentage is published"):
        hold_out(without, [("01001", 2010)])


def test_folds_share_out_every_cell_with_data_once(lattice: Panel) -> None:
    folds = random_folds(lattice, 5, seed=2)
    cells = [cell for fold in folds for cell in fold]
    assert len(cells) == len(set(cells)) == 24 * 3 - 1
    assert ("01003", 2000) not in cells  # it has no data
    assert {len(fold) for fold in folds} == {14, 15}
    assert folds == random_folds(lattice, 5, seed=2) != random_folds(lattice, 5, seed=3)
    with pytest.raises(RemitstatsError, match="between 2 and the 71 cells"):
        random_folds(lattice, 72, seed=1)


def test_a_fold_is_fitted_without_sight_of_its_cells(small: Panel, tmp_path: Path) -> None:
    job = FitJob("whole", panel=small, settings=SHORT)
    asked = fold_jobs(job, random_folds(small, 2, seed=1))
    assert [fold.name for fold in asked] == ["whole, fold 1", "whole, fold 2"]
    (outcome,) = fit_many(asked[:1], folder=tmp_path, workers=1)
    assert outcome.error == "" and outcome.path is not None
    data = load_fit(outcome.path)["constant_data"].to_dataset()
    unseen = {
        (str(cvegeo), int(wave))
        for cvegeo in data["municipality"].to_numpy()
        for wave in data["wave"].to_numpy()
        if float(data["effective_dwellings"].sel(wave=wave, municipality=cvegeo)) == 0.0
    }
    assert unseen == set(asked[0].hold_out)
    assert bool((data["dwellings"] > 0).all())
