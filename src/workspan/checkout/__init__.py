"""A folder as it stands, copied once and then as often as needed: what rollouts begin with.

Nothing here writes in the user's folder or in its repository. What a copy has become is told as a
diff (`Snapshot.diff`), and a diff is put on a copy again (`Snapshot.patched`): both with git, which
never runs in a copy's own `.git`, where others may have left commands.
"""
