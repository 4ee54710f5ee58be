"""The class under the name of Annoy's extension module."""

from .._linjin import Annoy

__all__ = ["Annoy"]
