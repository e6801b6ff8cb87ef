"""The page at ``/``: requests as they happen. Its assets lie beside this file, all that it needs.

routes       what is served, to whom, under which policy
assets       the page itself: HTML, one style sheet, one script without a build step, one icon
"""
