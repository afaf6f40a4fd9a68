"""The page of the models names the priors and limits that the code has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import remitstats
from remitstats.estimands.circle_loop import HORIZON
from remitstats.fitting import gate_checks as gate
from remitstats.models import depopulation, depopulation_data, paid_out_data, transition_data
from remitstats.models.dependence_data import FAINT_CLASSES
from remitstats.models.dependence_form import (
    LEAST_NOISE,
    VAGUE_GROWTH,
    VAGUE_LEVEL,
    VAGUE_REPORTING,
)
from remitstats.models.paid_out import BASE, Noise
from remitstats.parts.priors import (
    CorrelationPrior,
    NormalPrior,
    RatioPrior,
    ScalePrior,
    SharePrior,
)
from remitstats.parts.sampling_error import SamplingDesign

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
MODELS = (
    *("reliance", "dependence", "dependence_state", "depopulation"),
    *("paid_out", "macro", "transition", "circle", "circle_region"),
    "circle_state",
)
OF_ANOTHER = {"circle_region": "circle", "circle_state": "circle"}  # whose priors they share


def in_words(prior: object) -> str:
    """Return a prior as the page writes it."""
    match prior:
        case ScalePrior(upper, tail):
            return f"P(sd > {upper:g}) = {tail:g}"
        case NormalPrior(mean, sd):
            return f"Normal({mean:g}, {sd:g})"
        case SharePrior(alpha, beta):
            return f"Beta({alpha:g}, {beta:g})"
        case RatioPrior(log_sd):
            return f"LogNormal(0, {log_sd:g})"
        case CorrelationPrior(upper, tail, 1.0):
            return f"P(rho > {upper:g}) = {tail:g}"
        case float():
            return f"LKJ({prior:g})"
    raise AssertionError(f"the page has no words for {prior!r}")


def section(model: str) -> str:
    """Return what the page says of a model."""
    text = PAGE.read_text("utf-8")
    return re.search(rf"^## {model}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


@pytest.mark.parametrize("model", [name for name in MODELS if name not in OF_ANOTHER])
def test_the_priors_on_the_page_are_those_of_the_code(model):
    named = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section(model), re.MULTILINE)
    priors = getattr(remitstats, model).Priors()
    code = [(field.name, in_words(getattr(priors, field.name))) for field in fields(priors)]
    assert [(name, words.strip()) for name, words in named] == code


@pytest.mark.parametrize(("model", "other"), OF_ANOTHER.items())
def test_a_model_without_a_table_has_the_priors_of_another(model, other):
    assert getattr(remitstats, model).Priors is getattr(remitstats, other).Priors
    assert f"all priors, are those of the {other}" in section(model)


def test_every_model_has_a_section_and_says_what_is_integrated_out():
    from remitstats.catalogue import NAMES

    assert set(MODELS) == set(NAMES)
    for model in MODELS:
        assert re.search(r"\*\*(Integrated out|Nothing is integrated out)", section(model)), model


def test_the_page_names_the_limits_of_the_gate():
    text = PAGE.read_text("utf-8")
    for words in (
        f"at most {gate.R_HAT_LIMIT:g}",
        f"at least {gate.ESS_LIMIT:g}",
        f"at most {gate.K_HAT_LIMIT:g}",
        f"at least {gate.E_BFMI_LIMIT:g}",
        f"largest tree depth, {gate.TREE_DEPTH}, for NUTS | at most {gate.TREE_DEPTH_LIMIT:.0%}",
    ):
        assert words in text, words


def test_the_page_names_the_assumed_census_sample():
    design, text = SamplingDesign(), PAGE.read_text("utf-8")
    assert f"deff = {design.design_effect:g}" in text
    assert f"max({design.complete_below:g}, fraction N)" in text
    said = " ".join(text.split())
    for wave, fraction in design.fraction.items():
        assert re.search(rf"{fraction:g} in {wave}", said)
    assert f"({design.default_fraction:g} in any other wave)" in said


def test_the_page_names_what_the_models_take_for_given():
    measures = remitstats.dependence.Measures()
    said = {model: " ".join(section(model).split()) for model in MODELS}
    dependence = (
        f"noise of {LEAST_NOISE:g}",
        f"level Normal(0, {VAGUE_LEVEL:g}), growth Normal(0, {VAGUE_GROWTH:g})",
        f"steps and ramp of sd {VAGUE_REPORTING:g}",
        f"({measures.breaks[0]}, {measures.breaks[1]})",
        f"steps of {measures.population_bridge_sd:g} and a growth wrong by "
        f"{measures.population_growth_sd:g} a year",
        f"({measures.population_common_sd:g} a year)",
        f"below {measures.faint_dollars:g} dollars per person",
        f"up to {measures.classes} of steady and {FAINT_CLASSES} of faint ones",
    )
    for words in dependence:
        assert words in said["dependence"], words
    noise = Noise()
    for words in (
        f"Normal(log M_j, {noise.sd:g} persons_j^-{noise.slope:g})",
        f"counted in {BASE:,.0f}",
        f"within {paid_out_data.WITHIN:g} km",
        f"below {paid_out_data.FLOOR:,.0f} dollars",
    ):
        assert words in said["paid_out"], words
    for words in (
        f"small_size {depopulation.SMALL_SIZE:g} / size",
        f"(size / {depopulation_data.TYPICAL_SIZE:g})^(-1/3)",
        f"Normal(0, {depopulation.UNPLACED_SD:g}) in %",
    ):
        assert words in said["depopulation"], words
    assert depopulation_data.ERROR_POWER == 1 / 3
    assert f"at most {['no', 'one', 'two', 'three', 'four'][HORIZON + 1]} waves" in said["circle"]
    assert "a million people" in said["transition"]
    assert transition_data.LEAST_PEOPLE == 1000.0  # thousand
    blocks = remitstats.models.circle_measures.Measures().block_size
    assert f"block of up to {blocks} neighbouring" in said["circle"]
