"""Polls outlets for mentions of a work and republishes them as a press review."""

__version__ = "0.1.0"
