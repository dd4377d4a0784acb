"""Grades: from outcomes to rates with intervals, corrected for the judges' errors, to grades and standings."""

from hauberk.probe.grades.graded import Graded, grade
from hauberk.probe.grades.profile import Profile, ProfileError, profiles, read_profile
from hauberk.probe.grades.tally import assessed

__all__ = ["Graded", "Profile", "ProfileError", "assessed", "grade", "profiles", "read_profile"]
