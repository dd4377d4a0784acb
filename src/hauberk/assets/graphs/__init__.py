"""Computation graphs: protobuf, flatbuffer and XML families."""
