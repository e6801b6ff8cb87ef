"""lm-eval's own command line, which knows the model "workspan"."""

from __future__ import annotations

from lm_eval.__main__ import cli_evaluate

import workspan.integrations.lm_eval  # noqa: F401  # registers the model

if __name__ == "__main__":
    cli_evaluate()
