"""The circle's posterior density on one vector of unconstrained numbers, with its gradient.

The same law as that of the PyMC model of `circle`, parameter by parameter, written out so that
nothing has to be compiled for a fit: normals as they are; ratios, and scales of pooled links, as
logarithms; other scales as normal scores under their prior, which have no long tail where a scale
is near nought; shares and partial correlations as logits. A test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.models.circle_data import CircleData
from remitstats.models.circle_form import (
    Form,
    Priors,
    earlier_shapes,
    interval_contrasts,
    noise_of,
)
from remitstats.models.circle_measures import SAMPLED, VARIABLES
from remitstats.models.circle_prior import Layout, link_prior, log_prior, scale_prior
from remitstats.parts.collapsed_density import GroupMeans, Pooled, Separable
from remitstats.parts.correlation import correlation_factor, correlation_factor_pullback
from remitstats.parts.panel_kernel import panel_density
from remitstats.parts.unconstrained import log_scale_slope, scale_of

Array = NDArray[np.float64]
OTHERS = VARIABLES[len(SAMPLED) :]
PLACES = ("region", "state")
FARTHEST = 30.0  # an unconstrained number beyond which exponentials overflow


@dataclass(frozen=True, eq=False)
class CircleDensity:
    """Log posterior density of the circle model.

    Parameters
    ----------
    data : CircleData
        The measurements.
    priors : Priors
        Of the parameters.
    form : Form
        Which links there are.
    """

    data: CircleData
    priors: Priors
    form: Form

    @cached_property
    def layout(self) -> Layout:
        """Where each variable stands in the vector, and its shape; in the PyMC model's order."""
        _, waves, k = self.data.shape
        states, regions = len(self.data.coords["state"]), len(self.data.coords["region"])
        pair = k * (k - 1) // 2
        shapes: dict[str, tuple[int, ...]] = {"link": (k, k)}
        if self.form.by_interval and waves > 2:
            shapes["link_interval_sd"] = ()
            shapes["link_interval"] = (waves - 2, k, k)
        for level, size in (("region", regions), ("state", states)):
            if getattr(self.form, f"by_{level}") and size > 1:
                shapes[f"link_{level}_sd"] = ()
                shapes[self.form.effects_of(level)] = (size, k, k)
        names = ["intercept"] if self.form.own_level else []
        for name in (*names, "initial", "innovation"):
            shapes[f"{name}_sd"] = (k,)
            shapes[f"{name}_partial"] = (pair,)
        if waves > 2:
            shapes["innovation_ratio"] = (waves - 2, k)
        shapes |= {f"sampling_ratio_{v}": () for v in SAMPLED}
        shapes |= {f"size_noise_sd_{v}": () for v in OTHERS}
        shapes |= {"sampling_correlation_raw": (), "intercept_share": (), "innovation_share": ()}
        shapes |= earlier_shapes(self.data)
        found, at = {}, 0
        for name, shape in shapes.items():
            size = math.prod(shape)
            found[name] = (slice(at, at + size), shape)
            at += size
        return found

    @property
    def size(self) -> int:
        """Number of parameters."""
        return max(int(place.stop) for place, _ in self.layout.values())

    @cached_property
    def _noise(self) -> tuple[Array, NDArray[np.int64]]:
        return noise_of(self.data).arrays

    def start(self) -> Array:
        """Return where a search for the mode may begin."""
        x = np.zeros(self.size)
        for name, (place, shape) in self.layout.items():
            if name == "link":
                x[place] = link_prior(self.priors, shape[0])[0].ravel()
            elif (prior := scale_prior(name, self.priors)) is not None:
                x[place] = prior.unconstrain(0.05 if name.startswith("size_noise_sd") else 0.4)
            elif name.startswith("link_") and name.endswith("_sd"):
                x[place] = math.log(0.05)
            elif name == "sampling_correlation_raw":
                x[place] = self.priors.sampling_correlation.mean
        return x

    @cached_property
    def _members(self) -> NDArray[np.int64]:
        """Number of states of every region."""
        return np.bincount(self.data.region_of_state, minlength=len(self.data.coords["region"]))

    @cached_property
    def _within(self) -> Array:
        """What takes from states the mean of their region where that is a parameter of its own."""
        of = self.data.region_of_state
        together = (of[:, None] == of[None, :]) / self._members[of][:, None]
        return np.asarray(np.eye(len(of)) - together * ("link_region" in self.layout))

    @cached_property
    def _means(self) -> GroupMeans | None:
        """The means of regions, if regions and their states may differ."""
        if not {"link_region", "link_state_unit"} <= set(self.layout):
            return None
        scale, inner = (self.layout[f"link_{one}_sd"][0].start for one in PLACES)
        place = self.layout["link_region"][0]
        return GroupMeans(scale, inner, place, self._members, self.priors.region_sd.rate)

    def separable(self) -> list[Separable]:
        """Return the parameters of regions and states, which meet only through shared ones."""
        found: list[Separable] = []
        of = self.data.region_of_state
        for level in PLACES:
            name = self.form.effects_of(level)
            if name not in self.layout:
                continue
            place, shape = self.layout[name]
            moved = np.arange(place.start, place.stop).reshape(shape[0], -1)
            owner = np.arange(shape[0])
            if level == "state" and found:
                owner = of
                found[-1].group[moved] = of[:, None]
            group = np.full(self.size, -1)
            group[moved] = owner[:, None]
            if level == "state" and "link_region" in self.layout:
                # states of a region meet in its mean: one of every region moves at a time
                own = [moved[of == r] for r in range(len(self._members))]
                moved = np.stack(
                    [np.resize(part, (self._members.max(), part.shape[1])) for part in own]
                )
                moved = moved.reshape(len(own), -1)
            elif level == "state":
                group[moved] = np.arange(shape[0])[:, None]
            found.append(Separable(moved, group))
        return found

    def pooled(self) -> Sequence[Pooled | GroupMeans]:
        """Return the deviations of links by interval, region and state."""
        found: list[Pooled | GroupMeans] = []
        for level in ("interval", "region", "state"):
            if f"link_{level}_sd" not in self.layout:
                continue
            name = self.form.effects_of(level)
            scale, unit = self.layout[f"link_{level}_sd"][0].start, self.layout[name][0]
            rate = getattr(self.priors, f"{level}_sd").rate
            if level == "region" and self._means is not None:
                found.append(self._means)
                continue
            centred = not name.endswith("_unit")
            found.append(
                Pooled(scale, unit, rate, centred, self._means if level == "state" else None)
            )
        return found

    def gradient(self, x: Array) -> tuple[float, Array]:
        """Return log density and gradient; minus infinity and zeros where it is not defined."""
        if np.max(np.abs(x)) > FARTHEST:
            return -math.inf, np.zeros(self.size)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, out = self._gradient(np.asarray(x, dtype=float))
        if not (math.isfinite(value) and np.isfinite(out).all()):
            return -math.inf, np.zeros(self.size)
        return value, out

    def log_likelihood(self, x: Array) -> float:
        """Return the log density of the measurements alone, without that of the priors."""
        value, _ = self.gradient(x)
        return value - log_prior(x, self.layout, self.priors, np.zeros(self.size), self._means)

    def _part(self, x: Array, name: str) -> Array:
        place, shape = self.layout[name]
        return x[place].reshape(shape)

    def links(self, x: Array) -> Array:
        """Return the links of every state and interval.

        Parameters
        ----------
        x : array, shape (..., parameter)
            Unconstrained parameters.

        Returns
        -------
        array, shape (..., state, interval, to, from)
        """
        _, waves, k = self.data.shape
        lead, states = x.shape[:-1], len(self.data.coords["state"])
        out = np.zeros((*lead, states, waves - 1, k, k))
        out += self._many(x, "link")[..., None, None, :, :]
        if "link_interval" in self.layout:
            moved = self._many(x, "link_interval")
            contrast = np.einsum("tj,...jab->...tab", interval_contrasts(waves - 1), moved)
            out += contrast[..., None, :, :, :]
        for level in PLACES:
            name = self.form.effects_of(level)
            if name in self.layout:
                moved = self._many(x, name)
                if name.endswith("_unit"):
                    moved = np.einsum("st,...tab->...sab", self._within, moved)
                    moved = np.exp(self._many(x, f"link_{level}_sd"))[..., None, None, None] * moved
                if level == "region":
                    moved = moved[..., self.data.region_of_state, :, :]
                out += moved[..., None, :, :]
        return np.asarray(out * self.form.mask())

    def _scale(self, x: Array, name: str) -> Array:
        """Return standard deviations that are normal scores."""
        prior = scale_prior(name, self.priors)
        assert prior is not None  # noqa: S101 - names are this module's own
        return scale_of(self._many(x, name), prior)

    def _log_scale_slope(self, x: Array, name: str) -> Array:
        prior = scale_prior(name, self.priors)
        assert prior is not None  # noqa: S101
        return log_scale_slope(self._many(x, name), prior)

    def _many(self, x: Array, name: str) -> Array:
        place, shape = self.layout[name]
        return x[..., place].reshape((*x.shape[:-1], *shape))

    def covariance(self, x: Array, name: str) -> Array:
        """Return "intercept", "initial", "innovation" or "earlier" as a covariance."""
        k = self.data.earlier.shape[1] if name == "earlier" else self.data.shape[2]
        if f"{name}_sd" not in self.layout:
            return np.broadcast_to(1e-8 * np.eye(k), (*x.shape[:-1], k, k))
        half = special.expit(self._many(x, f"{name}_partial"))
        factor = self._scale(x, f"{name}_sd")[..., None] * correlation_factor(2 * half - 1, k)
        return np.asarray(factor @ np.swapaxes(factor, -1, -2))

    def innovations(self, x: Array) -> Array:
        """Return the innovation covariances of all waves, shape (..., wave, k, k)."""
        new = self.covariance(x, "innovation")
        parts = [self.covariance(x, "initial"), new]
        if "innovation_ratio" in self.layout:
            ratio = np.exp(self._many(x, "innovation_ratio"))
            for t in range(ratio.shape[-2]):
                parts.append(ratio[..., t, :, None] * new * ratio[..., t, None, :])
        return np.stack(parts, axis=-3)

    def constrain(self, x: Array) -> dict[str, Array]:
        """Return all parameters on their own scales, and links and covariances made of them.

        Parameters
        ----------
        x : array, shape (..., parameter)
            Unconstrained parameters.
        """
        out: dict[str, Array] = {}
        for name in self.layout:
            value = self._many(x, name)
            if name.endswith(("_partial", "_share")):
                value = special.expit(value)
            elif scale_prior(name, self.priors) is not None:
                value = self._scale(x, name)
            elif name.endswith(("_sd", "_scale")) or "_ratio" in name:
                value = np.exp(value)
            out[name] = value
        out["sampling_correlation"] = np.tanh(out["sampling_correlation_raw"])
        out["links"] = self.links(x)
        out["intercept"] = self.covariance(x, "intercept")
        out["innovation"] = self.innovations(x)
        if "earlier_scale" in self.layout:
            out["earlier_innovation"] = self.covariance(x, "earlier")
        return out

    def _gradient(self, x: Array) -> tuple[float, Array]:
        k = self.data.shape[2]
        out, value = np.zeros(self.size), 0.0

        def at(name: str) -> Array:
            return out[self.layout[name][0]]

        value += log_prior(x, self.layout, self.priors, out, self._means)
        factors: dict[str, tuple[Array, Array, Array]] = {}
        for name in ("intercept", "initial", "innovation", "earlier"):
            if f"{name}_sd" in self.layout:
                half = special.expit(x[self.layout[f"{name}_partial"][0]])
                sds = self._scale(x, f"{name}_sd")
                unit = correlation_factor(2.0 * half - 1.0, len(sds))
                factors[name] = (sds, half, sds[:, None] * unit)
        ratio = np.ones((0, k))
        if "innovation_ratio" in self.layout:
            ratio = np.exp(self._part(x, "innovation_ratio"))
        raw = x[self.layout["sampling_correlation_raw"][0]]
        shares = {
            name: float(special.expit(x[self.layout[name][0]][0]))
            for name in ("intercept_share", "innovation_share")
        }
        covariance = {name: f[2] @ f[2].T for name, f in factors.items()}
        intercept = covariance.get("intercept", 1e-8 * np.eye(k))
        new = covariance["innovation"]
        later = [r[:, None] * new * r[None, :] for r in ratio]
        innovation = np.stack([covariance["initial"], new, *later])[: self.data.shape[1]]
        excess = np.exp([x[self.layout[f"sampling_ratio_{v}"][0]][0] for v in SAMPLED])
        noise_sd = np.array([float(self._scale(x, f"size_noise_sd_{v}")) for v in OTHERS])
        links = self.links(x)
        earlier_scale, earlier_link = np.zeros(0), np.zeros((0, k))
        if "earlier_scale" in self.layout:
            earlier_scale = np.exp(self._part(x, "earlier_scale"))
            earlier_link = np.ascontiguousarray(self._part(x, "earlier_link"))
        (likelihood, by_links, by_intercept, by_innovation, by_intercept_share,
         by_innovation_share, by_noise, by_correlation, by_earlier_scale, by_earlier_link,
         by_earlier) = panel_density(
            *self.data.nested.arrays,
            *self._noise,
            links,
            intercept,
            np.ascontiguousarray(innovation),
            shares["intercept_share"],
            shares["innovation_share"],
            np.concatenate([excess, noise_sd**2 + 1e-8]),
            float(np.tanh(raw[0])),
            earlier_scale,
            earlier_link,
            covariance.get("earlier", np.zeros((0, 0))),
        )  # fmt: skip
        value += likelihood
        self._links_pullback(x, by_links * self.form.mask(), out)
        for t, r in enumerate(ratio):
            found = by_innovation[2 + t]
            by_innovation[1] += r[:, None] * found * r[None, :]
            both = found * new
            at("innovation_ratio")[t * k : (t + 1) * k] += r * ((both + both.T) @ r)
        by = {
            "intercept": by_intercept,
            "initial": by_innovation[0],
            "innovation": by_innovation[1],
            "earlier": by_earlier,
        }
        if "earlier_scale" in self.layout:
            at("earlier_scale")[:] += by_earlier_scale * earlier_scale
            at("earlier_link")[:] += by_earlier_link.ravel()
        for name, parts in factors.items():
            self._covariance_pullback(x, name, parts, by[name], out)
        for j, v in enumerate(SAMPLED):
            at(f"sampling_ratio_{v}")[:] += by_noise[j] * excess[j]
        for j, v in enumerate(OTHERS):
            slope = self._log_scale_slope(x, f"size_noise_sd_{v}")
            at(f"size_noise_sd_{v}")[:] += by_noise[2 + j] * 2.0 * noise_sd[j] ** 2 * slope
        at("sampling_correlation_raw")[:] += by_correlation * (1.0 - np.tanh(raw) ** 2)
        for name, found in (
            ("intercept_share", by_intercept_share),
            ("innovation_share", by_innovation_share),
        ):
            at(name)[:] += found * shares[name] * (1.0 - shares[name])
        return value, out

    def _covariance_pullback(
        self, x: Array, name: str, parts: tuple[Array, Array, Array], gradient: Array, out: Array
    ) -> None:
        """Add the gradient in a covariance's parameters, given that in the covariance."""
        sds, half, factor = parts
        by_factor = (gradient + gradient.T) @ factor
        slope = self._log_scale_slope(x, f"{name}_sd")
        out[self.layout[f"{name}_sd"][0]] += slope * np.sum(by_factor * factor, axis=1)
        pulled = correlation_factor_pullback(2.0 * half - 1.0, by_factor * sds[:, None])
        out[self.layout[f"{name}_partial"][0]] += pulled * 2.0 * half * (1.0 - half)

    def _links_pullback(self, x: Array, by_links: Array, out: Array) -> None:
        """Add the gradient in the parts of the links, given that in the links."""
        layout = self.layout
        total = by_links.sum(axis=(0, 1))
        out[layout["link"][0]] += total.ravel()

        if "link_interval" in layout:
            contrasts = interval_contrasts(by_links.shape[1])
            by_interval = np.einsum("tj,tab->jab", contrasts, by_links.sum(axis=0))
            out[layout["link_interval"][0]] += by_interval.ravel()
        by_state = by_links.sum(axis=1)
        for level in PLACES:
            name = self.form.effects_of(level)
            if name not in layout:
                continue
            place, shape = layout[name]
            found = by_state
            if level == "region":
                found = np.zeros(shape)
                np.add.at(found, self.data.region_of_state, by_state)
            if name.endswith("_unit"):
                scale = layout[f"link_{level}_sd"][0]
                found = np.einsum("st,sab->tab", self._within, found)
                found = math.exp(float(x[scale][0])) * found
                out[scale] += float(np.sum(found * self._part(x, name)))
            out[place] += found.ravel()
