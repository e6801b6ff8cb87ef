"""Programs that stand in for a model where a mechanism is studied; their names say so."""
