"""What a weight file's name says: its hash, and the name in a URL."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_HASH = re.compile(r"-([0-9a-fA-F]{8,64})\.")
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


def name_hash(file_name: str) -> str | None:
    """The beginning of the SHA-256 in a file's name, by torch.hub's convention ``name-<hash>.ext``, in lower case.

    At least eight hexadecimal digits are asked for, and a date (``-20210831.pth``) is no hash.
    """
    found = [match.group(1).lower() for match in _HASH.finditer(file_name)]
    return next((digits for digits in reversed(found) if not _DATE.fullmatch(digits)), None)


def url_file_name(url: str) -> str:
    """The file name that a URL ends in, unquoted and without any folder; empty where it ends in none."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return "" if name in (".", "..") or "\\" in name or "\0" in name else name


def archive_name(file_name: str) -> str:
    """The name that ``torch.save`` gives to the archive inside a file of this name: what stands before the last dot."""
    stem, dot, _ = file_name.rpartition(".")
    return stem if dot else file_name
