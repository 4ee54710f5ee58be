# The extension module; its class lives, for Python, in `linjin.annoy`.

from .annoy import Annoy

__all__ = ["Annoy", "__version__"]

__version__: str
