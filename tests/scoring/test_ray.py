"""The batch road on a real local cluster of several nodes, one of them killed during the run."""

import os
import threading
import time

import pytest
from test_run import records, write

from stance.articles import read_located_articles
from stance.errors import UsageError
from stance.scoring import load
from stance.scoring.output import Output
from stance.scoring.parts import PartSizes
from stance.scoring.run import LocalRoad, run_batch

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Ray's own deprecations
    pytest.mark.skipif(
        os.environ.get("STANCE_CLUSTER_TESTS") != "1",
        reason="a cluster of several nodes takes minutes on 2 cores: set STANCE_CLUSTER_TESTS=1",
    ),
]


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()


def run(model, path, output, road, **options):
    rejected = []
    summary = run_batch(
        load(model, engine="torch-fp32"),
        lambda notices: read_located_articles([path], notices),
        Output(output),
        inputs=[path],
        on_reject=rejected.append,
        on_warn=lambda notice: None,
        road=road,
        sizes=PartSizes(4, 4, 16),
        **options,
    )
    assert not rejected
    return summary


def test_a_node_killed_in_the_middle_loses_nothing(cluster, saved_tiny, tmp_path):
    from stance.scoring.ray import PartWorker, ray_road

    class Slow(PartWorker):
        """The real worker with simulated work, so that the node dies while it has parts in hand."""

        def __call__(self, batch):
            time.sleep(0.3)
            return super().__call__(batch)

    path = write(tmp_path / "a.jsonl", records(150))
    run(saved_tiny, path, tmp_path / "here.jsonl", LocalRoad)
    victim = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    killed = threading.Event()

    def kill(item):
        if not killed.is_set():
            killed.set()
            cluster.remove_node(victim, allow_graceful=False)

    with ray_road(workers=2, worker=Slow) as road:
        summary = run(saved_tiny, path, tmp_path / "there.jsonl", road, on_part=kill)
    assert killed.is_set()
    assert summary.articles == 150
    assert (tmp_path / "there.jsonl").read_bytes() == (tmp_path / "here.jsonl").read_bytes()


def test_two_nodes_give_the_rows_of_one(cluster, saved_tiny, tmp_path):
    from stance.scoring.ray import RayRoad

    path = write(tmp_path / "a.jsonl", records(40))
    for nodes in (1, 2):
        if nodes == 2:
            cluster.add_node(num_cpus=1)
            cluster.wait_for_nodes()
        run(saved_tiny, path, tmp_path / f"{nodes}.jsonl", lambda scorer, n=nodes: RayRoad(scorer, workers=n))
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()


def test_no_cluster_there():
    from stance.scoring.ray import ray_road

    with pytest.raises(UsageError, match="no cluster answers"), ray_road("127.0.0.1:1"):
        pass
