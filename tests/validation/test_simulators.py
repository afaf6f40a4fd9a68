"""Subjects of municipalities: what they simulate is what the models' own densities say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import remitstats
from remitstats.models import depopulation, paid_out
from remitstats.models.paid_out import KEPT, Noise, noise_scale, own_scale
from remitstats.panel.panel import Panel
from remitstats.validation.subjects.dependence import Dependence
from remitstats.validation.subjects.depopulation import Depopulation
from remitstats.validation.subjects.paid_out import PaidOut


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico().select(["01", "06"])


def same_distribution(ours, theirs):
    return stats.ks_2samp(ours, theirs).pvalue > 0.001


@pytest.mark.slow
def test_growth_of_the_depopulation_model_is_drawn_as_pymc_draws_it(panel):
    """Growths, how they spread and how they go together, whatever the parameters."""
    import pymc as pm

    subject = Depopulation(panel)
    ours = np.stack([subject.simulate(seed).model.data.percent for seed in range(120)])
    model = depopulation.build(panel)
    known = np.isfinite(subject.data.percent)
    theirs = np.full_like(ours, np.nan)
    drawn = pm.draw(model["recorded_growth"], draws=120, random_seed=1, mode="FAST_COMPILE")
    theirs[:, known] = drawn
    for statistic in (
        lambda y: np.nanmedian(y, axis=(1, 2)),
        lambda y: np.log(np.nanstd(y, axis=(1, 2))),
        lambda y: y[:, 0, 3],
        lambda y: y[:, 4, 3] - y[:, 5, 3],  # of the survey's error, up and down
        lambda y: y[:, 1, 3] - y[:, 1, -3],  # of different states
        lambda y: np.nanstd(np.nanmedian(y, axis=2), axis=1),  # between intervals
    ):
        assert same_distribution(statistic(ours), statistic(theirs))


def test_series_of_the_dependence_model_have_the_density_that_its_likelihood_says(panel):
    """At the true parameters the gradient of the likelihood is nought on the average."""
    subject = Dependence.of(panel)
    slopes = []
    for seed in range(30):
        made = subject.simulate(seed)
        density = made.model.collapsed
        sds = truths(subject, made.truth)
        slopes.append(density.likelihood(sds)[1])
    slope = np.stack(slopes)
    z = slope.mean(axis=0) / (slope.std(axis=0, ddof=1) / np.sqrt(len(slope)))
    assert np.all(np.abs(z) < 4)


def truths(subject: Dependence, truth):
    labels = {
        "kind": subject.data.coords["kind"],
        "steady_kind": subject.data.coords["kind"][~subject.data.faint],
        "break": ("second reporting", "third reporting"),
    }
    layout = subject.density.form.layout.items()
    return np.array(
        [
            truth[f"{name} {label}" if dim else name]
            for name, (_, dim) in layout
            for label in (labels[dim] if dim else [""])
        ]
    )


@pytest.mark.slow
def test_pay_outs_have_the_density_that_the_pymc_model_says(panel, partly_centred_of):
    """Over truths and data the gradient of the joint density is nought on the average."""
    subject = PaidOut.of(panel)
    slopes = []
    for seed in range(16):
        values, data = subject.drawn(seed)
        model = paid_out.model_of(data)
        prior = own_scale(values, data)[0]
        left = 1.0 / np.sqrt(prior**-2 + (KEPT / noise_scale(values, data)[0]) ** 2)
        known = {name: value[0] for name, value in values.items()}
        known["own_pull_unit"] = known["own_pull"] / left
        known |= _units(known, partly_centred_of(known, data, Noise()))
        point = {}
        for name in model.initial_point():
            plain = name.removesuffix("_log__")
            point[name] = np.log(known[plain]) if plain != name else np.asarray(known[plain])
        slope = model.compile_dlogp(mode="FAST_COMPILE")(point)
        sizes = [np.size(point[variable.name]) for variable in model.value_vars]
        ends = np.cumsum(sizes)[:-1]
        slopes.append([part.sum() for part in np.split(slope, ends)])
    found = np.array(slopes)
    z = found.mean(axis=0) / (found.std(axis=0, ddof=1) / np.sqrt(len(found)))
    assert np.all(np.abs(z) < 4)


def _units(known, effects):
    """Return what is sampled in place of shares and of states' rates."""
    found = {}
    for name, (mean, sd, precision, guess) in effects.items():
        left = 1.0 / np.sqrt(sd**-2 + precision)
        center = mean - precision * left**2 * (mean - guess)
        found[f"{name}_unit"] = (known[name] - center) / left
    return found


def test_receiving_dwellings_and_amounts_follow_the_drawn_parameters(panel):
    """Standardised residuals of dollars are standard normal, of dwellings nearly."""
    from remitstats.estimands.paid_out_flows import expected

    subject = PaidOut.of(panel)
    dollars, dwellings = [], []
    for seed in range(40):
        values, data = subject.drawn(seed)
        away = np.log(data.dollars) - np.log(expected(values, data)["paid"][0])
        dollars.append(away / noise_scale(values, data)[0])
        share = special.expit(values["share_logit"][0])
        sd = np.sqrt(data.effective * share * (1.0 - share))
        dwellings.append((data.receiving - data.effective * share) / sd)
    assert stats.kstest(np.concatenate(dollars), "norm").pvalue > 0.001
    z = np.concatenate(dwellings)
    assert (np.mean(z), np.mean(z**2)) == pytest.approx((0.0, 1.0), abs=4.0 / np.sqrt(len(z)) * 2)
