"""What happened, told to the outside: metrics, traces, events for a SIEM."""
