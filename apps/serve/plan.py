"""What a server serves: each of its processes makes its own application from it."""

from dataclasses import dataclass, field

from kerascnn_apps.serve.app import create_app
from kerascnn_apps.serve.exported import Exported
from kerascnn_apps.serve.limits import Limits
from kerascnn_apps.serve.metrics import Metrics
from kerascnn_apps.serve.models import Model, Models


@dataclass(frozen=True)
class Plan:
    """The models of a server, its limits, and who may ask.

    Args:
        named: dict of folders by the names of the models.
        limits: `Limits`.
        keep_versions: int, how many versions of each are served.
        labels: dict by name, each a dict of versions by label.
        poll_seconds: float, between two looks for new versions; 0 for none.
        keys: tuple of str, of which a request must have one; with none, everybody may ask.
        origins: tuple of str, the origins of web pages that may ask from elsewhere.
    """

    named: dict
    limits: Limits = field(default_factory=Limits)
    keep_versions: int = 1
    labels: dict = field(default_factory=dict)
    poll_seconds: float = 0.0
    keys: tuple = ()
    origins: tuple = ()

    def app(self, metrics=Metrics):
        """Loads the models and returns the application.

        Args:
            metrics: class of the figures, as for `create_app`.
        """
        models = [
            Model(name, folder, self.limits, Exported, self.keep_versions, self.labels.get(name))
            for name, folder in self.named.items()
        ]
        polled = Models(models, self.poll_seconds)
        return create_app(polled, self.limits, self.keys, self.origins, metrics)
