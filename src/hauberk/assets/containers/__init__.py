"""Containers of other assets: zip and what is built on it, tar, 7z, compressed streams."""
