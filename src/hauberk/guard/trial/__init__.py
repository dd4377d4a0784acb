"""A chat through the gateway, for people who want to see what it does."""
