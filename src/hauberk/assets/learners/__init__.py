"""Smaller learners: boosted trees, skops, Torch7, R, MessagePack."""
