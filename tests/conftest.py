"""Settings of the whole suite, made before anything imports torch."""

from __future__ import annotations

import os

# The suite runs one worker a core, and so do the processes that it starts: threads would only fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
