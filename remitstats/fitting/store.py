"""Fits on disk: whole or not there, checked when read, found again by their key.

A fit is one NetCDF file with a seal after its last byte: the format's number and the SHA-256 of
all bytes before. NetCDF readers don't look there, so that the file opens in any of them; `load_fit`
looks there first, so that nothing but bytes written here ever reaches the HDF5 library, which
crashes on some damaged files.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from filelock import FileLock

from remitstats.errors import RemitstatsError
from remitstats.fitting.settings import Settings
from remitstats.fitting.version import fit_key
from remitstats.panel.atomic import remove_stale, whole_file
from remitstats.panel.panel import Panel

VERSION = 2
FORMAT = f"remitstats fit {VERSION}"
GROUPS = ("posterior", "sample_stats", "observed_data", "constant_data")
PROVENANCE = (  # what every fit says of itself
    "model",
    "key",
    "panel_hash",
    "code_version",
    "settings",
    "specification",
    "wall_seconds",
    "versions",
)
_OWN = ("format", "content")  # attributes that the store adds
_SEAL = re.compile(rb"\nremitstats fit (\d{4}) sha256 ([0-9a-f]{64})\n")
_SEAL_SIZE = len("\nremitstats fit 0002 sha256 \n") + 64
_HDF5 = b"\x89HDF\r\n\x1a\n"
_PIECE = 1 << 22
_WRITING = threading.Lock()  # Dask's settings are those of the whole process


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
    StoreError
        If the tree is not a fit, or does not say how it came about.
    RemitstatsError
        If it can't be written there.
    """
    path = Path(path)
    content = fit_bytes(tree)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
    return path


def fit_bytes(tree: xr.DataTree) -> bytes:
    """Return the content of the file of a fit, seal and all.

    Made in memory, for on a disk that runs full the HDF5 library crashes instead of failing. Draws
    are not compressed: they are noise in all but their first bits.

    Raises
    ------
    StoreError
        If the tree is not a fit, or does not say how it came about.
    """
    read_provenance(tree)
    missing = [group for group in GROUPS if group not in tree.children]
    if missing:
        raise StoreError(
            f"The tree is not a fit: it lacks {', '.join(missing)}. Pass what remitstats.fit "
            "returned."
        )
    attrs = {**tree["provenance"].attrs, "format": FORMAT, "content": content_hash(tree)}
    whole = tree.copy()
    whole["provenance"] = xr.DataTree(xr.Dataset(attrs=attrs))
    memory = io.BytesIO()
    with _WRITING, _without_cluster():
        whole.to_netcdf(memory, engine="h5netcdf")
    digest = hashlib.sha256(memory.getbuffer()).hexdigest()
    memory.seek(0, io.SEEK_END)
    memory.write(f"\nremitstats fit {VERSION:04d} sha256 {digest}\n".encode())
    return memory.getvalue()


@contextmanager
def _without_cluster() -> Iterator[None]:
    """Keep xarray from asking a Dask cluster for a lock on what is written in memory.

    It does so wherever a Dask client is open, and the cluster knows no such lock.
    """
    dask = sys.modules.get("dask")
    if dask is None:
        yield
        return
    with dask.config.set(scheduler="synchronous"):
        yield


def load_fit(path: str | Path) -> xr.DataTree:
    """Read a fit that `save_fit` wrote, into memory.

    Raises
    ------
    StoreError
        If the file is missing, is no fit, or its content is not what was written.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder, not a fit" if path.is_dir() else "is not there"
        raise StoreError(f"There is no fit at {path}: it {what}. Make one with 'remitstats fit'.")
    try:
        _check_seal(path)
    except OSError as error:
        raise StoreError(f"The fit {path} can't be read: {error.strerror or error}.") from error
    try:
        with xr.open_datatree(path, engine="h5netcdf") as lazy:
            tree = lazy.load()
        attrs = tree["provenance"].attrs
        intact = attrs["format"] == FORMAT and attrs["content"] == content_hash(tree)
        read_provenance(tree)
    except Exception as error:  # whatever HDF5 and xarray raise
        raise StoreError(
            f"{path} can't be read as a fit ({type(error).__name__}): it is damaged or not from "
            "remitstats. Delete it and fit again."
        ) from error
    if not intact:
        raise StoreError(f"{path} is damaged: its content has changed. Delete it and fit again.")
    return tree


def _check_seal(path: Path) -> None:
    """Raise unless the file is byte by byte what `save_fit` wrote."""
    again = "Delete it and fit again."
    size = path.stat().st_size - _SEAL_SIZE
    with path.open("rb") as file:
        if file.read(len(_HDF5)) != _HDF5:
            raise StoreError(f"{path} is damaged or not from remitstats: no NetCDF file. {again}")
        file.seek(max(size, 0))
        seal = _SEAL.fullmatch(file.read())
        if seal is None:
            raise StoreError(
                f"{path} is not a fit in the format '{FORMAT}', or is damaged: the mark at its "
                f"end is missing. It was cut off, changed by another program, or not written by "
                f"this version of remitstats. {again}"
            )
        if int(seal[1]) != VERSION:
            raise StoreError(
                f"{path} is not a fit in the format '{FORMAT}': it is in format {int(seal[1])}, "
                f"of another version of remitstats. Read it with that version, or fit again."
            )
        file.seek(0)
        digest = hashlib.sha256()
        while size > 0:
            piece = file.read(min(size, _PIECE))
            if not piece:
                break
            digest.update(piece)
            size -= len(piece)
    if digest.hexdigest().encode() != seal[2]:
        raise StoreError(f"{path} is damaged: its content has changed. {again}")


def read_provenance(tree: xr.DataTree) -> dict[str, Any]:
    """Return how a fit came about, as plain values.

    Returns
    -------
    dict
        `model`, `key`, `panel_hash`, `code_version`, `engine`, `seed`, `settings`,
        `specification` (priors and design), `wall_seconds` (by phase), `versions` (of Python and
        packages), and whatever else the engine noted.

    Raises
    ------
    StoreError
        If any of these is missing or can't be read.
    """
    attrs = tree["provenance"].attrs if "provenance" in tree.children else {}
    missing = [name for name in PROVENANCE if name not in attrs]
    if missing:
        raise StoreError(
            f"The tree is not a fit of remitstats: its provenance lacks {', '.join(missing)}. Pass "
            "what remitstats.fit returned."
        )
    found: dict[str, Any] = {str(k): v for k, v in attrs.items() if k not in _OWN}
    try:
        for name, value in found.items():
            if isinstance(value, str) and value[:1] in ("{", "["):
                found[name] = json.loads(value)
        found["engine"], found["seed"] = (found["settings"][name] for name in ("engine", "seed"))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The fit's provenance can't be read ({error}). Pass what remitstats.fit returned."
        ) from error
    return found


def content_hash(tree: xr.DataTree) -> str:
    """Return a hash of all arrays, coordinates and provenance of a fit."""
    digest = hashlib.sha256()
    attrs = {str(k): v for k, v in tree["provenance"].attrs.items() if k not in _OWN}
    for name in sorted(attrs):
        digest.update(f"provenance/{name}={attrs[name]}\0".encode())
    for group in GROUPS:
        if group not in tree:
            continue
        dataset = tree[group].to_dataset()
        for name in sorted(map(str, dataset.variables)):
            value = dataset[name].to_numpy()
            digest.update(f"{group}/{name}{dataset[name].dims}{value.shape}".encode())
            if value.dtype.kind in "OUST":
                digest.update("\0".join(map(str, value.ravel())).encode())
            else:
                digest.update(np.ascontiguousarray(value).view(np.uint8))
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

    Raises
    ------
    RemitstatsError
        If the folder can't be written, or something that is no file has the fit's name.

    Notes
    -----
    What writers that were killed left in the folder is removed.
    """
    key = fit_key(model.specification, panel.hash, settings)
    path = folder / fit_name(model_name(model), key)
    with _locked(path):
        tree = whole_fit(path, key)
        if tree is not None:
            return tree, path, True
        tree = run()
        save_fit(tree, path)
        return tree, path, False


def keep_fit(folder: Path, name: str, content: bytes) -> Path:
    """Store a fit that another machine made and sent as the bytes of its file.

    Parameters
    ----------
    folder : Path
        Where fits are kept.
    name : str
        What `fit_name` returned there.
    content : bytes
        What `fit_bytes` returned there.

    Returns
    -------
    Path
        Its file. A whole fit that is already there stays.

    Raises
    ------
    StoreError
        If it did not arrive as it was sent; then nothing is stored.
    RemitstatsError
        If the folder can't be written.
    """
    path = folder / name
    with _locked(path):
        if whole_fit(path) is None:
            with whole_file(path) as temporary:
                temporary.write_bytes(content)
                try:
                    _check_seal(temporary)
                except StoreError as error:
                    raise StoreError(f"The fit {name} did not arrive as it was sent.") from error
    return path


def model_name(model: Any) -> str:
    """Return the name of a model that a build function of `remitstats` returned."""
    blocks = getattr(model, "latent_gaussian", None)
    return str(model.specification["model"] if blocks is None else blocks.name)


def fit_name(model: str, key: str) -> str:
    """Return the name of a fit's file."""
    return f"{model}-{key}.nc"


def is_fit(name: str) -> bool:
    """Whether a file of this name in a folder of fits is, or was to be, a fit."""
    return name.endswith(".nc")


def whole_fit(path: Path, key: str | None = None) -> xr.DataTree | None:
    """Return the fit of a file; None if there is none, a damaged one or one of another key.

    A file that is no such fit is removed, to make place for one.
    """
    if not path.exists():
        return None
    try:
        tree = load_fit(path)
    except StoreError:
        tree = None
    wanted = path.stem.rpartition("-")[2] if key is None else key
    if tree is not None and tree["provenance"].attrs["key"] == wanted:
        return tree
    try:
        path.unlink()
    except OSError as error:
        raise RemitstatsError(
            f"{path} is in the way of a fit and can't be removed "
            f"({(error.strerror or str(error)).lower()}): move it elsewhere."
        ) from error
    return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time have a fit's file; remove what killed writers left beside it."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{path.stem}.lock")
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RemitstatsError(
            f"The folder {folder} can't be written ({reason}): choose another with --fits."
        ) from error
    try:
        remove_stale(folder, is_fit)
        yield
    finally:
        lock.release()
