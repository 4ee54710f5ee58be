"""linjin finds the nearest neighbours of a vector among millions; `linjin.annoy` is its drop-in for Annoy."""

from . import annoy
from ._linjin import __version__

__all__ = ["__version__", "annoy"]
