"""SHA-256 of files, streamed: memory stays flat, and several files use several cores."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path


def sha256_of(source: Path | io.BufferedReader) -> str:
    """The SHA-256 of a file, in lower-case hexadecimal digits. A stream is read from its beginning.

    hashlib gives other threads way while it hashes, so files can be hashed side by side in threads.
    """
    if isinstance(source, Path):
        with source.open("rb", buffering=0) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    source.seek(0)
    return hashlib.file_digest(source, "sha256").hexdigest()
