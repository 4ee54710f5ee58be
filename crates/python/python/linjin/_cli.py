"""The command `linjin`, as the wheel installs it."""

import signal
import sys

from ._linjin import main as run


def main() -> int:
    """Does what was typed and returns the exit code."""
    # Python's own handler only takes a note, which nobody looks at while the work is done outside of Python. Where
    # Ctrl-C was switched off, as by nohup, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run(sys.argv)
