"""The record of runs, in SQLite: runs, findings, gaps, their comparison, and what is remembered between runs."""

from hauberk.store.errors import StoreError
from hauberk.store.keys import cache_key
from hauberk.store.memory import FileStamp
from hauberk.store.runs import RunSummary
from hauberk.store.store import Store

__all__ = ["FileStamp", "RunSummary", "Store", "StoreError", "cache_key"]
