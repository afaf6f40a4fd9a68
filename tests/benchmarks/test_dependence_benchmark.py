"""The plain latent model that the benchmark samples is the collapsed one."""

import numpy as np
import pytensor
import pytest

from benchmarks.dependence import cost_by_size, latent_model
from remitstats.models import dependence
from remitstats.models.dependence_data import prepare_data
from remitstats.models.dependence_density import DependenceDensity
from remitstats.panel.load import load_mexico


def test_integrated_over_its_latent_variables_it_is_the_collapsed_model():
    """Its observations are linear in standard normals: their covariance is that of the form."""
    panel = load_mexico().select(["06"])
    data = prepare_data(panel, last_quarter="2016Q4")
    model = latent_model(data)
    density = DependenceDensity(data, dependence.Priors())
    sds = density.sds(density.start())
    values = density.constrain(density.start())
    point = model.initial_point()
    for name, value in values.items():
        point[f"{name}_log__"] = np.atleast_1d(np.log(value))
    units = [v for v in model.value_vars if v.name.endswith("_unit")]
    means = [model.named_vars[f"y_{k}"].owner.inputs[2] for k in range(len(data.faint))]
    means = model.replace_rvs_by_values(means)
    inputs = model.value_vars
    at = pytensor.function(inputs, means, mode="FAST_COMPILE")
    zero = {**point, **{u.name: np.zeros_like(point[u.name]) for u in units}}
    columns = []
    for u in units:
        for i in range(point[u.name].size):
            moved = np.zeros(point[u.name].size)
            moved[i] = 1.0
            here = {**zero, u.name: moved.reshape(point[u.name].shape)}
            columns.append(np.concatenate(at(*[here[v.name] for v in inputs])))
    jacobian = np.stack(columns, axis=1)
    noise, cells = [], []
    for k in range(len(data.faint)):
        members = np.flatnonzero(data.kind_of == k)
        rows, times = np.nonzero(np.isfinite(data.observed[members]))
        cells += list(zip(members[rows], times, strict=True))
        noise += [sds[density.form.layout["noise_sd"][0]][k] ** 2 + 1e-6] * len(rows)
    found = jacobian @ jacobian.T + np.diag(noise)
    cov = density.form.covariances(sds, density.kernel)
    times = data.observed.shape[1]
    design = [np.hstack([np.eye(times), f * density.extra]) for f in density.form.reported]
    who, when = (np.array(part) for part in zip(*cells, strict=True))
    expected = np.zeros_like(found)
    for a, (i, t) in enumerate(cells):
        left = design[data.kind_of[i]][t] @ cov.nation
        for k in range(len(data.faint)):
            others = data.kind_of[who] == k
            expected[a, others] = (design[k] @ left)[when[others]]
        same = data.state_of[who] == data.state_of[i]
        expected[a, same] += cov.state[data.state_of[i]][t, when[same]]
        own = who == i
        expected[a, own] += cov.series[data.kind_of[i]][t, when[own]]
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_the_cost_of_a_gradient_does_not_grow_with_complete_series():
    few, many = cost_by_size((500, 20_000))
    assert few["groups"] == many["groups"] == 5
    assert many["milliseconds"] < 3 * few["milliseconds"] + 5
