"""``python -m tools.audit`` and the console script ``zoo-audit``.

Nothing is imported here: each worker process imports this module once more, as :mod:`multiprocessing` has it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; never returns."""
    try:
        from tools.audit import cli
    except KeyboardInterrupt:
        sys.exit(130)  # as the command line itself ends at Ctrl-C
    cli.main(arguments)


if __name__ == "__main__":
    main()
