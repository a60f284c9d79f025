"""Prove the numbers on model pages: read what is claimed, measure what is true, compare, report."""

__version__ = "0.1.0"
