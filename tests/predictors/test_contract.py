"""Every predictor keeps the contract."""

from __future__ import annotations

from tests.predictors.contract import PredictorContract
from tilegrad.predictors import PREDICTORS


class TestLinear(PredictorContract):
    kind = "linear"


class TestForest(PredictorContract):
    kind = "forest"


class TestMlp(PredictorContract):
    kind = "mlp"


class TestRoofline(PredictorContract):
    kind = "roofline"


class TestReuse(PredictorContract):
    kind = "reuse"
    # How many loops lie inside one: it is compared with the others' alone.
    discrete = ("inside",)


class TestResidual(PredictorContract):
    kind = "residual"
    targets = ("latency",)


class TestPipeline(PredictorContract):
    kind = "pipeline"
    targets = ("latency",)
    # Which kind of layer it is: costs are learned for either.
    discrete = ("matmul",)


def test_no_predictor_is_left_out() -> None:
    tested = {contract.kind for contract in PredictorContract.__subclasses__()}
    assert tested == set(PREDICTORS)
