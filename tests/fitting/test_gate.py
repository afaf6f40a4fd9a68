"""The gate: what converged passes, and each way to fail is named."""

from __future__ import annotations

import json
from collections.abc import Callable

import arviz_stats
import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from remitstats.fitting.gate import Gate, convergence, convergence_of, gate

Array = NDArray[np.float64]
CHAINS, DRAWS = 4, 1000


def make_tree(
    sd: Array | None = None, percent: Array | None = None, **statistics: Array
) -> xr.DataTree:
    """Return a fit of one scale and five shares, all independent draws unless given."""
    rng = np.random.default_rng(1)
    sd = rng.gamma(4.0, 0.1, (CHAINS, DRAWS)) if sd is None else sd
    percent = rng.normal(5.0, 1.0, (*sd.shape, 5)) if percent is None else percent
    dims = ("chain", "draw")
    statistics = {"diverging": np.zeros(sd.shape, dtype=bool), **statistics}
    settings = {"draws": DRAWS, "chains": CHAINS}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {"sd": (dims, sd), "percent": ((*dims, "municipality"), percent)},
                coords={"municipality": [f"0100{i}" for i in range(1, 6)]},
            ),
            "sample_stats": xr.Dataset({k: (dims, v) for k, v in statistics.items()}),
            "provenance": xr.Dataset(attrs={"settings": json.dumps(settings)}),
        }
    )


def draws(seed: int = 2, chains: int = CHAINS, size: int = DRAWS) -> Array:
    return np.random.default_rng(seed).normal(5.0, 1.0, (chains, size, 5))


def autocorrelated(values: Array, rho: float) -> Array:
    out = values.copy()
    for i in range(1, out.shape[1]):
        out[:, i] = rho * out[:, i - 1] + np.sqrt(1 - rho**2) * values[:, i]
    return out


def heavy(shape: float) -> Array:
    """Log importance ratios whose weights have a Pareto tail of this shape."""
    rng = np.random.default_rng(5)
    return shape * rng.exponential(1.0, (CHAINS, DRAWS))


def test_a_converged_fit_passes() -> None:
    verdict = gate(make_tree(log_importance_ratio=heavy(0.2), energy=draws(3)[:, :, 0]))
    assert verdict.converged
    assert verdict.reasons == ()
    assert verdict.quantities == 6
    assert (verdict.draws, verdict.chains) == (4000, 4)
    assert verdict.r_hat_max < 1.01
    assert verdict.ess_bulk_min > 2500
    assert verdict.divergences == 0
    assert verdict.k_hat < 0.5
    assert verdict.e_bfmi_min > 1.5  # independent energies: 2


def test_an_engine_without_energy_or_ratios_is_judged_on_the_rest() -> None:
    verdict = gate(make_tree())
    assert verdict.converged
    assert np.isnan(verdict.k_hat)
    assert np.isnan(verdict.e_bfmi_min)


def shifted() -> xr.DataTree:
    values = draws()
    values[0, :, 3] += 1.0
    return make_tree(percent=values)


def stuck() -> xr.DataTree:
    values = draws()
    values[:, :, 2] = 4.0
    return make_tree(percent=values)


def stuck_chain() -> xr.DataTree:
    values = draws()
    values[1, :, 4] = values[1, 0, 4]
    return make_tree(percent=values)


def stuck_apart() -> xr.DataTree:
    values = draws()
    values[:, :, 4] = np.arange(CHAINS)[:, None]
    return make_tree(percent=values)


def not_a_number() -> xr.DataTree:
    values = draws()
    values[2, 17, 1] = np.nan
    return make_tree(percent=values)


def diverging() -> xr.DataTree:
    flags = np.zeros((CHAINS, DRAWS), dtype=bool)
    flags[0, :3] = True
    return make_tree(diverging=flags)


def slow_tail() -> xr.DataTree:
    """Independent in the bulk; one excursion into the tail a chain."""
    values = draws()
    values[:, 400:480, 0] = 9.0 + 0.1 * values[:, 400:480, 0]
    return make_tree(percent=values)


FAILURES: dict[str, tuple[Callable[[], xr.DataTree], str]] = {
    "shifted chain": (shifted, "R-hat is 1.1"),
    "stuck quantity": (stuck, "quantities never moved"),
    "stuck chain": (stuck_chain, "for percent[01005]"),
    "chains stuck apart": (stuck_apart, "R-hat is inf for percent[01005]"),
    "nan": (not_a_number, "not finite"),
    "nothing but nan": (lambda: make_tree(percent=np.nan * draws()), "not finite"),
    "missing draws": (lambda: make_tree(sd=np.ones((4, 900)) * draws()[:, :900, 0]), "only 3600"),
    "single chain": (lambda: make_tree(sd=draws(2, 1)[:, :, 0]), "single chain"),
    "divergences": (diverging, "3 transitions diverged"),
    "slow chains": (
        lambda: make_tree(percent=autocorrelated(draws(), 0.95)),
        "bulk effective sample size",
    ),
    "slow tails": (slow_tail, "tail effective sample size"),
    "k-hat": (lambda: make_tree(log_importance_ratio=heavy(1.0)), "k-hat"),
    "E-BFMI": (
        lambda: make_tree(energy=autocorrelated(draws(), 0.95)[:, :, 0]),
        "E-BFMI is 0.",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_is_refused_and_named(failure: str) -> None:
    make, says = FAILURES[failure]
    verdict = gate(make())
    assert not verdict.converged
    assert any(says in reason for reason in verdict.reasons), verdict.reasons


def test_reasons_say_what_is_worst_and_what_to_do() -> None:
    verdict = gate(shifted())
    (reason, *_) = verdict.reasons
    assert "for percent[01004] and above 1.01 for 1 of 6 quantities" in reason
    assert "run longer" in reason
    assert verdict.r_hat_worst == "percent[01004]"


@pytest.mark.parametrize("shape", [0.3, 0.9])
def test_k_hat_is_the_shape_of_the_weights_tail(shape: float) -> None:
    """To the standard error of a fit to the largest 190 of 4000 weights."""
    verdict = gate(make_tree(log_importance_ratio=heavy(shape)))
    assert verdict.k_hat == pytest.approx(shape, abs=0.2)


def test_k_hat_ignores_moves_that_have_no_ratio() -> None:
    ratios = heavy(0.3)
    ratios[:, ::2] = np.nan
    ratios[0, 1] = -np.inf
    verdict = gate(make_tree(log_importance_ratio=ratios))
    assert verdict.k_hat == pytest.approx(0.3, abs=0.15)


def test_derived_quantities_are_judged_too() -> None:
    bad = draws()
    bad[0] += 2.0
    derived = {"national": xr.DataArray(bad[:, :, 0], dims=("chain", "draw"))}
    verdict = gate(make_tree(), derived)
    assert not verdict.converged
    assert verdict.r_hat_worst == "national"
    assert verdict.quantities == 7


def test_a_rank_that_is_certain_is_no_failure_but_one_that_differs_by_chain_is() -> None:
    rank = np.ones((CHAINS, DRAWS, 2), dtype=np.int32)
    rank[:, :, 1] = np.random.default_rng(4).integers(2, 6, (CHAINS, DRAWS))
    dims = ("chain", "draw", "municipality")
    assert gate(make_tree(), {"rank": xr.DataArray(rank, dims=dims)}).converged
    rank[:, :, 0] += np.arange(CHAINS, dtype=np.int32)[:, None]
    assert not gate(make_tree(), {"rank": xr.DataArray(rank, dims=dims)}).converged


def test_convergence_figures_are_those_of_arviz() -> None:
    values = draws(6)
    values[:, :, 1] = autocorrelated(values, 0.9)[:, :, 1]
    values[0, :, 2] += 0.3
    values[:, :, 3] = np.exp(2 * values[:, :, 3])
    values[:, :, 4] = np.round(values[:, :, 4])
    table = convergence(values)
    for column in range(5):
        array = xr.Dataset({"x": (("chain", "draw"), values[:, :, column])})
        expected = (
            arviz_stats.rhat(array)["x"],
            arviz_stats.ess(array, method="bulk")["x"],
            arviz_stats.ess(array, method="tail", prob=(0.05, 0.95))["x"],
        )
        assert table.loc[column].to_list() == pytest.approx([float(e) for e in expected])


def test_convergence_does_not_depend_on_how_columns_are_shared_out() -> None:
    values = np.random.default_rng(1).normal(size=(2, 100, 450))
    table = convergence(values)
    assert len(table) == 450
    assert table.iloc[[3]].to_numpy() == pytest.approx(convergence(values[:, :, [3]]).to_numpy())


def test_quantities_are_labelled_by_name_and_coordinates() -> None:
    array = xr.DataArray(
        draws()[:, :, :4].reshape(CHAINS, DRAWS, 2, 2),
        dims=("chain", "draw", "wave", "municipality"),
        coords={"wave": [2010, 2020], "municipality": ["01001", "01002"]},
    )
    # whatever the order of the dims
    table = convergence_of({"x": array.transpose("wave", "draw", "municipality", "chain")})
    assert list(table["quantity"]) == [
        "x[2010, 01001]",
        "x[2010, 01002]",
        "x[2020, 01001]",
        "x[2020, 01002]",
    ]


def test_verdict_is_frozen_and_plain_for_json() -> None:
    verdict = gate(make_tree(log_importance_ratio=heavy(1.0), energy=draws(3)[:, :, 0]))
    with pytest.raises(AttributeError):
        verdict.converged = True  # type: ignore[misc]
    plain = json.loads(json.dumps(verdict.describe()))
    assert Gate(**{**plain, "reasons": tuple(plain["reasons"])}) == verdict
