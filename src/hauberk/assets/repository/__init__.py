"""A directory read as one thing: what its files say of each other."""
