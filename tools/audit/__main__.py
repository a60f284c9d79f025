"""``python -m tools.audit`` and the console script ``zoo-audit``."""

from tools.audit.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
