"""Bayesian models of migration, remittances and development in Mexico's municipalities.

>>> import remitstats
>>> panel = remitstats.load_mexico()
>>> model = remitstats.reliance.build(panel)
>>> fit = remitstats.fit(model, panel, seed=1)  # doctest: +SKIP
>>> results = remitstats.summarise(fit, panel)  # doctest: +SKIP

Names are looked up when first used, so that importing the package costs nothing.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=[
        "claims",
        "estimands",
        "fitting",
        "geography",
        "models",
        "panel",
        "parts",
        "report",
        "simulate",
    ],
    submod_attrs={
        "errors": ["PanelError", "Problem", "RemitstatsError"],
        "estimands.circle": ["summarise_circle"],
        "estimands.circle_results": ["CircleResults"],
        "estimands.depopulation": ["summarise_depopulation"],
        "estimands.depopulation_results": ["DepopulationResults"],
        "estimands.macro": ["summarise_macro"],
        "estimands.macro_results": ["MacroResults"],
        "estimands.dependence": ["summarise_dependence"],
        "estimands.dependence_forecast": ["forecast_check"],
        "estimands.dependence_results": ["DependenceResults"],
        "estimands.dependence_state": ["summarise_dependence_state"],
        "estimands.dependence_state_forecast": ["forecast_dependence_state"],
        "estimands.dependence_state_results": ["DependenceStateResults"],
        "estimands.paid_out": ["summarise_paid_out"],
        "estimands.paid_out_forms": ["compare_paid_out_forms"],
        "estimands.paid_out_results": ["PaidOutResults"],
        "estimands.transition": ["summarise_transition"],
        "estimands.transition_results": ["TransitionResults"],
        "estimands.reliance": ["summarise"],
        "estimands.results": ["RelianceResults"],
        "fitting.gate": ["Gate", "gate"],
        "fitting.folds": ["fold_jobs", "hold_out", "random_folds"],
        "fitting.jobs": ["FitJob", "FitOutcome", "Judged", "Simulate"],
        "fitting.many": ["fit_many"],
        "fitting.run": ["fit"],
        "fitting.settings": ["Settings"],
        "fitting.store": ["load_fit", "read_provenance", "save_fit"],
        "models": [
            *("circle", "circle_region", "circle_state", "dependence", "dependence_state"),
            *("depopulation", "macro", "paid_out", "reliance", "transition"),
        ],
        "panel.load": ["load_mexico", "load_panel"],
        "panel.panel": ["Panel"],
    },
)
