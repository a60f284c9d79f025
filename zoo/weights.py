"""Where a variant's published weights are, and what proves a copy of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.[^-]*$", re.IGNORECASE)
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


def hash_in_name(file_name: str) -> str | None:
    """Return the hash that a file name promises, in lower case, or ``None``.

    By the convention of ``torch.hub`` it stands between the last ``-`` and the extension and is the beginning of the
    file's SHA-256, eight digits or more: ``a907afbc`` in ``mixnet_s-a907afbc.pth``. Eight digits that read as a date
    (``model-20210831.pth``) are taken for the date they most likely are.
    """
    match = _HASH_IN_NAME.search(file_name)
    return match[1].lower() if match and not _DATE.fullmatch(match[1]) else None


@dataclass(frozen=True, slots=True)
class Weights:
    """A published weight file, and a hash that proves copies of it.

    Raises:
        ValueError: ``sha256`` is not 8 to 64 hexadecimal digits, no hash is known at all, or ``size`` is not positive.
    """

    url: str
    sha256: str = ""
    """The file's SHA-256, or its first digits (eight or more). Empty: only the hash in the name is known."""
    size: int | None = None
    """The file's size in bytes, where it is known."""

    def __post_init__(self) -> None:
        if self.sha256 and not re.fullmatch("[0-9a-f]{8,64}", self.sha256):
            raise ValueError(f"sha256 must be 8 to 64 lower-case hexadecimal digits, not {self.sha256!r}")
        if not self.hash_prefix:
            raise ValueError(
                f"nothing proves a copy of {self.url}: there is no hash in its file name, and none is given"
            )
        if self.size is not None and self.size <= 0:
            raise ValueError(f"size must be positive, not {self.size}")

    @property
    def file_name(self) -> str:
        """The last part of the URL's path: ``mixnet_s-a907afbc.pth``."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2]

    @property
    def hash_prefix(self) -> str:
        """As much of the SHA-256 as is known: ``sha256``, else the hash in the file name."""
        return self.sha256 or hash_in_name(self.file_name) or ""
