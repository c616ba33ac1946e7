"""Every channel that a configuration can name: one table, extended by the entry points `aiops_nb.notifiers`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.lazy import PlugIn
from aiops_nb.core.spec_table import SpecTable
from aiops_nb.notify.message import Notifier
from aiops_nb.notify.params import (
    AlertmanagerParams,
    AppriseParams,
    ChannelParams,
    EmailParams,
    PagerDutyParams,
    SlackParams,
    WebhookParams,
)

if TYPE_CHECKING:
    import pandas as pd

GROUP = "aiops_nb.notifiers"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSpec:
    """A notification channel that a configuration can name by its `type`.

    A plug-in offers one as an entry point of the group `aiops_nb.notifiers`, under its `type`.

    Parameters
    ----------
    params
        A subclass of `ChannelParams`; its `tag` is the `type`.
    factory
        What makes the notifier of its parameters: a class or function, or `"package.module:Name"`, which is imported
        when needed. It sends nothing and opens no connection.
    purpose
        Where it sends to, in one line.

    Raises
    ------
    ConfigError
        Naming the field that cannot be.

    Examples
    --------
    >>> class PagerParams(ChannelParams, frozen=True, kw_only=True, tag="pager"):
    ...     name: str = "pager"
    >>> NotifierSpec(params=PagerParams, factory="my_package.pager:Pager", purpose="pagers").type
    'pager'
    """

    params: type[ChannelParams]
    factory: str | Callable[[Any], Notifier]
    purpose: str

    def __post_init__(self) -> None:
        is_struct = isinstance(self.params, type) and issubclass(self.params, ChannelParams)
        if not is_struct or not isinstance(self.params.__struct_config__.tag, str):
            raise ConfigError.at("params", "a subclass of ChannelParams with a tag", self.params)
        is_path = isinstance(self.factory, str) and self.factory.count(":") == 1
        if not (is_path or callable(self.factory)):
            raise ConfigError.at("factory", "a callable or 'package.module:Name'", self.factory)

    @property
    def type(self) -> str:
        """The name in a configuration."""
        return str(self.params.__struct_config__.tag)

    def make(self, params: ChannelParams) -> Notifier:
        """A notifier with these parameters; nothing is sent yet.

        Parameters
        ----------
        params
            Of the channel.

        Returns
        -------
        Notifier
            Nothing is connected yet.

        Raises
        ------
        ConfigError
            If the factory cannot be imported, and what the factory raises for invalid parameters.
        MissingExtraError
            If it needs an optional package that is not installed.
        """
        return self._load()(params)

    def _load(self) -> Callable[[Any], Notifier]:
        if not isinstance(self.factory, str):
            return self.factory
        module, _, name = self.factory.partition(":")
        try:
            factory: Callable[[Any], Notifier] = getattr(import_module(module), name)
        except (ImportError, AttributeError) as problem:
            raise ConfigError.at("type", "a channel that can be loaded", f"{self.type} ({problem})") from None
        return factory


BUILT_IN = (
    NotifierSpec(
        params=SlackParams,
        factory="aiops_nb.notify.channels.slack:SlackNotifier",
        purpose="a Slack channel, by a bot token or an incoming webhook",
    ),
    NotifierSpec(params=EmailParams, factory="aiops_nb.notify.channels.smtp:EmailNotifier", purpose="e-mail by SMTP"),
    NotifierSpec(
        params=WebhookParams,
        factory="aiops_nb.notify.channels.webhook:WebhookNotifier",
        purpose="a URL that takes Alertmanager's webhook payload, version 4",
    ),
    NotifierSpec(
        params=AlertmanagerParams,
        factory="aiops_nb.notify.channels.alertmanager:AlertmanagerNotifier",
        purpose="a Prometheus Alertmanager, by its API version 2",
    ),
    NotifierSpec(
        params=PagerDutyParams,
        factory="aiops_nb.notify.channels.pagerduty:PagerDutyNotifier",
        purpose="PagerDuty, by its Events API version 2",
    ),
    NotifierSpec(
        params=AppriseParams,
        factory="aiops_nb.notify.channels.apprise:AppriseNotifier",
        purpose="any service that Apprise supports",
    ),
)
_TABLE = SpecTable(group=GROUP, kind=NotifierSpec, built_in=BUILT_IN)


def plugged_in() -> list[PlugIn[NotifierSpec]]:
    """What the entry points `aiops_nb.notifiers` of installed packages offer; each is loaded now.

    Examples
    --------
    >>> all((one.spec is None) == bool(one.problem) for one in plugged_in())
    True
    """
    return _TABLE.plugged_in()


def notifiers() -> pd.DataFrame:
    """Every notification channel that a configuration can name, those of plug-ins included.

    Returns
    -------
    pandas.DataFrame
        A row per channel with its `type`, `purpose`, `parameters`, the `package` it is of, and for a plug-in that
        cannot be used its `problem`, else an empty string.

    Examples
    --------
    >>> table = notifiers().set_index("type")
    >>> table.loc["webhook", "parameters"], table.loc["webhook", "package"]
    ('name, timeout_seconds, url, headers', 'aiops_nb')
    """
    return _TABLE.frame()


def spec_of(params: ChannelParams) -> NotifierSpec:
    """The spec that such parameters are of.

    Raises
    ------
    ConfigError
        If no channel has them.

    Examples
    --------
    >>> spec_of(WebhookParams(url="http://127.0.0.1:9/")).type
    'webhook'
    """
    return _TABLE.spec_of(params)


def make_notifier(params: ChannelParams) -> Notifier:
    """The channel that these parameters describe; nothing is sent yet.

    Raises
    ------
    ConfigError, MissingExtraError
        As `NotifierSpec.make` does.

    Examples
    --------
    >>> make_notifier(WebhookParams(url="http://127.0.0.1:9/", name="chat")).name
    'chat'
    """
    return spec_of(params).make(params)
