"""Workspan inside other tools: each module is for one of them, and imports it when it is used.

Nothing imports this room. `inspect_ai` is an Inspect solver, `lm_eval` a model of lm-eval, `dspy` a
module of DSPy, `mcp` a server of the Model Context Protocol.
"""
