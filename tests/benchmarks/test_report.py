"""Tables and slopes of the report."""

import numpy as np
import pytest

from benchmarks import report
from benchmarks.cost import Slope
from benchmarks.plan import quick
from benchmarks.results import HERE, Results


def test_a_power_law_gives_back_its_exponent():
    x = np.array([300.0, 600.0, 1200.0, 2456.0])
    found = Slope.of(x, 3.0 * x**1.2)
    assert found.slope == pytest.approx(1.2)
    assert found.error == pytest.approx(0.0, abs=1e-6)


def test_the_standard_error_is_that_of_least_squares():
    rng = np.random.default_rng(5)
    x = np.exp(rng.uniform(5, 10, 12))
    y = np.exp(0.4 + 1.1 * np.log(x) + 0.2 * rng.standard_normal(12))
    found = Slope.of(x, y)
    design = np.column_stack([np.ones(12), np.log(x)])
    fitted, rest, _, _ = np.linalg.lstsq(design, np.log(y), rcond=None)
    covariance = rest[0] / 10 * np.linalg.inv(design.T @ design)
    assert found.slope == pytest.approx(fitted[1])
    assert found.error == pytest.approx(np.sqrt(covariance[1, 1]))


def test_every_part_has_its_place_in_the_readme():
    text = (HERE / "README.md").read_text(encoding="utf-8")
    for name in report._PARTS:
        assert text.count(report.BEGIN.format(name)) == 1
        assert text.count(report.END.format(name)) == 1


def test_a_sampler_that_failed_is_in_the_table_with_its_reason(tmp_path):
    plan = quick(60.0)
    results = Results(tmp_path / "results.json")
    reason = "not finished within 60 s"
    results.content["entries"] = {"stan": {"runs": [{"failed": reason}]}}
    text = report.write(results, plan, tmp_path).read_text(encoding="utf-8")
    assert f"| Stan (PyStan) | – | – | {reason} |" in text


def test_finished_results_are_kept_until_their_input_changes(tmp_path):
    results = Results(tmp_path / "results.json")
    results.get_or_make("entries", "x", "digest", lambda: {"value": 1})
    again = Results(tmp_path / "results.json")
    kept, was_kept = again.get_or_make("entries", "x", "digest", lambda: {"value": 2})
    assert was_kept
    assert kept["value"] == 1
    made, was_kept = again.get_or_make("entries", "x", "another", lambda: {"value": 2})
    assert not was_kept
    assert made["value"] == 2
    assert not list(tmp_path.glob("*.part"))
