"""A population that is selected, recombined and refined by an evaluator's feedback."""
