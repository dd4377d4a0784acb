"""Native programs, media, and what a name promises."""
