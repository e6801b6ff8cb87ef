"""What command line, notebook and gateway share: one call a job, strings where a spec is meant.

Each function checks everything before it spends, opens what texts name and closes it, and gives
back data; whoever calls it renders. `workspan` has them by name, `workspan.sync` without `await`.
"""
