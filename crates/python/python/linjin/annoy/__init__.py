"""Annoy's interface and files, with adding, deleting, batches and exact radius search on top.

    from linjin.annoy import AnnoyIndex

`install()` lets programs that say `import annoy` find this module.
"""

import sys

from .._linjin import Annoy
from . import annoylib

AnnoyIndex = Annoy

__all__ = ["Annoy", "AnnoyIndex", "install"]


def install() -> None:
    """Makes every later `import annoy` in this process import this module.

    Call it before importing the libraries that use Annoy. Calling it again changes nothing; whoever imported another
    `annoy` before keeps that one.
    """
    sys.modules["annoy"] = sys.modules[__name__]
    sys.modules["annoy.annoylib"] = annoylib
