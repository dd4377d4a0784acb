"""Reads a message as a model would: every detector of messages judges each of its views."""

from hauberk.detect.normalise.view import View, Views
from hauberk.detect.normalise.views import views, views_of

__all__ = ["View", "Views", "views", "views_of"]
