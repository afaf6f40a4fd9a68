"""What many simulations of a model say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from remitstats.claims.model_calibration import ModelCalibration
from remitstats.errors import RemitstatsError
from remitstats.validation.bands import PROBABILITY, bands, distribution_of
from remitstats.validation.calibration import LEVELS, Record, Subject


def calibration_of(
    subject: Subject, records: Sequence[Record], study: Mapping[str, Any]
) -> ModelCalibration:
    """Return what a study found.

    Parameters
    ----------
    subject : Subject
        The model.
    records : sequence of Record
        All of its simulations.
    study : mapping
        How they were made.

    Raises
    ------
    RemitstatsError
        If there is not a single fit.
    """
    ranked = [record for record in records if record.place]
    if not ranked:
        why = f": {records[0].error}" if records else ""
        raise RemitstatsError(f"No simulation of {subject.name} could be fitted{why}.")
    places = pd.DataFrame([record.place for record in ranked])
    limits = bands(len(ranked), PROBABILITY)
    rows = []
    for name in places:
        held = np.array([record.held[str(name)] for record in ranked])
        rows.append(
            {
                "quantity": str(name),
                "headline": str(name) in subject.headlines,
                "rejected": not limits.hold(distribution_of(places[name])),
                "bias": float(np.mean([record.away[str(name)] for record in ranked])),
                **{
                    f"coverage_{100 * p:.0f}": 100.0 * float(share)
                    for p, share in zip(LEVELS, held.mean(axis=0), strict=True)
                },
            }
        )
    return ModelCalibration(
        {"model": subject.name, **subject.describe(), **study},
        failed=sum(not record.passed for record in records),
        again=sum(record.tries > 1 for record in records),
        broken=len(records) - len(ranked),
        places=places,
        limits=pd.DataFrame({"point": limits.points, "lower": limits.lower, "upper": limits.upper}),
        quantities=pd.DataFrame(rows),
    )
