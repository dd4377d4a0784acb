"""Seeds: what to ask; our own banks and loaders of public sets."""
