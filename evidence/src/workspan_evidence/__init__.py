"""The evidence: a transformer trained here, its problems, and the claims that rest on it.

A plug-in of Workspan's, by the same entry points as anyone's; Workspan itself never imports it.
"""
