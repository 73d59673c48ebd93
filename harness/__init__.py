"""Lifecycle of an ERP sandbox: refresh from prod, checkpoint, reset, and the proof beside them."""

__version__ = "0.1.0"
