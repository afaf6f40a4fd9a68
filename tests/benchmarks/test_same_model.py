"""All samplers of the comparison fit the same model to the same data."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bym2
from benchmarks.panels import PanelSpec, export
from benchmarks.plan import OWN, Entry, full

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv-bench" / "bin" / "python"
SPEC = PanelSpec((2020,), 20)
SAME = {e.key: e for e in full(480, 480, 1).entries if e.same_model}


@pytest.fixture(scope="module")
def data():
    return export(SPEC.build())


@pytest.fixture(scope="module")
def points(data):
    rng = np.random.default_rng(3)
    return [bym2.Point.draw(data, rng) for _ in range(5)]


def differences(own, data, points):
    """Own log densities minus the reference's: equal for all points if the model is the same."""
    return np.array(own) - np.array([bym2.log_density(data, p) for p in points])


def ridge(data, points):
    """What the ridge on remitstats' ICAR takes off the log density of each point."""
    return np.array([-0.5e-6 * data.scaling * np.sum(p.f**2) for p in points])


@pytest.mark.parametrize("centred", [False, True])
def test_plain_pymc_has_the_reference_density(data, points, centred):
    from benchmarks.peers import pymc_nutpie

    found = differences(pymc_nutpie.log_density(data, points, centred=centred), data, points)
    assert np.ptp(found) < 1e-8


@pytest.mark.parametrize("engine", ["laplace", "nuts"])
def test_remitstats_has_the_reference_density_but_for_its_ridge(data, points, engine):
    from benchmarks.peers import remitstats_fit

    own = remitstats_fit.log_density(SPEC.build(), points, engine=engine)
    found = differences(own, data, points)
    assert np.ptp(found - ridge(data, points)) < 1e-7  # the slope of the priors is a difference
    assert np.ptp(found) < 1e-4


def test_a_wrong_prior_would_be_seen(data, points):
    from dataclasses import replace

    from benchmarks.peers import pymc_nutpie

    other = replace(data, sd_rate=1.1 * data.sd_rate)
    assert np.ptp(differences(pymc_nutpie.log_density(other, points), data, points)) > 1e-3


@pytest.mark.slow
@pytest.mark.skipif(not PEERS.is_file(), reason="the other samplers are not installed")
@pytest.mark.parametrize("key", [k for k, e in SAME.items() if e.environment != OWN])
def test_samplers_of_the_other_environment_have_the_reference_density(data, tmp_path, key):
    entry: Entry = SAME[key]
    data.save(tmp_path / "data.npz")
    job = {
        "action": "check",
        "peer": entry.peer,
        "libraries": entry.libraries,
        "options": entry.options,
        "limit": 300.0,
        "data": str(tmp_path / "data.npz"),
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    command = [PEERS, "-m", "benchmarks.worker", tmp_path / "job.json", tmp_path / "result.json"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["range_of_reference"] > 1.0
    assert result["largest_difference"] < 1e-8


def test_data_survive_the_file(data, tmp_path):
    data.save(tmp_path / "data.npz")
    again = bym2.Bym2Data.load(tmp_path / "data.npz")
    assert np.array_equal(again.edges, data.edges)
    assert again.scaling == data.scaling
    assert np.array_equal(again.receiving, data.receiving)
