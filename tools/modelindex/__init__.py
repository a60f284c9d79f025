"""The model index: read with the place of every value, edited one value at a time, exported.

Metadata in the format of Papers with Code's ``model-index``, in YAML, JSON and Markdown.
"""

from tools.modelindex.load import load as load_index

__all__ = ["load_index"]
