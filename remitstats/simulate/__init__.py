"""Made-up data whose truth is known: to test the models, to plan, to see what data can tell.

`grid_panel` makes a small artificial country on a lattice; `simulate_reliance` draws the model of
reliance, `simulate_circle` that of the circle, on the geography and the sampling sizes of a panel,
`simulated_country` makes the panel of a country that is not Mexico,
and `simulate_depopulation` that of growth between its censuses.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "circle": ["circle_table", "simulate_circle", "true_links"],
        "circle_truth": ["SCENARIOS", "CircleTruth"],
        "country": ["simulated_country"],
        "depopulation": ["DepopulationSimulation", "simulate_depopulation"],
        "dependence": ["DependenceTruth", "report_by_regime", "simulate_dependence"],
        "dependence_state": ["StateSimulation", "TRUE_STATE", "simulate_dependence_state"],
        "lattice": ["GRID_HYPERPARAMETERS", "grid_panel"],
        "paid_out": ["PaidSimulation", "TRUE_PAID", "simulate_paid_out"],
        "reliance": ["Simulation", "simulate_reliance"],
    },
)
