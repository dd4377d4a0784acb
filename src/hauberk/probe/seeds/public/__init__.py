"""Public sets, read from where the user has them: nothing of them ships."""
