"""What all models' results have in common."""

import pytest

from remitstats.catalogue import CATALOGUE
from remitstats.estimands.model_results import ModelResults


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)
def test_results_say_whether_they_may_be_used_and_keep_their_tables_to_themselves(model):
    kind = model.load("results")
    assert issubclass(kind, ModelResults)
    assert kind.__repr__ is ModelResults.__repr__  # a dataclass would print all its tables
    assert kind.title is not ModelResults.title
    assert kind.columns
