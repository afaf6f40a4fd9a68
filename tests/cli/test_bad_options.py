"""Options that can't be used are refused in words before anything is written."""

from __future__ import annotations

import pytest

from remitstats.cli.options import numbers_of
from remitstats.errors import RemitstatsError
from remitstats.models.reliance import Priors
from remitstats.parts.sampling_error import SamplingDesign


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["data", "chek", "x"], "Did you mean 'check'?"),
        (["run", "--drwas", "5"], "--draws"),
        (["fit", "relience"], "Did you mean 'reliance'?"),
        (["fit", "reliance", "--engine", "lapalce"], "Did you mean 'laplace'?"),
        (["run", "--engine", "NUTS"], "Engines: laplace, nuts."),
        (["run", "--prior", "stat_sd=1,0.05"], "Did you mean 'state_sd'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_unknown_name_is_answered_with_the_nearest(words, meant, refused):
    assert meant in refused(*words)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--draws", "abc", "integer"),
        ("--draws", "1.5", "integer"),
        ("--draws", "0", "'draws' must be a whole number from 10 to 1,000,000, found 0."),
        ("--draws", "1000000000000", "'draws' must be a whole number from 10 to 1,000,000"),
        ("--tune", "-5", "'tune' must be a whole number from 10"),
        ("--chains", "0", "'chains' must be a whole number from 1 to 100, found 0."),
        ("--seed", "-1", "'seed' must be a whole number from 0"),
        ("--design-effect", "much", "number"),
        ("--design-effect", "nan", "must be at least 1 and finite, found nan"),
        ("--prior", "state_sd", "write NAME=NUMBER,NUMBER"),
        ("--prior", "state_sd=one,0.05", "write NAME=NUMBER,NUMBER"),
        ("--prior", "state_sd=1e400,0.05", "'state_sd' can't be used: upper must lie between"),
    ],
)
def test_a_number_that_cannot_be_used_is_refused_in_words(option, value, said, refused):
    text = refused("fit", "reliance", option, value)
    assert said in text
    assert option.lstrip("-").split("-")[0] in text


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ("state_sd=1", "takes 2 number(s) (upper, tail), found 1"),
        ("state_sd=1,0.05,3", "takes 2 number(s) (upper, tail), found 3"),
        ("state_sd=-1,0.05", "upper must lie between 0.001 and 100, found -1"),
        ("state_sd=nan,0.05", "upper must lie between 0.001 and 100, found nan"),
        ("state_sd=1,5", "tail, a probability, must lie between 1e-09 and 0.9, found 5"),
        ("state_sd=1,nan", "tail, a probability, must lie between 1e-09 and 0.9, found nan"),
        ("intercept=nan,0.8", "mean must lie between -30 and 30, found nan"),
        ("intercept=-inf,0.8", "mean must lie between -30 and 30, found -inf"),
        ("intercept=0,inf", "sd must lie between 0.001 and 100, found inf"),
        ("municipality_share=1,inf", "beta must lie between 0.001 and 100, found inf"),
        ("wave_scale=inf", "log_sd must lie between 0.001 and 10, found inf"),
        ("wave_scale=0", "log_sd must lie between 0.001 and 10, found 0"),
    ],
)
def test_a_prior_that_is_none_is_refused_in_words(prior, said):
    with pytest.raises(RemitstatsError) as caught:
        Priors().with_values(numbers_of([prior]))
    assert said in str(caught.value)


@pytest.mark.parametrize("value", ["0.99", "inf", "nan"])
def test_a_design_effect_is_at_least_one_and_finite(value):
    with pytest.raises(ValueError, match="at least 1 and finite"):
        SamplingDesign(design_effect=float(value))


def test_a_prior_given_twice_is_refused(refused):
    twice = ("--prior", "state_sd=1,0.05", "--prior", "state_sd=2,0.05")
    assert "--prior state_sd is given twice" in refused("run", *twice)
