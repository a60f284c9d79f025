"""The examples in the documentation strings."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(("module", "examples"), [("zoo", 4), ("zoo.layers", 1), ("zoo.preprocess", 3)])
def test_examples_do_as_they_say(module: str, examples: int) -> None:
    assert doctest.testmod(importlib.import_module(module)) == (0, examples)
