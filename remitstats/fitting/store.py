"""Fits on disk: whole or not there, checked when read, found again by their key."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from filelock import FileLock

from remitstats.errors import RemitstatsError
from remitstats.fitting.settings import Settings
from remitstats.fitting.version import fit_key
from remitstats.panel.atomic import whole_file
from remitstats.panel.panel import Panel

FORMAT = "remitstats fit 1"
GROUPS = ("posterior", "sample_stats", "observed_data", "constant_data")


class StoreError(RemitstatsError):
    """A file that is not a whole fit written by remitstats."""


def save_fit(tree: xr.DataTree, path: str | Path) -> Path:
    """Write a fit as NetCDF: to a temporary name in the same folder, then renamed.

    Parameters
    ----------
    tree : DataTree
        What `remitstats.fit` returned.
    path : path-like
        The file, by custom ending in ``.nc``. Its folder is made if needed.

    Raises
    ------
    RemitstatsError
        If it can't be written there.
    """
    path = Path(path)
    attrs = {**tree["provenance"].attrs, "format": FORMAT, "content": content_hash(tree)}
    whole = tree.copy()
    whole["provenance"] = xr.DataTree(xr.Dataset(attrs=attrs))
    # By way of memory: on a disk that runs full the HDF5 library crashes instead of failing.
    memory = io.BytesIO()
    whole.to_netcdf(memory, engine="h5netcdf")
    with whole_file(path) as temporary:
        temporary.write_bytes(memory.getvalue())
    return path


def load_fit(path: str | Path) -> xr.DataTree:
    """Read a fit that `save_fit` wrote, into memory.

    Raises
    ------
    StoreError
        If the file is missing, is no fit, or its content is not what was written.
    """
    path = Path(path)
    if not path.is_file():
        raise StoreError(f"There is no fit at {path}: make one with 'remitstats fit'.")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as lazy:
            tree = lazy.load()
    except Exception as error:  # whatever HDF5 and xarray raise on a damaged or foreign file
        raise StoreError(
            f"{path} can't be read as a fit ({type(error).__name__}): it is damaged or not from "
            "remitstats. Delete it and fit again."
        ) from error
    if "provenance" not in tree or tree["provenance"].attrs.get("format") != FORMAT:
        raise StoreError(f"{path} is not a fit in the format '{FORMAT}'. Fit again.")
    if any(group not in tree for group in GROUPS) or (
        tree["provenance"].attrs.get("content") != content_hash(tree)
    ):
        raise StoreError(f"{path} is damaged: its content has changed. Delete it and fit again.")
    return tree


def content_hash(tree: xr.DataTree) -> str:
    """Return a hash of all arrays, coordinates and provenance of a fit."""
    digest = hashlib.sha256()
    own = ("format", "content")
    attrs = {str(k): v for k, v in tree["provenance"].attrs.items() if k not in own}
    for name in sorted(attrs):
        digest.update(f"provenance/{name}={attrs[name]}\0".encode())
    for group in GROUPS:
        if group not in tree:
            continue
        dataset = tree[group].to_dataset()
        for name in sorted(map(str, dataset.variables)):
            value = dataset[name].to_numpy()
            text = value.dtype.kind in "OUST"
            digest.update(f"{group}/{name}{dataset[name].dims}{value.shape}".encode())
            if text:
                digest.update("\0".join(map(str, value.ravel())).encode())
            else:
                digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def fit_or_reuse(
    folder: Path,
    model: Any,
    panel: Panel,
    settings: Settings,
    run: Callable[[], xr.DataTree],
) -> tuple[xr.DataTree, Path, bool]:
    """Return the finished fit of the same data, model, priors, seed and code, or run it.

    Parameters
    ----------
    folder : Path
        Where fits are kept, one file a fit, named after model and key.
    model, panel, settings
        What identifies the fit.
    run : callable
        Runs the fit if there is none; two processes after the same fit wait for each other.

    Returns
    -------
    tree, path, reused
        The fit, its file and whether it was already there. A damaged file is fitted anew.
    """
    key = fit_key(model.specification, panel.hash, settings)
    path = folder / f"{model.latent_gaussian.name}-{key}.nc"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{path.stem}.lock")
        lock.acquire()
    except OSError as error:
        raise RemitstatsError(
            f"The folder {folder} can't be written ({error.strerror}): choose another with --fits."
        ) from error
    try:
        if path.is_file():
            try:
                tree = load_fit(path)
                if tree["provenance"].attrs.get("key") == key:  # else another fit under this name
                    return tree, path, True
            except StoreError:
                pass
            path.unlink()
        tree = run()
        save_fit(tree, path)
        return tree, path, False
    finally:
        lock.release()
