import sys

sys.path.insert(0, "/work/main")
import pytest
from tests.cli.test_odd_arguments import *

NEW = {"read", "which", "certify", "label", "sweep", "runs", "rollouts", "keys"}


@pytest.mark.timeout(3000)
def test_new(folder, capsys):
    bad = []
    log = open("/tmp/oddnew.txt", "w", buffering=1)
    n = 0
    for a in cases(folder):
        if a[0] in NEW:
            try:
                run(a, capsys)
            except BaseException as e:
                if isinstance(e, KeyboardInterrupt):
                    raise
                capsys.readouterr()
                bad.append(1)
                log.write(repr((a[:9], str(e)[-500:])) + "\n")
    log.write("END\n")
    assert not bad
