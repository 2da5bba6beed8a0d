"""Runs batch runs in forked children that a test may kill; started by the tests of runs, once, since loading is slow.

Reads one JSON object a line: ``inputs``, ``output``, and perhaps ``die_at``, the number of the durable step (a sync or
a rename) before which the child kills itself. Answers with the child's pid, then with its wait status.
"""

import json
import os
import signal
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"


def main(model: str) -> None:
    import pyarrow.parquet  # noqa: F401 -- loaded before the fork
    import torch

    from stance.articles import detected_language
    from stance.scoring import load

    torch.set_num_threads(1)
    scorer = load(model, engine="torch-fp32")
    detected_language("Words that make the language model load before the fork, so that children begin at once. " * 3)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = child(scorer, order)
            finally:
                os._exit(status)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": status}), flush=True)


def child(scorer, order) -> int:
    from stance.articles import read_located_articles, source_files
    from stance.scoring.output import Output
    from stance.scoring.parts import PartSizes
    from stance.scoring.run import run_batch

    if order.get("die_at") is not None:
        arm(order["die_at"])
    rejected = []
    partition = tuple(order.get("partition", ()))
    summary = run_batch(
        scorer,
        lambda notices: read_located_articles(order["inputs"], notices),
        Output(Path(order["output"]), partition),
        inputs=list(source_files(order["inputs"])),
        on_reject=rejected.append,
        on_warn=lambda notice: None,
        sizes=PartSizes(8, 8, 32),
    )
    Path(order["output"] + ".told").write_text(
        json.dumps({"articles": summary.articles, "found": summary.found_articles, "rejected": len(rejected)})
    )
    return 3 if rejected else 0


def arm(die_at: int) -> None:
    steps = {"n": 0}

    def before(function):
        def call(*args, **options):
            steps["n"] += 1
            if steps["n"] == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    os.fsync, os.replace, os.rename = before(os.fsync), before(os.replace), before(os.rename)


if __name__ == "__main__":
    main(sys.argv[1])
