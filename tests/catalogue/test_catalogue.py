"""Every model of the catalogue has its parts where it says, and names are answered in words."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, is_dataclass
from importlib.resources import files
from inspect import signature

import pytest

from remitstats import catalogue
from remitstats.catalogue import CATALOGUE, NAMES, Model, choose, find
from remitstats.errors import RemitstatsError
from remitstats.models import reliance
from remitstats.models.circle_form import Priors as CirclePriors
from remitstats.parts.prior_values import with_values
from remitstats.parts.priors import ScalePrior
from remitstats.report.texts import Texts

MODELS = pytest.mark.parametrize("model", CATALOGUE, ids=NAMES)
PAGES = pytest.mark.parametrize(
    "model", [m for m in CATALOGUE if m.page], ids=[m.name for m in CATALOGUE if m.page]
)


def test_names_and_folders_are_unique():
    assert len(set(NAMES)) == len(NAMES)
    assert len({model.subfolder for model in CATALOGUE}) == len(CATALOGUE)


@MODELS
def test_a_model_can_be_built_summarised_and_read(model):
    build, summarise = model.load("build"), model.load("summarise")
    assert "priors" in signature(build).parameters
    assert not model.design or model.design in signature(build).parameters
    assert {"command", "progress"} <= set(signature(summarise).parameters)
    results = model.load("results")
    for name in ("tables", "gate", "converged", "rounded", "document", "write", "read"):
        assert hasattr(results, name), name


@MODELS
def test_the_priors_of_a_model_are_fields_with_defaults(model):
    priors = model.load("priors")()
    assert is_dataclass(priors)
    for field in fields(priors):
        value = getattr(priors, field.name)
        assert is_dataclass(value) or isinstance(value, float), field.name
    assert with_values(priors, {}) == priors


@PAGES
def test_a_model_with_a_page_has_its_template_texts_and_functions(model):
    assert files("remitstats.report").joinpath(f"templates/{model.name}.html.j2").is_file()
    texts = Texts()
    for key in (f"nav.{model.name}", f"{model.name}.title", f"{model.name}.front"):
        assert key in texts, key
    assert list(signature(model.load("context")).parameters) == ["results", "surroundings"]
    assert list(signature(model.load("pictures")).parameters) == ["results", "surroundings"]


def test_a_model_that_only_gives_its_name_is_looked_for_under_it(monkeypatch):
    asked = []
    monkeypatch.setattr(catalogue, "_load", asked.append)
    model = Model("paid_out", build="models.elsewhere:make")
    for part in ("priors", "build", "summarise", "results", "context", "pictures"):
        model.load(part)
    assert asked == [
        "models.paid_out:Priors",
        "models.elsewhere:make",
        "estimands.paid_out:summarise_paid_out",
        "estimands.paid_out_results:PaidOutResults",
        "report.paid_out_page:paid_out_context",
        "report.paid_out_pictures:paid_out_jobs",
    ]


def test_a_name_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(RemitstatsError, match="Did you mean 'circle'"):
        find("cirlce")
    with pytest.raises(RemitstatsError, match="Did you mean 'reliance'"):
        choose(["circle", "relience"])
    with pytest.raises(RemitstatsError, match="No model is named"):
        choose([])


def test_models_come_in_the_order_of_the_catalogue_whatever_was_said():
    assert [model.name for model in choose(["circle", "reliance", "circle"])] == [
        "reliance",
        "circle",
    ]


def test_what_does_not_pass_its_gate_is_fitted_by_name_only():
    assert "reliance" in {model.name for model in choose(None)}
    assert "circle" not in {model.name for model in choose(None)}


def test_priors_take_the_numbers_they_are_made_of():
    changed = with_values(reliance.Priors(), {"state_sd": (2.0, 0.1)})
    assert changed == reliance.Priors(state_sd=ScalePrior(upper=2.0, tail=0.1))
    assert with_values(CirclePriors(), {"correlation": (4.0,)}) == CirclePriors(correlation=4.0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"corelation": (2.0,)}, "Did you mean 'correlation'"),
        ({"correlation": (2.0, 3.0)}, "takes 1 number"),
        ({"correlation": (-1.0,)}, "must lie between 0.1 and 100, found -1"),
        ({"correlation": (float("nan"),)}, "found nan"),
        ({"own_link": (1.0,)}, "takes 2 number"),
    ],
    ids=str,
)
def test_numbers_that_are_no_prior_are_refused_in_words(values, said):
    with pytest.raises(RemitstatsError, match=said):
        with_values(CirclePriors(), values)


def test_the_catalogue_imports_nothing_heavy():
    code = "import sys, remitstats.catalogue; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"numpy", "pandas", "pymc", "matplotlib", "xarray"} & set(ran.stdout.split())


def test_every_model_can_be_called_from_a_notebook():
    names = ", ".join(f"remitstats.{model.name}" for model in catalogue.CATALOGUE)
    code = f"import remitstats; assert all(callable(model.build) for model in ({names}))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
