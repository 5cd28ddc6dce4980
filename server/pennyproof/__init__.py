"""Pennyproof: a language server that proves a suggestion against your tests before it offers it."""

__version__ = "0.1.0"
