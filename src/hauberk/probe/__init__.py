"""The dynamic side: attacks held against a live model, its answers judged, the result graded.

A seed (what to ask) goes through an attack (how to ask) to a target (whom to ask). What comes of it is a transcript, a judge
gives it an outcome, and the outcomes are counted into rates with intervals and grades.
"""
