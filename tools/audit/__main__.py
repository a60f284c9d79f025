"""``python -m tools.audit`` and the console script ``zoo-audit``.

Nothing of this package is imported here: each worker process imports this module once more, as
:mod:`multiprocessing` has it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; never returns."""
    try:
        from tools.audit import cli
    except KeyboardInterrupt:
        sys.exit(130)  # as the command line itself ends at Ctrl-C
    try:
        cli.main(arguments)
    finally:
        gc.freeze()  # the process ends now: nobody need look through what is left for garbage


if __name__ == "__main__":
    main()
