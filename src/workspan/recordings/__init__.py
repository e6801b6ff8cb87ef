"""Recorded chains of real models, served as an engine: any strategy runs on them unchanged."""
