"""Text: decoding, invisible characters."""
