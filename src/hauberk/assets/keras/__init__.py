"""Keras architectures, and the HDF5 they are kept in."""
