"""The decoders, one file each, and the order in which they are tried."""
