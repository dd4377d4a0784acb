"""The client side: connections to model servers, which of them to ask, and when to leave one alone."""
