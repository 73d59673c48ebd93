"""Requests to Vault: TLS verified, bounded, and nothing taken from the environment."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import hvac
import requests
from hvac.exceptions import Forbidden
from hvac.exceptions import VaultError as Refusal

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.deadlines import Deadlines
    from harness.settings.vault import VaultSettings

    Answer = dict[str, Any]
    Request = Callable[[Any], Any]

T = TypeVar("T")

_NO_CERTIFICATE = ()
_NO_TOKEN = ""


class VaultError(ConfigurationError):
    """Vault refused a request, or did not answer."""


class ForbiddenError(VaultError):
    """Vault knows who asks, and they may not; or it does not know them any more."""


class Vault:
    """One Vault, asked by one identity.

    Args:
        settings: Which, and who the harness is there.
        deadlines: The table of deadlines.
    """

    def __init__(self, settings: VaultSettings, deadlines: Deadlines) -> None:
        self.settings = settings
        self._session = requests.Session()
        # Proxies, certificates and passwords of the environment may be meant for anything.
        self._session.trust_env = False
        self._session.verify = str(settings.ca_file) if settings.ca_file else True
        self._client = hvac.Client(
            url=settings.address,
            token=_NO_TOKEN,
            cert=_NO_CERTIFICATE,
            timeout=deadlines.vault_answer.seconds,
            session=self._session,
            namespace=settings.namespace,
            # A redirection would carry the token to wherever it leads.
            allow_redirects=False,
        )

    def ask(self, what: str, request: Request, read: Callable[[Answer], T]) -> T:
        """Make a request.

        Args:
            what: What it is for, for the error's text: `lease a login of role erp-read`.
            request: Makes it, with the client.
            read: Takes from the answer what is wanted of it; the answer is empty where Vault had
                nothing to say.

        Raises:
            ForbiddenError: It is not allowed.
            VaultError: Any other refusal, no answer, or none that could be understood.
        """
        try:
            answer = request(self._client)
        except Forbidden as error:
            raise self._refused(ForbiddenError, what, error) from error
        except Refusal as error:
            raise self._refused(VaultError, what, error) from error
        except (requests.RequestException, OSError) as error:
            raise self._silent(what, f"{type(error).__name__}: {error}") from error
        try:
            return read(answer if isinstance(answer, dict) else {})
        except (KeyError, TypeError, ValueError) as error:
            odd = f"an answer of another form ({type(error).__name__}: {error})"
            raise self._silent(what, odd) from error

    def enter(self, login: Request) -> Answer:
        """Log in: from then on requests are made with the token that it brought.

        Returns:
            What Vault says of the token, without the token.
        """

        def take(answer: Answer) -> Answer:
            self._client.token = answer["auth"]["client_token"]
            return {key: value for key, value in answer["auth"].items() if key != "client_token"}

        return self.ask(f"log in to {self.settings.address}", login, take)

    def close(self) -> None:
        """Close the connections and forget the token."""
        self._client.token = _NO_TOKEN
        self._session.close()

    def _refused(self, kind: type[VaultError], what: str, error: Refusal) -> VaultError:
        return kind(
            f"Vault refused to {what}",
            found=" ".join(str(error.args[0] if error.args else error).split())
            or type(error).__name__,
            expected=f"the policy that sandbox-lifecycle manifests --vault prints, at"
            f" {self.settings.address}",
            remedy="correct [vault] in the settings, or the harness's role and policy in Vault",
        )

    def _silent(self, what: str, found: str) -> VaultError:
        return VaultError(
            f"Vault did not {what}",
            found=" ".join(found.split()),
            expected=f"a Vault at {self.settings.address} that answers as Vault does, and proves"
            " with its certificate that it is the one meant",
            remedy="correct vault.address or vault.ca_file, or mend the network in between",
        )


@contextmanager
def connect(settings: VaultSettings, deadlines: Deadlines) -> Iterator[Vault]:
    """A client without a token; its connections are closed at the end."""
    vault = Vault(settings, deadlines)
    try:
        yield vault
    finally:
        vault.close()
