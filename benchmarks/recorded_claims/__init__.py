"""Claims of the evidence map, measured on recordings of models that people use."""
