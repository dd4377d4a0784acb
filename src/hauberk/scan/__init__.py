"""Static scan: walk, read, detect, decide, record."""
