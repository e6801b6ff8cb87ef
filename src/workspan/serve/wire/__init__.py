"""Bodies, headers, errors and events, as they are on the wire to a client."""
