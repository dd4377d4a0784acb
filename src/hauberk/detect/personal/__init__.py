"""Recognisers of personal data, one small file a family; `find` runs those that a text can concern."""

from hauberk.detect.personal.span import Span

__all__ = ["Span"]
