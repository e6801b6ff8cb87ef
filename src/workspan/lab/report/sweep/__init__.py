"""A sweep as one page that a reader walks through, or as one picture."""
