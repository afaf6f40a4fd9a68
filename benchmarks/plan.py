"""What is run: the samplers of the comparison, the sizes of the country, the side questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from benchmarks.panels import PanelSpec

OWN, PEERS = "own", "peers"  # environments: remitstats', and that of the other samplers
REFERENCE = "laplace"
CHAINS, CORES = 4, 2
QUICK = ("laplace", "pymc", "numpyro", "stan", "bambi", "laplace-3")  # entries of a trial


@dataclass(frozen=True)
class Entry:
    """One sampler on one panel.

    Parameters
    ----------
    key : str
        Short name, the key in `results.json`.
    label : str
        Name in tables and figures.
    peer : str
        Module of `benchmarks.peers`.
    environment : {"own", "peers"}
        Where it runs.
    libraries : tuple of str
        Modules to import before the clock starts; their versions are recorded.
    options : dict
        Arguments of the module's `run`.
    panel : PanelSpec
        The data.
    same_model : bool
        Whether it fits the very model of `bym2.py`; held to it by the check.
    """

    key: str
    label: str
    peer: str
    environment: str
    libraries: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    panel: PanelSpec = field(default_factory=PanelSpec)
    same_model: bool = True

    @property
    def laplace(self) -> bool:
        """Whether it is the engine whose run lengths are its own defaults."""
        return self.options.get("engine") == "laplace"

    @property
    def own_panel(self) -> bool:
        """Whether it reads the panel itself instead of the exported arrays."""
        return self.peer == "remitstats_fit"

    def describe(self) -> dict[str, Any]:
        """Return the entry as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """All runs of a benchmark.

    Parameters
    ----------
    entries : tuple of Entry
        The comparison; the first is the reference for agreement and ratios.
    sizes : tuple of int
        Municipalities of the countries for the cost against size.
    copies : int
        Copies of the largest of them, as one more size.
    size_waves : tuple of int
        Waves of those countries.
    waves : tuple of tuple of int
        Sets of waves for the cost against their number, on the largest of `sizes`.
    seeds : tuple of int
        Each size and number of waves is fitted once a seed (the copies only with the first).
    limit, large_limit : float
        Wall seconds that a run may take; the second for the copies.
    pilot, main_warmup : int
        Warm-up and draws of a first NUTS run, warm-up of those after it.
    extras, extras_areas
        Methods of pymc-extras that are tried, and the size of the map they are tried on.
    solver_seconds : float
        How long each operation of a solver is repeated.
    laplace : tuple of int or None
        Warm-up and draws of the Laplace engine; None for its defaults.
    most_runs : int
        Runs that an entry gets to reach the target.
    """

    entries: tuple[Entry, ...]
    sizes: tuple[int, ...]
    copies: int
    size_waves: tuple[int, ...]
    waves: tuple[tuple[int, ...], ...]
    seeds: tuple[int, ...]
    limit: float
    large_limit: float
    pilot: int = 300
    main_warmup: int = 1000
    extras: tuple[str, ...] = ("map", "laplace", "inla")
    extras_areas: int = 100
    solver_seconds: float = 1.0
    laplace: tuple[int, int] | None = None
    most_runs: int = 3

    def scaling(self) -> Iterator[tuple[Entry, int]]:
        """Yield the entries of the cost curves with their seeds."""
        for size in self.sizes:
            spec = PanelSpec(self.size_waves, size)
            for seed in self.seeds:
                yield _laplace(f"size-{size}-{seed}", f"{size:,} municipalities", spec), seed
        spec = PanelSpec(self.size_waves, self.sizes[-1], self.copies)
        label = f"{self.copies} copies of {self.sizes[-1]:,} municipalities"
        yield _laplace(f"copies-{self.copies}", label, spec), self.seeds[0]
        for waves in self.waves:
            spec = PanelSpec(waves, self.sizes[-1])
            for seed in self.seeds:
                yield _laplace(f"waves-{len(waves)}-{seed}", f"{len(waves)} wave(s)", spec), seed


def _laplace(key: str, label: str, spec: PanelSpec) -> Entry:
    return Entry(
        key,
        label,
        "remitstats_fit",
        OWN,
        ("remitstats", "pymc", "qdldl"),
        {"engine": "laplace"},
        spec,
        same_model=False,
    )


def _entries(areas: int) -> tuple[Entry, ...]:
    own, numpyro, stan = ("remitstats", "pymc", "nutpie"), ("numpyro", "jax"), ("stan", "httpstan")
    engine = ("remitstats_fit", OWN, own)
    plain = ("pymc_nutpie", OWN, ("pymc", "nutpie"))
    one, three = PanelSpec((2020,), areas), PanelSpec((2000, 2010, 2020), areas)
    low_rank = {"adaptation": "low_rank"}
    return (
        Entry("laplace", "remitstats, laplace", *engine, {"engine": "laplace"}, one),
        Entry("nuts", "remitstats, nuts", *engine, {"engine": "nuts"}, one),
        Entry("pymc", "PyMC + nutpie", *plain, {}, one),
        Entry("pymc-centred", "PyMC + nutpie, centred", *plain, {"centred": True}, one),
        Entry("pymc-low-rank", "PyMC + nutpie, low-rank metric", *plain, low_rank, one),
        Entry("numpyro", "NumPyro", "numpyro_nuts", PEERS, numpyro, {}, one),
        Entry("stan", "Stan (PyStan)", "stan_nuts", PEERS, stan, {}, one),
        Entry(
            "bambi",
            "bambi (another model)",
            "bambi_hsgp",
            PEERS,
            ("bambi", "pymc", "nutpie"),
            {},
            one,
            same_model=False,
        ),
        Entry(
            "laplace-3", "remitstats, laplace", *engine, {"engine": "laplace"}, three,
            same_model=False,
        ),
        Entry("nuts-3", "remitstats, nuts", *engine, {"engine": "nuts"}, three, same_model=False),
    )  # fmt: skip


def full(limit: float, large_limit: float, seeds: int) -> Plan:
    """Return the whole benchmark."""
    return Plan(
        entries=_entries(2456),
        sizes=(300, 600, 1200, 2456),
        copies=10,
        size_waves=(2000, 2010, 2020),
        waves=((2020,), (2010, 2020), (2000, 2010, 2020)),
        seeds=tuple(range(1, seeds + 1)),
        limit=limit,
        large_limit=large_limit,
    )


def quick(limit: float) -> Plan:
    """Return a trial of everything on a few municipalities; its numbers mean nothing."""
    entries = tuple(e for e in _entries(60) if e.key in QUICK)
    return replace(
        full(limit, limit, 1),
        entries=entries,
        sizes=(20, 60),
        copies=2,
        waves=((2020,), (2010, 2020)),
        size_waves=(2010, 2020),
        pilot=60,
        main_warmup=60,
        extras=("map",),
        extras_areas=60,
        solver_seconds=0.05,
        laplace=(30, 100),
        most_runs=1,
    )


def extras_reference(plan: Plan) -> Entry:
    """Return the fit that the methods of pymc-extras are held against, on their small map."""
    return _laplace("extras-reference", "reference", PanelSpec((2020,), plan.extras_areas))
