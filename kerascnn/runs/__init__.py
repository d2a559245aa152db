"""Training, evaluation, prediction and export for any task."""

from kerascnn.runs.data_check import DataCheck, check_data
from kerascnn.runs.data_preview import show_data
from kerascnn.runs.evaluation import ChangedDataWarning, evaluate
from kerascnn.runs.exporting import RunExport, Score, export
from kerascnn.runs.prediction import predict
from kerascnn.runs.record import DataRecord, ModelRecord, RunRecord
from kerascnn.runs.training import train

__all__ = [
    "ChangedDataWarning",
    "DataCheck",
    "DataRecord",
    "ModelRecord",
    "RunExport",
    "RunRecord",
    "Score",
    "check_data",
    "evaluate",
    "export",
    "predict",
    "show_data",
    "train",
]


def __dir__():
    return __all__
