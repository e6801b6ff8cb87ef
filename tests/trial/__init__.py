"""Programs that are tried: right ones, lying ones, attacks; and the wire to their tests."""
